import { agentNeeded } from './agent-needed';
import { backupNumbers, backupStorage, bootstrapValid } from './backup-valid';
import { clusterNameLength } from './cluster-name-length';
import { clusterNameValid } from './cluster-name-valid';
import { commitPossible } from './commit-possible';
import { databaseNames } from './database-names';
import { disruptionValid } from './disruption-valid';
import { DRILLS_OF_PROPS } from './drill-valid';
import { extensionsValid } from './extensions-valid';
import { groupNames } from './group-names';
import { hbaValid } from './hba-valid';
import { imageValid } from './image-valid';
import { instancesRange } from './instances-range';
import { kubernetesVersion } from './kubernetes-version';
import { limitsAboveRequests } from './limits-above-requests';
import { memoryFits } from './memory-fits';
import { metadataReserved } from './metadata-reserved';
import { metadataValid } from './metadata-valid';
import { namespaceValid } from './namespace-valid';
import { networkValid } from './network-valid';
import { parameterConsistent } from './parameter-consistent';
import { parameterKnown } from './parameter-known';
import { parameterOwned } from './parameter-owned';
import { parameterValue } from './parameter-value';
import { placementValid } from './placement-valid';
import { quantityValid } from './quantity-valid';
import { quorumOdd } from './quorum-odd';
import { recoverySourceValid, recoveryTargetValid, restorePossible, snapshotRecovery } from './recovery-valid';
import { rolesValid } from './roles-valid';
import { rotationValid } from './rotation-valid';
import type { PostgresRule } from './rule';
import { SCHEDULES_OF_PROPS } from './schedule-valid';
import { secretNames } from './secret-names';
import { standbyValid } from './standby-valid';
import { storageSize } from './storage-size';
import { timingValid } from './timing-valid';
import { versionInCatalog } from './version-in-catalog';

/** Rules about what clusters of every engine have. */
export const COMMON_RULES: readonly PostgresRule[] = [
  clusterNameValid, clusterNameLength, namespaceValid, metadataValid, metadataReserved,
  quantityValid, limitsAboveRequests, kubernetesVersion, placementValid, disruptionValid, networkValid, secretNames,
];

/** Rules about backups of every engine. */
export const BACKUP_RULES: readonly PostgresRule[] = [
  ...SCHEDULES_OF_PROPS, backupNumbers, backupStorage, ...DRILLS_OF_PROPS,
];

/** All rules about one PostgresCluster, by code. */
export const POSTGRES_RULES: readonly PostgresRule[] = [
  clusterNameValid, clusterNameLength, namespaceValid, metadataValid, metadataReserved,
  instancesRange, quorumOdd, commitPossible, quantityValid, limitsAboveRequests, memoryFits, storageSize,
  parameterOwned, parameterKnown, parameterValue, parameterConsistent, timingValid, hbaValid, databaseNames,
  rolesValid, extensionsValid, agentNeeded,
  versionInCatalog, imageValid, kubernetesVersion,
  placementValid, groupNames, disruptionValid, networkValid, secretNames, rotationValid,
  ...BACKUP_RULES, bootstrapValid,
  recoveryTargetValid, recoverySourceValid, restorePossible, snapshotRecovery, standbyValid,
];
