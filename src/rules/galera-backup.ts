import { BackupType, type BackupScheduleOptions } from '../backup-schedule-options';
import { keysOfSecret } from './backup-valid';
import type { GaleraRule, Violation } from './rule';

const FULL = BackupType.full().type;

function otherTypes(schedules: readonly BackupScheduleOptions[] = []): Violation[] {
  return schedules.flatMap(({ type }, index) => (type === undefined || type.type === FULL ? [] : [{
    path: ['backup', 'schedules', index, 'type'], problem: `a backup of type ${type.type} is asked for`,
  }]));
}

export const galeraBackup: GaleraRule = {
  code: 'EV2301',
  title: 'A backup that Galera clusters do not have here',
  cause: 'backup of a MariaDbCluster or a PxcCluster asks for a second repository, for another storage than S3 with a Secret, for differential or incremental backups, for VolumeSnapshots or for processes.',
  consequence: 'No backup would be made, or another one than you believe',
  fix: 'Use one repository on S3 and full backups; the binary log covers the time between them',
  check: ({ props: { backup } }) => {
    if (!backup) return [];
    return [
      ...keysOfSecret(['backup', 'storage'], backup.storage),
      ...(backup.secondary ? [{ path: ['backup', 'secondary'], problem: 'a second repository is asked for' }] : []),
      ...(backup.processes === undefined ? [] : [{ path: ['backup', 'processes'], problem: 'processes is set, and there is one stream', fix: 'Leave processes out' }]),
      ...otherTypes(backup.schedules),
    ];
  },
};
