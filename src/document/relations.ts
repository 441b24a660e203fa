import type { Finding } from '../errors';
import type { GaleraSpec, PostgresqlSpec } from './shape';
import type { RuleText, Violation } from '../rules/rule';
import { findingOf } from '../rules/run';
import { SHAPE_TEXTS } from '../rules/shape-texts';

function finding(text: RuleText, violation: Violation): Finding {
  return findingOf(text, violation);
}

/** What documents of every engine have. */
type AnySpec = PostgresqlSpec | GaleraSpec;

/** Two spellings of one thing: either, not both. */
function twoSpellings(spec: AnySpec, one: keyof AnySpec, other: keyof AnySpec): Finding[] {
  return spec[one] === undefined || spec[other] === undefined ? [] : [finding(SHAPE_TEXTS.unknownField, {
    path: ['spec', other],
    problem: `${other} and ${one} say the same thing, and both are there`,
    consequence: 'One of them would have no effect',
    fix: `Keep ${one}`,
  })];
}

/** Parts of a document that belong to later versions: an error, since leaving them out in silence would be a lie. */
function notYet(spec: PostgresqlSpec): Finding[] {
  const parts = { monitoring: 'the monitoring sidecars' } as const;
  return (Object.keys(parts) as Array<keyof typeof parts>).filter((part) => spec[part] !== undefined).map((part) =>
    finding(SHAPE_TEXTS.notYet, { path: ['spec', part], problem: `${part} comes with ${parts[part]}` }));
}

function peerFindings(spec: AnySpec): Finding[] {
  return (['allowFrom', 'apiServer', 'dns'] as const).flatMap((field) => (spec.network?.[field] ?? []).flatMap((peer, index) => {
    const address = peer.cidr !== undefined;
    const pods = peer.podLabels !== undefined || peer.namespace !== undefined;
    return address !== pods ? [] : [finding(SHAPE_TEXTS.wrongChoice, {
      path: ['spec', 'network', field, index],
      problem: address ? 'cidr stands beside podLabels or namespace' : 'the peer names nobody',
      fix: 'Give either cidr, or podLabels, namespace or both',
    })];
  }));
}

function missingStorage(spec: AnySpec): Finding[] {
  return spec.storage ?? spec.volumeSpec ? [] : [finding(SHAPE_TEXTS.missingField, {
    path: ['spec'], problem: 'storage is missing; it is a map', fix: 'Add storage: {size: 100Gi}',
  })];
}

function antiAffinityTwice(spec: AnySpec): Finding[] {
  return spec.affinity && spec.placement?.antiAffinity ? [finding(SHAPE_TEXTS.unknownField, {
    path: ['spec', 'affinity'],
    problem: 'affinity and placement.antiAffinity say the same thing, and both are there',
    consequence: 'One of them would have no effect',
    fix: 'Keep placement.antiAffinity',
  })] : [];
}

function oneRetention({ backup }: AnySpec): Finding[] {
  if (backup?.retentionDays === undefined || backup.retentionCopies === undefined) return [];
  return [finding(SHAPE_TEXTS.unknownField, {
    path: ['spec', 'backup', 'retentionCopies'],
    problem: 'retentionDays and retentionCopies are both there',
    consequence: 'One of them would have no effect',
    fix: 'Keep one of them',
  })];
}

function oneCredentials({ credentials }: PostgresqlSpec): Finding[] {
  if (!credentials || (credentials.existingSecret === undefined) !== (credentials.external === undefined)) return [];
  return [finding(SHAPE_TEXTS.wrongChoice, {
    path: ['spec', 'credentials'],
    problem: credentials.external ? 'external stands beside existingSecret' : 'neither existingSecret nor external is there',
    fix: 'Give one of them, or leave credentials out',
  })];
}

/** A new beginning, or an old state: not both. */
function oneBeginning({ bootstrap }: PostgresqlSpec): Finding[] {
  if (!bootstrap) return [];
  return [
    ...oneWay(bootstrap, ['recover', 'superseding', 'putBack']),
    ...oneMoment(bootstrap.recover?.target, ['latest', 'time', 'lsn', 'transaction', 'restorePoint']),
  ];
}

function oneWay(bootstrap: object, known: readonly string[]): Finding[] {
  const ways = Object.keys(bootstrap);
  return ways.length === 1 ? [] : [finding(SHAPE_TEXTS.wrongChoice, {
    path: ['spec', 'bootstrap'], problem: `bootstrap has ${ways.length === 0 ? 'nothing in it' : ways.join(' and ')}`,
    fix: `Give one of ${known.join(', ')}, or leave bootstrap out`,
  })];
}

/** Of an old state. */
function oneMoment(target: object | undefined, kinds: readonly string[]): Finding[] {
  const named = Object.keys(target ?? {}).filter((key) => kinds.includes(key));
  if (!target || named.length === 1) return [];
  return [finding(SHAPE_TEXTS.wrongChoice, {
    path: ['spec', 'bootstrap', 'recover', 'target'],
    problem: named.length === 0 ? 'the target names no moment' : `the target is ${named.join(' and ')}`,
    fix: `Give one of ${kinds.join(', ')}`,
  })];
}

/** A cluster leads or follows, and a storage holds the backups of many clusters. */
function oneRole({ standby }: PostgresqlSpec): Finding[] {
  if (!standby) return [];
  const { promoted, storageName, clusterName, host } = standby;
  const at = (path: string[], problem: string, fix: string) => [finding(SHAPE_TEXTS.wrongChoice, { path: ['spec', 'standby', ...path], problem, fix })];
  if (promoted && (storageName ?? host) !== undefined) return at(['promoted'], 'promoted stands beside what is followed', 'Give one of the two');
  if (storageName !== undefined && clusterName === undefined) return at(['clusterName'], 'storageName stands without clusterName', 'Name the cluster that made the backups');
  return [];
}

/** Words about VolumeSnapshots, on a schedule of something else. */
function ofSnapshots({ backup }: AnySpec): Finding[] {
  return (backup?.schedules ?? []).flatMap((schedule, index) => (schedule.type === 'volumeSnapshot' ? []
    : (['snapshotClass', 'keep'] as const).filter((field) => schedule[field] !== undefined).map((field) => finding(SHAPE_TEXTS.unknownField, {
      path: ['spec', 'backup', 'schedules', index, field],
      problem: `${field} is for schedules of type volumeSnapshot, and this one is ${schedule.type ?? 'full'}`,
      consequence: 'It would have no effect',
      fix: 'Leave it out; how long backups stay says retentionDays or retentionCopies',
    }))));
}

function sharedRelations(spec: AnySpec): Finding[] {
  return [
    ...twoSpellings(spec, 'instances', 'replicas'),
    ...twoSpellings(spec, 'storage', 'volumeSpec'),
    ...antiAffinityTwice(spec),
    ...missingStorage(spec),
    ...oneRetention(spec),
    ...ofSnapshots(spec),
    ...peerFindings(spec),
  ];
}

/** What no single field shows. */
export function checkRelations(spec: PostgresqlSpec): Finding[] {
  return [...sharedRelations(spec), ...oneCredentials(spec), ...oneBeginning(spec), ...oneRole(spec), ...notYet(spec)];
}

function oneGaleraBeginning({ bootstrap }: GaleraSpec): Finding[] {
  if (!bootstrap) return [];
  return [...oneWay(bootstrap, ['recover', 'putBack']), ...oneMoment(bootstrap.recover?.target, ['latest', 'time', 'transaction'])];
}

/** The same of a document with an engine that replicates by Galera. */
export function checkGaleraRelations(spec: GaleraSpec): Finding[] {
  return [...sharedRelations(spec), ...oneGaleraBeginning(spec)];
}
