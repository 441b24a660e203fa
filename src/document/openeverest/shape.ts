import { z } from 'zod';

/*
 * The shapes of OpenEverest's own documents, `everest.percona.com/v1alpha1`: every field that its custom resources
 * have, whether it has a counterpart here or not. What has none is refused by name, see refused.ts.
 */

const quantity = z.union([z.string(), z.number()]);
const texts = z.record(z.string(), z.string());
const unread = z.unknown().optional();

const amounts = z.strictObject({ cpu: quantity.optional(), memory: quantity.optional() });
const resources = z.strictObject({
  cpu: quantity.optional(), memory: quantity.optional(), limits: amounts.optional(), requests: amounts.optional(),
});
const volume = z.strictObject({ size: quantity, class: z.string().optional() });

/** What people write, and what the API server and the operator add to it. */
const metadata = z.strictObject({
  name: z.string(),
  namespace: z.string().optional(),
  labels: texts.optional(),
  annotations: texts.optional(),
  finalizers: unread,
  ownerReferences: unread,
  generateName: unread,
  uid: unread,
  resourceVersion: unread,
  generation: unread,
  creationTimestamp: unread,
  deletionTimestamp: unread,
  deletionGracePeriodSeconds: unread,
  selfLink: unread,
  managedFields: unread,
});

const engine = z.strictObject({
  type: z.enum(['postgresql', 'pxc']),
  version: z.string().optional(),
  replicas: z.number().optional(),
  storage: volume,
  resources: resources.optional(),
  config: z.string().optional(),
  userSecretsName: z.string().optional(),
  crVersion: z.string().optional(),
});

const proxy = z.strictObject({
  type: z.enum(['pgbouncer', 'haproxy', 'proxysql', 'mongos']).optional(),
  replicas: z.number().optional(),
  config: z.string().optional(),
  storage: volume.optional(),
  expose: z.strictObject({
    type: z.enum(['ClusterIP', 'internal', 'LoadBalancer', 'external', 'NodePort']).optional(),
    ipSourceRanges: z.array(z.string()).optional(),
    loadBalancerConfigName: z.string().optional(),
  }).optional(),
  resources: resources.optional(),
});

const dataSource = z.strictObject({
  dbClusterBackupName: z.string().optional(),
  backupSource: z.strictObject({ path: z.string(), backupStorageName: z.string() }).optional(),
  pitr: z.strictObject({ type: z.string().optional(), date: z.string().optional() }).optional(),
  dataImport: unread,
});

const backup = z.strictObject({
  enabled: z.boolean().optional(),
  schedules: z.array(z.strictObject({
    enabled: z.boolean(),
    name: z.string(),
    schedule: z.string(),
    retentionCopies: z.number().optional(),
    backupStorageName: z.string(),
  })).optional(),
  pitr: z.strictObject({
    enabled: z.boolean(),
    backupStorageName: z.string().optional(),
    uploadIntervalSec: z.number().positive().optional(),
  }).optional(),
});

/** The shape of a DatabaseCluster. */
export const clusterShape = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata,
  spec: z.strictObject({
    engine,
    paused: z.boolean().optional(),
    allowUnsafeConfiguration: z.boolean().optional(),
    proxy: proxy.optional(),
    dataSource: dataSource.optional(),
    backup: backup.optional(),
    monitoring: z.strictObject({
      monitoringConfigName: z.string().optional(),
      resources: z.strictObject({ limits: amounts.optional(), requests: amounts.optional() }).optional(),
    }).optional(),
    sharding: unread,
    podSchedulingPolicyName: z.string().optional(),
    engineFeatures: unread,
  }),
  status: unread,
});

/** The shape of a BackupStorage. */
export const storageShape = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata,
  spec: z.strictObject({
    type: z.enum(['s3', 'azure']),
    bucket: z.string(),
    region: z.string().optional(),
    endpointURL: z.string().optional(),
    verifyTLS: z.boolean().optional(),
    forcePathStyle: z.boolean().optional(),
    description: z.string().optional(),
    credentialsSecretName: z.string(),
    allowedNamespaces: z.array(z.string()).optional(),
  }),
  status: unread,
});

/** The shape of a MonitoringConfig. */
export const monitoringShape = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata,
  spec: z.strictObject({
    type: z.enum(['pmm']),
    pmm: z.strictObject({ url: z.string(), image: z.string().optional() }),
    credentialsSecretName: z.string(),
    verifyTLS: z.boolean().optional(),
    allowedNamespaces: z.array(z.string()).optional(),
  }),
  status: unread,
});

const antiAffinityTerm = z.strictObject({
  topologyKey: z.string(),
  labelSelector: unread,
  namespaces: unread,
  namespaceSelector: unread,
  matchLabelKeys: unread,
  mismatchLabelKeys: unread,
});
const affinity = z.strictObject({
  podAntiAffinity: z.strictObject({
    requiredDuringSchedulingIgnoredDuringExecution: z.array(antiAffinityTerm).optional(),
    preferredDuringSchedulingIgnoredDuringExecution: z.array(z.strictObject({
      weight: z.number(), podAffinityTerm: antiAffinityTerm,
    })).optional(),
  }).optional(),
  podAffinity: unread,
  nodeAffinity: z.strictObject({
    requiredDuringSchedulingIgnoredDuringExecution: z.strictObject({
      nodeSelectorTerms: z.array(z.strictObject({
        matchExpressions: z.array(z.strictObject({
          key: z.string(), operator: z.string(), values: z.array(z.string()).optional(),
        })).optional(),
        matchFields: unread,
      })),
    }).optional(),
    preferredDuringSchedulingIgnoredDuringExecution: unread,
  }).optional(),
});
const affinities = z.strictObject({ engine: affinity.optional(), proxy: affinity.optional() });

/** The shape of a PodSchedulingPolicy. */
export const policyShape = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata,
  spec: z.strictObject({
    engineType: z.enum(['postgresql', 'pxc', 'psmdb']),
    affinityConfig: z.strictObject({
      postgresql: affinities.optional(), pxc: affinities.optional(), psmdb: unread,
    }).optional(),
  }),
  status: unread,
});

export type OpenEverestCluster = z.infer<typeof clusterShape>;
export type OpenEverestSpec = OpenEverestCluster['spec'];
export type OpenEverestStorage = z.infer<typeof storageShape>;
export type MonitoringDocument = z.infer<typeof monitoringShape>;
export type PolicyDocument = z.infer<typeof policyShape>;
export type OpenEverestResources = z.infer<typeof resources>;
export type Affinity = z.infer<typeof affinity>;
