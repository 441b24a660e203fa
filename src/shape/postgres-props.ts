import { Duration } from 'cdk8s';
import { z } from 'zod';
import { backupShape, bootstrapShape, standbyShape } from './backup';
import { instance } from './instance';
import { peerList, resourcesShape } from './pod';
import { Credentials } from '../credentials';
import { ImageCatalog } from '../image-catalog';
import { PasswordRotation } from '../password-rotation';
import { AntiAffinity } from '../placement';
import { PodDisruption } from '../pod-disruption';
import { Protection } from '../protection';
import { Replication } from '../replication';
import { DatabaseAccess } from '../role';

/*
 * Props reach us untyped from JavaScript and from other languages: their shape is checked before anything reads them.
 */

const texts = z.record(z.string(), z.string());
const storage = z.strictObject({
  size: z.string(), storageClassName: z.string().optional(), walSize: z.string().optional(),
  walStorageClassName: z.string().optional(),
});

export const topologySpreadShape = z.strictObject({
  topologyKey: z.string(), maxSkew: z.number().optional(), required: z.boolean().optional(),
});

export const tolerationShape = z.strictObject({
  key: z.string().optional(),
  operator: z.string().optional(),
  value: z.string().optional(),
  effect: z.string().optional(),
  tolerationSeconds: z.number().optional(),
});

const antiAffinity = instance(AntiAffinity, z.object({ topologyKey: z.string() }));

export const placementShape = z.strictObject({
  antiAffinity: antiAffinity.optional(),
  topologySpread: z.array(topologySpreadShape).optional(),
  tolerations: z.array(tolerationShape).optional(),
  nodeSelector: texts.optional(),
});

const memberGroup = z.strictObject({
  name: z.string(),
  instances: z.number(),
  promotable: z.boolean().optional(),
  placement: placementShape.optional(),
  resources: resourcesShape.optional(),
  storage: storage.optional(),
});

const image = z.strictObject({
  image: z.string(),
  version: z.string(),
  digest: z.string().optional(),
  uid: z.number().optional(),
  binDirectory: z.string().optional(),
  tini: z.string().optional(),
  collationFingerprint: z.string().optional(),
  license: z.string().optional(),
  source: z.string().optional(),
});

/** What `allowFrom()` takes, under the name that a message shows. */
export const allowFromShape = z.strictObject({ allowFrom: peerList });

const replication = instance(Replication, z.object({
  mode: z.string(), standbys: z.number(), strict: z.boolean(), maximumLagOnFailover: z.string().optional(),
  preferAvailability: z.boolean(),
}));

const duration = instance(Duration).optional();

const external = z.strictObject({
  store: z.string(), clusterStore: z.boolean().optional(), keyPrefix: z.string().optional(), refreshInterval: duration,
});
const credentials = instance(Credentials, z.object({
  generates: z.boolean(), secretName: z.string().optional(), externalStore: external.optional(),
}));
const extension = z.strictObject({ name: z.string(), version: z.string().optional(), schema: z.string().optional() });

/** The same in props and in documents. */
export const databaseShape = z.strictObject({
  name: z.string(),
  owner: z.string().optional(),
  extensions: z.array(extension).optional(),
  schemas: z.array(z.strictObject({ name: z.string(), owner: z.string().optional() })).optional(),
});

/** What roles of all engines have. */
export const roleShape = z.strictObject({
  name: z.string(),
  grants: z.array(z.strictObject({
    database: z.string(), access: instance(DatabaseAccess, z.object({ level: z.string() })),
  })).optional(),
  connectionLimit: z.number().optional(),
  secretName: z.string().optional(),
  rotation: instance(PasswordRotation, z.object({ interval: duration, oldValidFor: duration })).optional(),
});

const role = roleShape.extend({ login: z.boolean().optional(), inRoles: z.array(z.string()).optional() });

const imageCatalog = instance(ImageCatalog, z.object({ entries: z.array(image) }));
const podDisruption = instance(PodDisruption, z.object({ members: z.number().optional() }));
const peers = peerList.optional();
/** The shape of PostgresClusterProps. */
export const postgresPropsShape = z.strictObject({
  storage,
  clusterName: z.string().optional(),
  namespace: z.string().optional(),
  version: z.string().optional(),
  instances: z.number().optional(),
  resources: resourcesShape.optional(),
  memberGroups: z.array(memberGroup).optional(),
  parameters: texts.optional(),
  pgHba: z.array(z.string()).optional(),
  replication: replication.optional(),
  timing: z.strictObject({ ttl: duration, loopWait: duration, retryTimeout: duration }).optional(),
  image: image.optional(),
  imageCatalog: imageCatalog.optional(),
  imagePullSecrets: z.array(z.string()).optional(),
  credentials: credentials.optional(),
  agent: z.custom((value) => typeof value === 'object' && value !== null && 'agentName' in value
    && typeof value.agentName === 'string', { error: 'an EverestAgent' }).optional(),
  backup: backupShape.optional(),
  standby: standbyShape.optional(),
  bootstrap: bootstrapShape.optional(),
  databases: z.array(databaseShape).optional(),
  roles: z.array(role).optional(),
  placement: placementShape.optional(),
  podDisruption: podDisruption.optional(),
  network: z.strictObject({ allowFrom: peers, apiServer: peers, dns: peers }).optional(),
  serviceAnnotations: texts.optional(),
  replicaServiceAnnotations: texts.optional(),
  labels: texts.optional(),
  annotations: texts.optional(),
  kubernetesVersion: z.string().optional(),
  preferSameZoneReads: z.boolean().optional(),
  protection: instance(Protection).optional(),
});
