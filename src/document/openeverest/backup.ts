import { Duration } from 'cdk8s';
import type { OpenEverestSpec } from './shape';
import { BackupRetention } from '../../backup-retention';
import type { BackupScheduleOptions } from '../../backup-schedule-options';
import type { BackupStorage } from '../../backup-storage';
import { present } from '../present';

/* Schedules and storages, as OpenEverest writes them. */

type Path = Array<string | number>;
export type Storages = ReadonlyMap<string, BackupStorage>;

/** `retentionCopies: 0` keeps all; a number is wanted, and this is the largest one that is taken. */
const KEEP_ALL = 9999;

/** Storages in the order in which they are named, each once. */
export function storageNames({ backup }: OpenEverestSpec): string[] {
  const pitr = backup?.pitr?.enabled && backup.pitr.backupStorageName ? [backup.pitr.backupStorageName] : [];
  return [...new Set([...(backup?.schedules ?? []).map(({ backupStorageName }) => backupStorageName), ...pitr])];
}

/** Where a storage is named. */
export function storagePath({ backup }: OpenEverestSpec, name: string): Path {
  const index = (backup?.schedules ?? []).findIndex(({ backupStorageName }) => backupStorageName === name);
  return index < 0 ? ['spec', 'backup', 'pitr', 'backupStorageName'] : ['spec', 'backup', 'schedules', index, 'backupStorageName'];
}

/** Number of copies as a retention. */
export function toRetention(copies: number | undefined): BackupRetention {
  return BackupRetention.fullBackups(copies === undefined || copies === 0 ? KEEP_ALL : copies);
}

/** Schedules in the words of this library. */
export function toSchedules(spec: OpenEverestSpec): BackupScheduleOptions[] {
  const [first] = storageNames(spec);
  return (spec.backup?.schedules ?? []).map(({ name, schedule, enabled, backupStorageName }) => present({
    name,
    cron: schedule,
    suspend: enabled ? undefined : true,
    toSecondary: backupStorageName === first ? undefined : true,
  }));
}

/** How long written rows wait for the archive. */
export function toArchiveTimeout({ backup }: OpenEverestSpec): Duration | undefined {
  const { enabled, uploadIntervalSec } = backup?.pitr ?? {};
  return enabled && uploadIntervalSec !== undefined ? Duration.millis(uploadIntervalSec * 1000) : undefined;
}

/** Where props of backups stand in a document. */
export function backupRenames({ backup }: OpenEverestSpec): Array<[Path, Path]> {
  const schedules = backup?.schedules ?? [];
  const [first] = schedules;
  const second = schedules.findIndex(({ backupStorageName }) => backupStorageName !== first?.backupStorageName);
  const at = (index: number, field: string): Path => ['spec', 'backup', 'schedules', index, field];
  return [
    ...schedules.map((_, index): [Path, Path] => [['backup', 'schedules', index, 'cron'], at(index, 'schedule')]),
    [['backup', 'schedules'], ['spec', 'backup', 'schedules']],
    [['backup', 'secondary', 'retention'], at(second, 'retentionCopies')],
    [['backup', 'secondary', 'storage'], at(second, 'backupStorageName')],
    [['backup', 'retention'], at(0, 'retentionCopies')],
    [['backup', 'storage'], at(0, 'backupStorageName')],
    [['backup', 'archiveTimeout'], ['spec', 'backup', 'pitr', 'uploadIntervalSec']],
  ];
}
