import { Duration } from 'cdk8s';
import { z } from 'zod';
import { Credentials } from '../credentials';
import { PodDisruption } from '../pod-disruption';
import { Protection } from '../protection';
import { backupShape, bootstrapShape } from './backup';
import { instance } from './instance';
import { peerList, resourcesShape } from './pod';
import { placementShape, roleShape } from './postgres-props';

const text = z.string().optional();
const texts = z.record(z.string(), z.string());
const peers = peerList.optional();

/** The shape of PmmOptions. */
export const pmmShape = z.strictObject({
  url: z.string(), image: text, secretName: text, secretKey: text, resources: resourcesShape.optional(),
  insecureSkipTlsVerify: z.boolean().optional(),
});

/** The shape of GaleraDatabase. */
export const galeraDatabaseShape = z.strictObject({ name: z.string(), owner: text });

const proxy = z.strictObject({
  instances: z.number().optional(), image: text, resources: resourcesShape.optional(),
  placement: placementShape.optional(), maxConnections: z.number().optional(),
});

const common = {
  storage: z.strictObject({ size: z.string(), storageClassName: text }),
  clusterName: text,
  namespace: text,
  instances: z.number().optional(),
  arbitrator: z.boolean().optional(),
  resources: resourcesShape.optional(),
  parameters: texts.optional(),
  maintenanceWindow: instance(Duration).optional(),
  imagePullSecrets: z.array(z.string()).optional(),
  credentials: instance(Credentials, z.object({
    generates: z.boolean(), secretName: text, externalStore: z.unknown().optional(),
  })).optional(),
  tlsSecretName: text,
  agent: z.custom((value) => typeof value === 'object' && value !== null && 'agentName' in value
    && typeof value.agentName === 'string', { error: 'an EverestAgent' }).optional(),
  databases: z.array(galeraDatabaseShape).optional(),
  roles: z.array(roleShape).optional(),
  placement: placementShape.optional(),
  podDisruption: instance(PodDisruption, z.object({ members: z.number().optional() })).optional(),
  proxy: proxy.optional(),
  network: z.strictObject({ allowFrom: peers, apiServer: peers, dns: peers }).optional(),
  pmm: pmmShape.optional(),
  serviceAnnotations: texts.optional(),
  replicaServiceAnnotations: texts.optional(),
  labels: texts.optional(),
  annotations: texts.optional(),
  kubernetesVersion: text,
  protection: instance(Protection).optional(),
  backup: backupShape.optional(),
  bootstrap: bootstrapShape.optional(),
};

/** The shape of MariaDbClusterProps. */
export const mariaDbPropsShape = z.strictObject({ ...common, version: text, image: text });

/** The shape of PxcClusterProps. */
export const pxcPropsShape = z.strictObject({ ...common, version: text, image: text, scriptImage: text });
