/**
 * Names of the objects of a cluster. Explicit and free of construct paths, so that a refactoring never orphans a
 * volume.
 */

/** A StatefulSet's name plus its revision hash (11 characters) becomes a label value, which ends at 63. */
export const MEMBER_NAME_LIMIT = 52;

/** Where objects go when nobody names a namespace: the one that kubectl takes too. */
export const DEFAULT_NAMESPACE = 'default';

/** Group whose members are called `<cluster>-1`, `<cluster>-2` …; all other groups carry their name. */
export const DEFAULT_GROUP = 'default';

export function memberName(cluster: string, group: string, ordinal: number): string {
  return group === DEFAULT_GROUP ? `${cluster}-${ordinal}` : `${cluster}-${group}-${ordinal}`;
}

/** A member's StatefulSet has one replica, so its Pod always ends in -0. */
export function podName(member: string): string {
  return `${member}-0`;
}

export function volumeName(member: string, volume: 'data' | 'wal'): string {
  return `${member}-${volume}`;
}

export function primaryServiceName(cluster: string): string {
  return `${cluster}-rw`;
}

export function replicaServiceName(cluster: string): string {
  return `${cluster}-ro`;
}

export function membersServiceName(cluster: string): string {
  return `${cluster}-members`;
}

export function configName(cluster: string): string {
  return `${cluster}-postgres`;
}

export function contractName(cluster: string): string {
  return `${cluster}-contract`;
}

export function credentialsName(cluster: string): string {
  return `${cluster}-credentials`;
}

/** Secret with the connection of one database owner; `_` is legal in a role and not in an object's name. */
export function ownerSecretName(cluster: string, owner: string): string {
  return `${cluster}-${owner.toLowerCase().replace(/_/g, '-')}`;
}

/** Deployment, Service and configuration of one pooler. */
export function poolerName(cluster: string, pooler: string): string {
  return `${cluster}-pooler-${pooler}`;
}

/** Role, binding and policy by which the agent reaches a cluster. */
export function agentAccessName(cluster: string): string {
  return `${cluster}-agent`;
}

/** ServiceAccount, Role and lock of a cluster's backup Jobs, and the first part of their CronJobs' names. */
export function backupName(cluster: string): string {
  return `${cluster}-backup`;
}

/** All objects of a restore drill; the one without a name is `<cluster>-drill`. */
export function drillName(cluster: string, drill?: string): string {
  return drill === undefined ? `${cluster}-drill` : `${cluster}-drill-${drill}`;
}

/** Secret with the passes of encrypted repositories. */
export function backupPassName(cluster: string): string {
  return `${cluster}-backup-pass`;
}

/** ConfigMap that the agent fills. */
export function statusName(cluster: string): string {
  return `${cluster}-status`;
}

/** ConfigMap with the bootstraps of a Galera cluster. It stands in Git without data; the agent fills it. */
export function galeraRecordName(cluster: string): string {
  return `${cluster}-bootstraps`;
}

/** ConfigMap with the scripts and settings of a Galera cluster's members. */
export function galeraConfigName(cluster: string): string {
  return `${cluster}-galera`;
}

/** HAProxy of a Galera cluster: Deployment, configuration, budget and policy. */
export function proxyName(cluster: string): string {
  return `${cluster}-haproxy`;
}

/** What members of a Galera cluster need for their archive: Role and policy. */
export function archiveAccessName(cluster: string): string {
  return `${cluster}-archive`;
}

/** The collector of a Galera cluster's binary log. */
export function collectorName(cluster: string): string {
  return `${cluster}-binlog`;
}

/** Third voter of a Galera cluster of two. */
export function arbitratorName(cluster: string): string {
  return `${cluster}-arbitrator`;
}

/** Secret with the certificate of a Galera cluster's members. */
export function tlsName(cluster: string): string {
  return `${cluster}-tls`;
}

/** Patroni's dynamic configuration. */
export function dynamicConfigName(cluster: string): string {
  return `${cluster}-config`;
}

/** Patroni's lease. */
export function leaderName(cluster: string): string {
  return `${cluster}-leader`;
}

/** Patroni's planned failover or switchover. */
export function failoverName(cluster: string): string {
  return `${cluster}-failover`;
}

/** Patroni's list of synchronous standbys. */
export function syncName(cluster: string): string {
  return `${cluster}-sync`;
}

/** ConfigMaps that Patroni makes and owns. They must never be in Git. */
export function patroniObjectNames(cluster: string): string[] {
  return [dynamicConfigName(cluster), leaderName(cluster), failoverName(cluster), syncName(cluster)];
}
