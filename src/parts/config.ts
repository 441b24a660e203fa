import { metadata, type Manifest } from './manifest';
import { CONTRACT_VERSION } from '../contract/document';
import { LABEL } from '../contract/labels';
import { configName, contractName } from '../contract/names';
import { FILES, groupFileName } from '../render/files';
import { renderMemberDocument, renderPatroni, renderUnpromotable } from '../render/patroni';
import { renderPgbackrest } from '../render/pgbackrest';
import { renderArchiveScript, renderKubeScript, renderMemberScript, renderRecoveryScript, renderSnapshotScript } from '../render/script';
import type { ClusterIdentity } from '../resolve/identity';
import type { ResolvedPostgres } from '../resolve/postgres';

/** A ConfigMap of a cluster. */
export function configMap(cluster: ClusterIdentity, name: string, data: Record<string, unknown>,
  labels = {}): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(cluster, name, { labels }), data };
}

/** Patroni's configuration and the script that starts it. */
export function memberConfig(cluster: ResolvedPostgres): Manifest {
  const groups = cluster.groups.filter((group) => !group.promotable);
  return configMap(cluster, configName(cluster.name), {
    [FILES.patroni]: renderPatroni(cluster),
    [FILES.member]: renderMemberDocument(cluster),
    [FILES.script]: renderMemberScript(),
    [FILES.kube]: renderKubeScript(),
    [FILES.recovery]: renderRecoveryScript(),
    [FILES.snapshot]: renderSnapshotScript(),
    [FILES.pgbackrest]: renderPgbackrest(cluster),
    [FILES.archive]: renderArchiveScript(),
    ...Object.fromEntries(groups.map((group) => [groupFileName(group.name), renderUnpromotable()])),
  });
}

/** What the manifests promise, for whatever works on the living cluster; a text, or a token that becomes one. */
export function contract(cluster: ClusterIdentity & { readonly agent?: string }, document: unknown): Manifest {
  const labels = {
    [LABEL.contract]: `v${CONTRACT_VERSION}`, ...(cluster.agent === undefined ? {} : { [LABEL.agent]: cluster.agent }),
  };
  return configMap(cluster, contractName(cluster.name), { 'contract.json': document }, labels);
}
