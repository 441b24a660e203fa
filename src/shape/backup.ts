import { Duration } from 'cdk8s';
import { z } from 'zod';
import { BackupEncryption } from '../backup-encryption';
import { BackupRetention } from '../backup-retention';
import { BackupType } from '../backup-schedule-options';
import { BackupStorage } from '../backup-storage';
import { Bootstrap } from '../bootstrap';
import { CertificateAuthority } from '../certificate-authority';
import { instance } from './instance';
import { peerList, resourcesShape } from './pod';
import { RecoverySource } from '../recovery-source';
import { RecoveryTarget } from '../recovery-target';
import { DrillTarget } from '../restore-drill-options';
import { Standby } from '../standby';
import { StorageAccess } from '../storage-access';

const text = z.string().optional();

const encryption = instance(BackupEncryption, z.object({ mode: z.string(), secretName: text, key: text })).optional();
const common = { prefix: text, encryption, network: peerList.optional() };
const access = instance(StorageAccess, z.object({
  keyType: z.string(),
  secretName: text,
  secretKeys: z.strictObject({ keyId: text, secretKey: text }).optional(),
  roleArn: text,
}));

const authority = instance(CertificateAuthority, z.object({
  resource: z.string(), name: z.string(), key: z.string(),
}));

const s3 = z.strictObject({
  ...common,
  bucket: z.string(),
  access,
  endpoint: text,
  region: text,
  pathStyle: z.boolean().optional(),
  certificateAuthority: authority.optional(),
  insecureSkipTlsVerify: z.boolean().optional(),
});
const gcs = z.strictObject({ ...common, bucket: z.string(), keySecret: text, keySecretKey: text });
const described = z.strictObject({ ...common, secretName: z.string() });
const azure = z.strictObject({
  ...common, container: z.string(), account: z.string(), keySecret: text, keySecretKey: text,
});

const storage = instance(BackupStorage, z.object({
  type: z.string(), s3Options: s3.optional(), gcsOptions: gcs.optional(), azureOptions: azure.optional(),
  secretOptions: described.optional(),
}));

const retention = instance(BackupRetention, z.object({ type: z.string(), amount: z.number() })).optional();
const duration = instance(Duration).optional();

/** The shape of BackupScheduleOptions. */
export const backupScheduleShape = z.strictObject({
  name: z.string(),
  cron: z.string(),
  timeZone: text,
  type: instance(BackupType, z.object({
    type: z.string(), snapshot: z.strictObject({ className: text, keep: z.number().optional() }).optional(),
  })).optional(),
  toSecondary: z.boolean().optional(),
  suspend: z.boolean().optional(),
  deadline: duration,
  resources: resourcesShape.optional(),
});

/** The shape of RestoreDrillOptions. */
export const restoreDrillShape = z.strictObject({
  name: text,
  cron: z.string(),
  timeZone: text,
  target: instance(DrillTarget, z.object({ type: z.enum(['newest', 'random']) })).optional(),
  checks: z.array(z.strictObject({ name: z.string(), sql: z.string(), database: text })).optional(),
  fromSecondary: z.boolean().optional(),
  access: access.optional(),
  storageSize: text,
  storageClassName: text,
  resources: resourcesShape.optional(),
  deadline: duration,
  suspend: z.boolean().optional(),
});

/** The shape of BackupOptions. */
export const backupShape = z.strictObject({
  storage,
  retention,
  secondary: z.strictObject({ storage, retention }).optional(),
  schedules: z.array(backupScheduleShape).optional(),
  drills: z.array(restoreDrillShape).optional(),
  archiveTimeout: duration,
  processes: z.number().optional(),
  compressionLevel: z.number().optional(),
  jobImage: text,
});

const source = instance(RecoverySource, z.object({
  backupStorage: storage,
  options: z.strictObject({ clusterName: z.string(), namespace: text, passSecretName: text, passSecretKey: text }),
}));
const target = instance(RecoveryTarget, z.object({
  type: z.string(),
  value: z.string(),
  options: z.strictObject({
    exclusive: z.boolean().optional(),
    timeline: z.number().optional(),
    after: text,
    skipTransactions: z.array(z.string()).optional(),
  }),
}));

/** The shape of Standby. */
export const standbyShape = instance(Standby, z.object({
  mode: z.string(),
  options: z.strictObject({
    from: source.optional(), host: text, port: z.number().optional(), network: peerList.optional(),
  }).optional(),
}));

/** The shape of Bootstrap. */
export const bootstrapShape = instance(Bootstrap, z.object({
  method: z.string(),
  superseding: text,
  recovery: z.strictObject({
    from: source, target: target.optional(), keepPasswords: z.boolean().optional(),
    pauseAtTarget: z.boolean().optional(), replacing: text, snapshot: text,
  }).optional(),
  replaced: text,
}));
