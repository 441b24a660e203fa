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

const recovery = z.strictObject({
  storageName: z.string(),
  clusterName: z.string(),
  namespace: z.string().optional(),
  passSecretName: z.string().optional(),
  passSecretKey: z.string().optional(),
  keepPasswords: z.boolean().optional(),
});

export const bootstrapSpecShape = z.strictObject({
  superseding: z.string().optional(),
  putBack: z.string().optional(),
  recover: recovery.extend({
    target: target.optional(),
    pauseAtTarget: z.boolean().optional(),
    replacing: z.string().optional(),
    snapshot: z.string().optional(),
  }).optional(),
});

export type BootstrapSpec = z.infer<typeof bootstrapSpecShape>;

/** Of a cluster that replicates by Galera, whose transactions have GTIDs. */
export const galeraBootstrapSpecShape = z.strictObject({
  putBack: z.string().optional(),
  recover: recovery.extend({
    target: z.strictObject({
      latest: z.literal(true).optional(),
      time: z.string().optional(),
      transaction: z.string().optional(),
      exclusive: z.boolean().optional(),
      skipTransactions: z.array(z.string()).optional(),
    }).optional(),
    replacing: z.string().optional(),
  }).optional(),
});

type Target = z.infer<typeof target> & { readonly skipTransactions?: string[] };

function toTarget(given: Target): RecoveryTarget {
  const { time, lsn, transaction, restorePoint } = given;
  const options: RecoveryTargetOptions = present({
    exclusive: given.exclusive, timeline: given.timeline, after: given.after, skipTransactions: given.skipTransactions,
  });
  if (time !== undefined) return RecoveryTarget.time(time, options);
  if (lsn !== undefined) return RecoveryTarget.lsn(lsn, options);
  if (transaction !== undefined) return RecoveryTarget.transaction(String(transaction), options);
  if (restorePoint !== undefined) return RecoveryTarget.restorePoint(restorePoint, options);
  return RecoveryTarget.latest(options);
}

/** The beginning of a cluster. */
export function toBootstrap({ superseding, putBack, recover }: BootstrapSpec,
  storages: ReadonlyMap<string, BackupStorage>): Bootstrap {
  if (putBack !== undefined) return Bootstrap.putBack(putBack);
  if (!recover) return Bootstrap.fresh(superseding!);
  const { clusterName, namespace, passSecretName, passSecretKey, ...rest } = recover;
  const { keepPasswords, pauseAtTarget, replacing, snapshot } = rest;
  const source = present({ clusterName, namespace, passSecretName, passSecretKey });
  return Bootstrap.recover(present({
    from: RecoverySource.storage(storageNamed(recover.storageName, storages), source),
    target: recover.target && toTarget(recover.target),
    keepPasswords, pauseAtTarget, replacing, snapshot,
  }));
}
