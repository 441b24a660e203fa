import { Duration } from 'cdk8s';
import { z } from 'zod';
import { Credentials } from '../credentials';
import { ImageCatalog } from '../image-catalog';
import { NetworkPeer } from '../network';
import { AntiAffinity } from '../placement';
import { PodDisruption } from '../pod-disruption';
import { Protection } from '../protection';
import { Replication } from '../replication';

/* Props reach us untyped from JavaScript and from other languages: their shape is checked before anything reads them. */

type Class = { readonly name: string; readonly prototype: object };

/** An instance of one of our classes; by name for classes of cdk8s, of which an app may hold two copies. */
function instance(type: Class): z.ZodType {
  return z.custom((value) => typeof value === 'object' && value !== null
    && (Object.prototype.isPrototypeOf.call(type.prototype, value) || value.constructor?.name === type.name), { error: `a ${type.name}` });
}

const texts = z.record(z.string(), z.string());
const amounts = z.strictObject({ cpu: z.string().optional(), memory: z.string().optional() });

export const resourcesShape = z.strictObject({ requests: amounts.optional(), limits: amounts.optional() });

const storage = z.strictObject({
  size: z.string(), storageClassName: z.string().optional(), walSize: z.string().optional(), walStorageClassName: z.string().optional(),
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

const placement = z.strictObject({
  antiAffinity: instance(AntiAffinity).optional(),
  topologySpread: z.array(topologySpreadShape).optional(),
  tolerations: z.array(tolerationShape).optional(),
  nodeSelector: texts.optional(),
});

const memberGroup = z.strictObject({
  name: z.string(),
  instances: z.number(),
  promotable: z.boolean().optional(),
  placement: placement.optional(),
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

const peers = z.array(instance(NetworkPeer)).optional();
const duration = instance(Duration).optional();

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
  replication: instance(Replication).optional(),
  timing: z.strictObject({ ttl: duration, loopWait: duration, retryTimeout: duration }).optional(),
  image: image.optional(),
  imageCatalog: instance(ImageCatalog).optional(),
  imagePullSecrets: z.array(z.string()).optional(),
  credentials: instance(Credentials).optional(),
  databases: z.array(z.strictObject({ name: z.string(), owner: z.string().optional() })).optional(),
  placement: placement.optional(),
  podDisruption: instance(PodDisruption).optional(),
  network: z.strictObject({ allowFrom: peers, apiServer: peers, dns: peers }).optional(),
  serviceAnnotations: texts.optional(),
  labels: texts.optional(),
  annotations: texts.optional(),
  kubernetesVersion: z.string().optional(),
  preferSameZoneReads: z.boolean().optional(),
  protection: instance(Protection).optional(),
});
