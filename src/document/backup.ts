import { Duration } from 'cdk8s';
import { z } from 'zod';
import { BackupEncryption } from '../backup-encryption';
import type { BackupOptions } from '../backup-options';
import { BackupRetention } from '../backup-retention';
import { BackupType, type BackupScheduleOptions } from '../backup-schedule-options';
import { BackupStorage } from '../backup-storage';
import { CertificateAuthority } from '../certificate-authority';
import { present } from './present';
import { DrillTarget, type RestoreDrillOptions } from '../restore-drill-options';
import { StorageAccess } from '../storage-access';

/* Backups in a DatabaseCluster, and the BackupStorage document that says where they go. */

const schedule = z.strictObject({
  name: z.string(),
  schedule: z.string(),
  timeZone: z.string().optional(),
  type: z.enum(['full', 'differential', 'incremental', 'volumeSnapshot']).optional(),
  snapshotClass: z.string().optional(),
  keep: z.number().optional(),
  enabled: z.boolean().optional(),
});

const drill = z.strictObject({
  name: z.string().optional(),
  schedule: z.string(),
  timeZone: z.string().optional(),
  target: z.enum(['newest', 'random']).optional(),
  checks: z.array(z.strictObject({ name: z.string(), sql: z.string(), database: z.string().optional() })).optional(),
  storageSize: z.union([z.string(), z.number()]).optional(),
  storageClass: z.string().optional(),
  enabled: z.boolean().optional(),
});

/** `backup` of a DatabaseCluster. */
export const backupSpecShape = z.strictObject({
  enabled: z.boolean().optional(),
  storageName: z.string(),
  schedule: z.string().optional(),
  timeZone: z.string().optional(),
  schedules: z.array(schedule).optional(),
  drills: z.array(drill).optional(),
  retentionDays: z.number().optional(),
  retentionCopies: z.number().optional(),
  archiveTimeoutSeconds: z.number().positive().optional(),
});

/** A BackupStorage document. */
export const storageDocumentShape = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.strictObject({ name: z.string(), namespace: z.string().optional() }),
  spec: z.strictObject({
    type: z.enum(['s3']),
    bucket: z.string(),
    region: z.string().optional(),
    endpointURL: z.string().optional(),
    forcePathStyle: z.boolean().optional(),
    verifyTLS: z.boolean().optional(),
    certificateAuthorityConfigMap: z.string().optional(),
    credentialsSecretName: z.string().optional(),
    roleArn: z.string().optional(),
    prefix: z.string().optional(),
    encryption: z.strictObject({
      existingSecret: z.string().optional(), unencrypted: z.boolean().optional(),
    }).optional(),
    description: z.string().optional(),
  }),
});

export type BackupSpec = z.infer<typeof backupSpecShape>;
export type StorageDocument = z.infer<typeof storageDocumentShape>;

/** The schedule that has no name of its own. */
const DEFAULT_SCHEDULE = 'default';

function toEncryption(given: StorageDocument['spec']['encryption']): BackupEncryption | undefined {
  if (given?.unencrypted) return BackupEncryption.unencrypted();
  return given?.existingSecret === undefined ? undefined : BackupEncryption.existing(given.existingSecret);
}

function toAccess({ roleArn, credentialsSecretName }: StorageDocument['spec']): StorageAccess {
  return roleArn === undefined ? StorageAccess.secret(credentialsSecretName!) : StorageAccess.webIdentity(roleArn);
}

/** A BackupStorage document as the class of the same name. */
export function toStorage({ spec }: StorageDocument): BackupStorage {
  const { bucket, region, prefix, certificateAuthorityConfigMap: authority } = spec;
  return BackupStorage.s3(present({
    bucket, region, prefix,
    access: toAccess(spec),
    endpoint: spec.endpointURL?.replace(/^https:\/\//, '').replace(/\/$/, ''),
    pathStyle: spec.forcePathStyle,
    insecureSkipTlsVerify: spec.verifyTLS === false ? true : undefined,
    certificateAuthority: authority === undefined ? undefined : CertificateAuthority.fromConfigMap(authority),
    encryption: toEncryption(spec.encryption),
  }));
}

function toType({ type, snapshotClass: className, keep }: Partial<z.infer<typeof schedule>>): BackupType | undefined {
  return type === 'volumeSnapshot' ? BackupType.volumeSnapshot(present({ className, keep })) : type && BackupType[type]();
}

function toSchedules(spec: BackupSpec): BackupScheduleOptions[] {
  const { schedule: cron, timeZone: zone } = spec;
  const single = cron === undefined ? [] : [{ name: DEFAULT_SCHEDULE, cron, timeZone: zone }];
  const more = (spec.schedules ?? []).map(({ name, schedule: when, timeZone = zone, enabled, ...rest }) => ({
    name, timeZone,
    cron: when,
    type: toType(rest),
    suspend: enabled === false ? true : undefined,
  }));
  return [...single, ...more].map(present) as BackupScheduleOptions[];
}

function toDrills({ drills = [], timeZone: zone }: BackupSpec): RestoreDrillOptions[] {
  return drills.map(({ name, schedule: cron, timeZone = zone, target, checks, enabled, ...volume }) => present({
    name, cron, timeZone, checks: checks?.map(present),
    target: target && DrillTarget[target](),
    storageSize: volume.storageSize === undefined ? undefined : String(volume.storageSize),
    storageClassName: volume.storageClass,
    suspend: enabled === false ? true : undefined,
  })) as RestoreDrillOptions[];
}

function toRetention({ retentionDays, retentionCopies }: BackupSpec): BackupRetention | undefined {
  if (retentionDays !== undefined) return BackupRetention.days(retentionDays);
  return retentionCopies === undefined ? undefined : BackupRetention.fullBackups(retentionCopies);
}

/** A storage by its name. Where no document describes any, the name is that of the Secret that does. */
export function storageNamed(name: string, storages: ReadonlyMap<string, BackupStorage>): BackupStorage {
  return storages.get(name) ?? BackupStorage.fromSecret(name);
}

/** Backups of a cluster; none where they are not enabled. */
export function toBackup(spec: BackupSpec, storages: ReadonlyMap<string, BackupStorage>): BackupOptions | undefined {
  if (spec.enabled === false) return undefined;
  const timeout = spec.archiveTimeoutSeconds;
  return present({
    storage: storageNamed(spec.storageName, storages),
    schedules: toSchedules(spec),
    drills: spec.drills && toDrills(spec),
    retention: toRetention(spec),
    archiveTimeout: timeout === undefined ? undefined : Duration.millis(timeout * 1000),
  });
}
