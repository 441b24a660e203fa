import type { Finding } from '../../errors';
import { findingOf } from '../../rules/run';
import { SHAPE_TEXTS } from '../../rules/shape-texts';

/** apiVersion of OpenEverest's documents; the group kept its name when the project got a new one. */
export const OPENEVEREST_VERSION = 'everest.percona.com/v1alpha1';

/** OpenEverest's kinds that make nothing here, and what to do in their place. */
const REFUSED_KINDS: Readonly<Record<string, { readonly problem: string; readonly fix: string }>> = {
  DatabaseClusterBackup: {
    problem: 'a backup on demand is an order, not a state: Git would give it again and again',
    fix: 'Leave it out, and make the backup with: kubectl everest backup CLUSTER',
  },
  DatabaseClusterRestore: {
    problem: 'a restore in place is an order that replaces data; it is never taken from a document of this kind',
    fix: 'Leave it out; docs/guide/backups.md says how a cluster is brought back',
  },
  LoadBalancerConfig: {
    problem: 'it holds annotations for Services of type LoadBalancer, and none is made here',
    fix: 'Leave it out, and make a Service of your own in front of the cluster',
  },
  DataImporter: { problem: 'imports by a Job of an importer are not there', fix: 'Leave it out, and import into the running cluster' },
  DataImportJob: { problem: 'the operator makes it; nobody writes it', fix: 'Leave it out' },
  DatabaseEngine: {
    problem: 'it lists the versions that an operator offers, and there is no operator here',
    fix: 'Leave it out; the image catalog says which versions there are (docs/guide/images.md)',
  },
  SplitHorizonDNSConfig: { problem: 'it belongs to MongoDB, which is not supported', fix: 'Leave it out' },
};

/** The kinds that are read. */
export const OPENEVEREST_KINDS = ['DatabaseCluster', 'BackupStorage', 'MonitoringConfig', 'PodSchedulingPolicy'] as const;
export type OpenEverestKind = typeof OPENEVEREST_KINDS[number];

/** Why a kind of OpenEverest is not read; nothing for those that are. */
export function refusedKind(kind: unknown): Finding[] {
  const refused = typeof kind === 'string' && Object.hasOwn(REFUSED_KINDS, kind) ? REFUSED_KINDS[kind] : undefined;
  return refused ? [findingOf(SHAPE_TEXTS.noCounterpart, {
    path: ['kind'], problem: `${String(kind)}: ${refused.problem}`, fix: refused.fix,
  })] : [];
}
