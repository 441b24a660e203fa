import type { OpenEverestSpec } from './shape';
import type { Finding } from '../../errors';
import { parseQuantity } from '../../quantity';
import { findingOf } from '../../rules/run';
import { SHAPE_TEXTS } from '../../rules/shape-texts';

/*
 * What OpenEverest's server and webhooks check and the shape does not show. A document that passes there passes here.
 */

type Path = Array<string | number>;
type Quantity = string | number;

function refuse(path: Path, problem: string, fix: string): Finding[] {
  return [findingOf(SHAPE_TEXTS.openEverest, { path: ['spec', ...path], problem, fix })];
}

/** Smallest values that OpenEverest's server takes. */
const FLOORS = { cpu: ['600m', 0.6], memory: ['512M', 512e6], disk: ['1G', 1e9] } as const;

function floor(path: Path, kind: keyof typeof FLOORS, given: Quantity | undefined): Finding[] {
  const amount = given === undefined ? undefined : parseQuantity(String(given));
  const [text, least] = FLOORS[kind];
  // What is no quantity at all is told by the rule about quantities.
  return amount === undefined || amount >= least ? []
    : refuse(path, `${String(path.at(-1))} is ${String(given)}, and OpenEverest takes ${text} or more`,
      `Set it to ${text} or more, or say allowUnsafeConfiguration: true`);
}

function floors({ engine, allowUnsafeConfiguration }: OpenEverestSpec): Finding[] {
  if (allowUnsafeConfiguration) return [];
  const { limits, cpu, memory } = engine.resources ?? {};
  const path = ['engine', 'resources'];
  return [
    ...floor(['engine', 'storage', 'size'], 'disk', engine.storage.size),
    ...(limits?.cpu === undefined ? floor([...path, 'cpu'], 'cpu', cpu) : floor([...path, 'limits', 'cpu'], 'cpu', limits.cpu)),
    ...(limits?.memory === undefined ? floor([...path, 'memory'], 'memory', memory) : floor([...path, 'limits', 'memory'], 'memory', limits.memory)),
  ];
}

function replicas({ engine: { type, replicas: count } }: OpenEverestSpec): Finding[] {
  if (type !== 'pxc' || count === undefined || [1, 3, 5].includes(count)) return [];
  return refuse(['engine', 'replicas'], `replicas is ${count}, and a pxc cluster has 1, 3 or 5`, 'Use 3 or 5');
}

const PROXIES = { postgresql: ['pgbouncer'], pxc: ['haproxy', 'proxysql'] } as const;

function proxy({ engine, proxy: given }: OpenEverestSpec): Finding[] {
  const fitting: readonly string[] = PROXIES[engine.type];
  if (given?.type !== undefined && !fitting.includes(given.type)) {
    return refuse(['proxy', 'type'], `${given.type} does not belong to ${engine.type}`, `Use ${fitting.join(' or ')}`);
  }
  const tooFew = engine.type === 'pxc' && (engine.replicas ?? 3) > 1 && given?.replicas !== undefined && given.replicas < 2;
  return tooFew ? refuse(['proxy', 'replicas'], `replicas is ${given.replicas}, and more than one member needs 2 proxies or more`, 'Use 2 or more') : [];
}

function duplicates({ engine, backup }: OpenEverestSpec): Finding[] {
  const schedules = backup?.schedules ?? [];
  return schedules.flatMap(({ schedule, backupStorageName }, index) => {
    const before = schedules.slice(0, index);
    const path = ['backup', 'schedules', index];
    if (before.some((other) => other.schedule === schedule)) {
      return refuse([...path, 'schedule'], `two schedules say ${JSON.stringify(schedule)}`, 'Give each a time of its own');
    }
    return engine.type === 'postgresql' && before.some((other) => other.backupStorageName === backupStorageName)
      ? refuse([...path, 'backupStorageName'], `two schedules of a postgresql cluster go to ${JSON.stringify(backupStorageName)}`,
        'Give each schedule a storage of its own, or keep one of them') : [];
  });
}

function switchedOff({ backup }: OpenEverestSpec): Finding[] {
  const wanted = backup?.pitr?.enabled || backup?.schedules?.some(({ enabled }) => enabled);
  const active = backup?.enabled === false && wanted;
  return active ? refuse(['backup', 'enabled'], 'enabled is false, and schedules or pitr are enabled', 'Leave backup.enabled out: schedules and pitr decide') : [];
}

/** Storages that schedules name, each once. */
function scheduledStorages({ backup }: OpenEverestSpec): string[] {
  return [...new Set((backup?.schedules ?? []).map(({ backupStorageName }) => backupStorageName))];
}

function recoveryStorage({ engine, backup }: OpenEverestSpec, known: readonly string[]): Finding[] {
  const name = backup?.pitr?.backupStorageName ?? '';
  const path = ['backup', 'pitr', 'backupStorageName'];
  if (name === '') return engine.type === 'pxc' ? refuse(path, 'pitr is enabled, and no storage is named', 'Name a storage') : [];
  return engine.type === 'postgresql' && !known.includes(name)
    ? refuse(path, `pitr goes to ${JSON.stringify(name)}, and no schedule does`, `Name one of ${known.join(', ')}: the write-ahead log lies beside the backups`) : [];
}

function recovery(spec: OpenEverestSpec): Finding[] {
  if (!spec.backup?.pitr?.enabled) return [];
  const known = scheduledStorages(spec);
  return known.length > 0 ? recoveryStorage(spec, known)
    : refuse(['backup', 'pitr', 'enabled'], 'pitr is enabled, and there is no schedule: nothing could be recovered without a backup', 'Add a schedule, or write enabled: false');
}

/** What OpenEverest itself would refuse. */
export function checkOpenEverest(spec: OpenEverestSpec): Finding[] {
  return [
    ...floors(spec), ...replicas(spec), ...proxy(spec), ...duplicates(spec), ...switchedOff(spec), ...recovery(spec),
  ];
}
