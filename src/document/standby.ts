import { z } from 'zod';
import type { BackupStorage } from '../backup-storage';
import { storageNamed } from './backup';
import { present } from './present';
import { RecoverySource } from '../recovery-source';
import { Standby } from '../standby';

/* Whether a cluster follows another one, in a DatabaseCluster. */

export const standbySpecShape = z.strictObject({
  promoted: z.boolean().optional(),
  storageName: z.string().optional(),
  clusterName: z.string().optional(),
  namespace: z.string().optional(),
  passSecretName: z.string().optional(),
  passSecretKey: z.string().optional(),
  host: z.string().optional(),
  port: z.number().optional(),
});

export type StandbySpec = z.infer<typeof standbySpecShape>;

/** A storage without a cluster's name is refused before. */
export function toStandby(spec: StandbySpec, storages: ReadonlyMap<string, BackupStorage>): Standby {
  if (spec.promoted) return Standby.promoted();
  const { storageName, clusterName, namespace, passSecretName, passSecretKey, host, port } = spec;
  const source = present({ clusterName: clusterName!, namespace, passSecretName, passSecretKey });
  const from = storageName === undefined ? undefined
    : RecoverySource.storage(storageNamed(storageName, storages), source);
  return Standby.of(present({ from, host, port }));
}
