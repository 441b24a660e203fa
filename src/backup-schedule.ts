import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import type { BackupScheduleOptions } from './backup-schedule-options';
import { EverestError } from './errors';
import { claimObjects, objectName } from './object-registry';
import { backupCronJob, snapshotAccess, type BackedUp } from './parts/backup';
import { resolveSchedule, type ResolvedSchedule } from './resolve/backup';
import { runRules } from './rules/run';
import { SCHEDULE_RULES } from './rules/schedule-valid';
import { backupScheduleShape } from './shape/backup';
import { checkShape } from './shape/findings';

/** A cluster of any engine that has backups. */
interface BackedUpCluster {
  _forParts(): { readonly resolved: BackedUp };
}

/**
 * When backups of a cluster are made; made by `cluster.addBackupSchedule()`.
 *
 * Creates a CronJob `<cluster>-backup-<name>`. Its Jobs make the backup in a member and write the result into the
 * ConfigMap `<cluster>-status`. For VolumeSnapshots, also a Role and a RoleBinding of that name.
 */
export class BackupSchedule extends Construct {
  /** Name of the schedule. */
  public readonly scheduleName: string;

  /** The CronJob. Patch any field with `addJsonPatch`. */
  public readonly cronJob: ApiObject;

  /**
   * @internal
   */
  public readonly _objects: ApiObject[];

  /**
   * @internal
   */
  public readonly _resolved: ResolvedSchedule;

  /**
   * @internal
   */
  public constructor(cluster: Construct, id: string, options: BackupScheduleOptions) {
    super(cluster, id);
    const { resolved } = (cluster as unknown as BackedUpCluster)._forParts();
    const shape = checkShape(backupScheduleShape, options);
    const repositories = resolved.backup?.repositories.length ?? 0;
    const findings = shape.length > 0 ? shape
      : runRules(SCHEDULE_RULES, { clusterName: resolved.name, engine: resolved.engine, repositories, options });
    if (findings.length > 0) throw new EverestError(findings, this.node.path);

    this._resolved = resolveSchedule(resolved.name, options);
    this.scheduleName = this._resolved.name;
    const manifest = backupCronJob(resolved, this._resolved);
    const access = snapshotAccess(resolved, this._resolved);
    claimObjects(this, resolved.namespace, [...access, manifest].map(objectName));
    const rights = access.map((right) => new ApiObject(this, right.kind.toLowerCase(), right));
    this.cronJob = new ApiObject(this, 'cron-job', manifest);
    this._objects = [...rights, this.cronJob];
  }
}
