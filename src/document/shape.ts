import { z } from 'zod';
import { backupSpecShape } from './backup';
import { bootstrapSpecShape, galeraBootstrapSpecShape } from './bootstrap';
import { standbySpecShape } from './standby';
import { galeraDatabaseShape, pmmShape } from '../shape/galera-props';
import { databaseShape, tolerationShape, topologySpreadShape } from '../shape/postgres-props';

/* The shape of an everest.io/v1alpha1 DatabaseCluster with the engine postgresql. */

/** An amount may stand without quotes: `cpu: 4`. */
const quantity = z.union([z.string(), z.number()]);
const amounts = z.strictObject({ cpu: quantity.optional(), memory: quantity.optional() });
const resources = z.strictObject({ requests: amounts.optional(), limits: amounts.optional() });
const texts = z.record(z.string(), z.string());

const storage = z.strictObject({
  size: quantity, class: z.string().optional(), walSize: quantity.optional(), walClass: z.string().optional(),
});

/** The volume as Percona's operators and OpenEverest's older documents write it. */
const volumeSpec = z.strictObject({
  pvc: z.strictObject({
    storageClassName: z.string().optional(),
    accessModes: z.array(z.enum(['ReadWriteOnce'])).optional(),
    resources: z.strictObject({ requests: z.strictObject({ storage: quantity }) }),
  }),
});

const placement = z.strictObject({
  antiAffinity: z.strictObject({
    mode: z.enum(['even', 'required', 'preferred', 'none']), topologyKey: z.string().optional(),
  }).optional(),
  topologySpread: z.array(topologySpreadShape).optional(),
  tolerations: z.array(tolerationShape).optional(),
  nodeSelector: texts.optional(),
});

const memberGroup = z.strictObject({
  name: z.string(), instances: z.number(), promotable: z.boolean().optional(),
  placement: placement.optional(), resources: resources.optional(), storage: storage.optional(),
});

const peer = z.strictObject({
  podLabels: texts.optional(), namespace: z.string().optional(), cidr: z.string().optional(),
});

const image = z.strictObject({
  image: z.string(), version: z.string(), digest: z.string().optional(), uid: z.number().optional(),
  binDirectory: z.string().optional(), tini: z.string().optional(), collationFingerprint: z.string().optional(),
});

const credentials = z.strictObject({
  existingSecret: z.string().optional(),
  external: z.strictObject({
    store: z.string(),
    clusterStore: z.boolean().optional(),
    keyPrefix: z.string().optional(),
    refreshSeconds: z.number().positive().optional(),
  }).optional(),
});

const role = z.strictObject({
  name: z.string(),
  login: z.boolean().optional(),
  inRoles: z.array(z.string()).optional(),
  grants: z.array(z.strictObject({
    database: z.string(), access: z.enum(['readOnly', 'readWrite', 'owner']),
  })).optional(),
  connectionLimit: z.number().optional(),
  existingSecret: z.string().optional(),
  rotation: z.strictObject({
    everyDays: z.number().positive().optional(), oldValidForHours: z.number().positive().optional(),
  }).optional(),
});

/** Fields that clusters of every engine have. */
export const surroundingsShape = {
  instances: z.number().optional(),
  replicas: z.number().optional(),
  resources: resources.optional(),
  volumeSpec: volumeSpec.optional(),
  affinity: z.strictObject({ antiAffinityTopologyKey: z.string() }).optional(),
  placement: placement.optional(),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  imagePullSecrets: z.array(z.string()).optional(),
  agent: z.strictObject({ name: z.string() }).optional(),
  podDisruption: z.strictObject({ maxUnavailable: z.number() }).optional(),
  network: z.strictObject({
    allowFrom: z.array(peer).optional(), apiServer: z.array(peer).optional(), dns: z.array(peer).optional(),
  }).optional(),
  serviceAnnotations: texts.optional(),
  replicaServiceAnnotations: texts.optional(),
  kubernetesVersion: z.string().optional(),
  protection: z.enum(['retain', 'deleteWithCluster']).optional(),
};

export const postgresqlSpecShape = z.strictObject({
  ...surroundingsShape,
  engine: z.enum(['postgresql']),
  version: z.string().optional(),
  storage: storage.optional(),
  memberGroups: z.array(memberGroup).optional(),
  pgHba: z.array(z.string()).optional(),
  replication: z.strictObject({
    mode: z.enum(['asynchronous', 'synchronous', 'quorum']), standbys: z.number().optional(),
    strict: z.boolean().optional(), maximumLagOnFailover: z.string().optional(),
    preferAvailability: z.boolean().optional(),
  }).optional(),
  timing: z.strictObject({
    ttlSeconds: z.number().positive().optional(),
    loopWaitSeconds: z.number().positive().optional(),
    retryTimeoutSeconds: z.number().positive().optional(),
  }).optional(),
  image: image.optional(),
  imageRegistry: z.string().optional(),
  credentials: credentials.optional(),
  databases: z.array(databaseShape).optional(),
  roles: z.array(role).optional(),
  preferSameZoneReads: z.boolean().optional(),
  backup: backupSpecShape.optional(),
  bootstrap: bootstrapSpecShape.optional(),
  standby: standbySpecShape.optional(),
  monitoring: z.unknown().optional(),
});

const metadata = z.strictObject({
  name: z.string(), namespace: z.string().optional(), labels: texts.optional(), annotations: texts.optional(),
});

const head = { apiVersion: z.string(), kind: z.string(), metadata };

export const documentShape = z.strictObject({ ...head, spec: postgresqlSpecShape });

const galeraRole = role.pick({
  name: true, grants: true, connectionLimit: true, existingSecret: true, rotation: true,
});

export const galeraSpecShape = z.strictObject({
  ...surroundingsShape,
  engine: z.enum(['mariadb', 'percona-xtradb-cluster']),
  version: z.string().optional(),
  storage: z.strictObject({ size: quantity, class: z.string().optional() }).optional(),
  arbitrator: z.boolean().optional(),
  image: z.string().optional(),
  scriptImage: z.string().optional(),
  maintenanceWindowMinutes: z.number().positive().optional(),
  credentials: z.strictObject({ existingSecret: z.string() }).optional(),
  tls: z.strictObject({ secretName: z.string() }).optional(),
  databases: z.array(galeraDatabaseShape).optional(),
  roles: z.array(galeraRole).optional(),
  proxy: z.strictObject({
    instances: z.number().optional(), image: z.string().optional(), resources: resources.optional(),
    maxConnections: z.number().optional(),
  }).optional(),
  backup: backupSpecShape.optional(),
  bootstrap: galeraBootstrapSpecShape.optional(),
  monitoring: z.strictObject({ pmm: pmmShape.extend({ enabled: z.boolean().optional() }).optional() }).optional(),
});

/** A DatabaseCluster with an engine that replicates by Galera. */
export const galeraDocumentShape = z.strictObject({ ...head, spec: galeraSpecShape });

export type DatabaseClusterDocument = z.infer<typeof documentShape>;
export type PostgresqlSpec = z.infer<typeof postgresqlSpecShape>;
export type GaleraDocument = z.infer<typeof galeraDocumentShape>;
export type GaleraSpec = z.infer<typeof galeraSpecShape>;
