import { galeraBackup } from './galera-backup';
import { galeraDatabaseNames, galeraImage, galeraSecrets, galeraVersion } from './galera-identity';
import { galeraMemory, galeraParameterKnown, galeraParameterOwned, galeraParameterValue } from './galera-parameters';
import { galeraRecovery } from './galera-recovery';
import { galeraRoles } from './galera-roles';
import { galeraMembers, galeraProxy, galeraStorage } from './galera-size';
import type { GaleraRule } from './rule';

/** All rules about one MariaDbCluster or PxcCluster beside those about every cluster, by code. */
export const GALERA_RULES: readonly GaleraRule[] = [
  galeraMembers, galeraStorage, galeraProxy,
  galeraParameterOwned, galeraParameterKnown, galeraParameterValue, galeraMemory,
  galeraVersion, galeraImage, galeraDatabaseNames, galeraRoles, galeraSecrets,
  galeraBackup, galeraRecovery,
];
