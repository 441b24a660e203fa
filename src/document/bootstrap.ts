import { z } from 'zod';
import type { BackupStorage } from '../backup-storage';
import { Bootstrap } from '../bootstrap';
import { storageNamed } from './backup';
import { present } from './present';
import { RecoverySource } from '../recovery-source';
import { RecoveryTarget, type RecoveryTargetOptions } from '../recovery-target';

/* Where the first data come from, in a DatabaseCluster. */

const target = z.strictObject({
  latest: z.literal(true).optional(),
  time: z.string().optional(),
  lsn: z.string().optional(),
  transaction: z.union([z.string(), z.number()]).optional(),
  restorePoint: z.string().optional(),
  exclusive: z.boolean().optional(),
  timeline: z.number().optional(),
  after: z.string().optional(),
});

export const bootstrapSpecShape = z.strictObject({
  superseding: z.string().optional(),
  putBack: z.string().optional(),
  recover: z.strictObject({
    storageName: z.string(),
    clusterName: z.string(),
    namespace: z.string().optional(),
    passSecretName: z.string().optional(),
    passSecretKey: z.string().optional(),
    target: target.optional(),
    keepPasswords: z.boolean().optional(),
    pauseAtTarget: z.boolean().optional(),
    replacing: z.string().optional(),
  }).optional(),
});

export type BootstrapSpec = z.infer<typeof bootstrapSpecShape>;

function toTarget(given: z.infer<typeof target>): RecoveryTarget {
  const { time, lsn, transaction, restorePoint } = given;
  const options: RecoveryTargetOptions = present({
    exclusive: given.exclusive, timeline: given.timeline, after: given.after,
  });
  if (time !== undefined) return RecoveryTarget.time(time, options);
  if (lsn !== undefined) return RecoveryTarget.lsn(lsn, options);
  if (transaction !== undefined) return RecoveryTarget.transaction(String(transaction), options);
  return restorePoint === undefined ? RecoveryTarget.latest() : RecoveryTarget.restorePoint(restorePoint, options);
}

/** The beginning of a cluster. */
export function toBootstrap({ superseding, putBack, recover }: BootstrapSpec,
  storages: ReadonlyMap<string, BackupStorage>): Bootstrap {
  if (putBack !== undefined) return Bootstrap.putBack(putBack);
  if (!recover) return Bootstrap.fresh(superseding!);
  const { clusterName, namespace, passSecretName, passSecretKey, keepPasswords, pauseAtTarget, replacing } = recover;
  const source = present({ clusterName, namespace, passSecretName, passSecretKey });
  return Bootstrap.recover(present({
    from: RecoverySource.storage(storageNamed(recover.storageName, storages), source),
    target: recover.target && toTarget(recover.target),
    keepPasswords, pauseAtTarget, replacing,
  }));
}
