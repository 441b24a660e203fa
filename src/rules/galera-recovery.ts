import { keysOfSecret, storageViolations } from './backup-valid';
import { nameViolations, sourceNames } from './recovery-valid';
import type { GaleraRule, GaleraRuleInput, Violation } from './rule';
import type { RecoveryOptions } from '../bootstrap';
import type { RecoveryTarget } from '../recovery-target';
import { resolveRepository } from '../resolve/backup';
import { wholeSeconds } from '../resolve/galera-recovery';
import { sourceRepository } from '../resolve/recovery';

const TARGET = ['bootstrap', 'recovery', 'target'];
const SOURCE = ['bootstrap', 'recovery', 'from'];
/** How each engine names a transaction. */
const GTIDS = {
  'mariadb': { pattern: /^\d{1,10}-\d{1,10}-[1-9]\d{0,19}$/, fix: 'Write it as SELECT @@last_gtid shows it, such as 1-1-4711' },
  'percona-xtradb-cluster': {
    pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[1-9]\d{0,18}$/,
    fix: 'Write one transaction as the binary log shows it, such as 3e11fa47-71ca-11e1-9e33-c80aa9429562:4711',
  },
} as const;
type Engine = keyof typeof GTIDS;

function valueViolations(engine: Engine, { type, value }: RecoveryTarget): Violation[] {
  const { pattern, fix: spelling } = GTIDS[engine];
  const told = (problem: string, fix: string) => [{ path: TARGET, problem, fix }];
  if (type === 'latest') return [];
  if (type === 'time') {
    return wholeSeconds(value) === undefined
      ? told(`the target (time) is ${JSON.stringify(value)}`, 'Write ISO 8601 with a zone, such as 2026-03-01T12:00:00Z') : [];
  }
  if (type === 'xid') return pattern.test(value) ? [] : told(`the target (transaction) is ${JSON.stringify(value)}`, spelling);
  return told(`a Galera cluster has no target of the kind ${type}`, 'Use RecoveryTarget.latest(), .time() or .transaction() with a GTID');
}

function optionViolations(engine: Engine, { type, options }: RecoveryTarget): Violation[] {
  const { pattern, fix: spelling } = GTIDS[engine];
  const { exclusive, timeline, after, skipTransactions = [] } = options;
  const told = (problem: string, fix: string) => ({ path: TARGET, problem, fix });
  return [
    ...(exclusive && type === 'time' ? [told('exclusive is set for a time', 'Name the second before')] : []),
    ...(timeline === undefined ? [] : [told('timeline is set, and a Galera cluster has none', 'Leave timeline out')]),
    ...(after === undefined ? [] : [told('after is set, and GTIDs tell where a transaction is', 'Leave after out')]),
    ...skipTransactions.filter((gtid) => !pattern.test(gtid)).map((gtid) => told(`skipTransactions has ${JSON.stringify(gtid)}`, spelling)),
  ];
}

/** Of PostgreSQL only. */
function foreignViolations({ pauseAtTarget, snapshot }: RecoveryOptions): Violation[] {
  const given = Object.entries({ pauseAtTarget, snapshot }).filter(([, value]) => value !== undefined);
  return given.map(([name]) =>
    ({ path: ['bootstrap', 'recovery', name], problem: `${name} is set, which is for PostgreSQL`, fix: `Leave ${name} out` }));
}

function ownPath({ clusterName, namespace, props }: GaleraRuleInput, recovery: RecoveryOptions): Violation[] {
  const { backup } = props;
  if (!backup) return [];
  const source = sourceRepository(namespace, recovery);
  return resolveRepository({ name: clusterName, namespace }, 1, backup).identity === source.identity ? [{
    path: SOURCE, problem: `the cluster would archive to ${source.url}, which it is recovered from`,
    fix: 'Give backup.storage another prefix; the old archive is then only read',
  }] : [];
}

/** Until it is done the cluster goes on in its old archive, which is known by where the restore comes from. */
function ownSource({ clusterName, namespace }: GaleraRuleInput, recovery: RecoveryOptions): Violation[] {
  const { from: { options }, replacing } = recovery;
  const isOwn = options.clusterName === clusterName && (options.namespace ?? namespace) === namespace;
  return replacing === undefined || isOwn ? [] : [{
    path: SOURCE, problem: `${replacing} would restore ${options.clusterName} in place of ${clusterName}`,
    fix: 'Recover it into a cluster of another name',
  }];
}

function sourceViolations(input: GaleraRuleInput, recovery: RecoveryOptions): Violation[] {
  const { backupStorage, options } = recovery.from;
  const path = [...SOURCE, 'backupStorage'];
  const malformed = [
    ...storageViolations(path, backupStorage), ...keysOfSecret(path, backupStorage), ...sourceNames(options),
  ];
  return malformed.length > 0 ? malformed : [...ownPath(input, recovery), ...ownSource(input, recovery)];
}

export const galeraRecovery: GaleraRule = {
  code: 'EV2302',
  title: 'A recovery that Galera clusters do not have here',
  cause: 'bootstrap of a MariaDbCluster or a PxcCluster names a target that the server does not know, a storage that cannot be, the archive that the cluster itself writes to, or a name that is no short DNS label; or it asks for something that only PostgreSQL has here.',
  consequence: 'The cluster would be recovered to another moment than was meant, or members would wait for ever',
  fix: 'Use Bootstrap.recover() with a time, or with the GTID of a transaction, and Bootstrap.putBack() with the name of a restore',
  check: (input) => {
    const { engine, props: { bootstrap } } = input;
    if (!bootstrap) return [];
    if (bootstrap.replaced !== undefined) return nameViolations(['bootstrap', 'replaced'], bootstrap.replaced);
    if (!bootstrap.recovery) return [{ path: ['bootstrap'], problem: `Bootstrap.${bootstrap.method}() is for PostgreSQL`, fix: 'Leave bootstrap out, and give backup.storage another prefix' }];
    const { target } = bootstrap.recovery;
    return [
      ...(target ? [...valueViolations(engine, target), ...optionViolations(engine, target)] : []),
      ...foreignViolations(bootstrap.recovery),
      ...nameViolations(['bootstrap', 'recovery', 'replacing'], bootstrap.recovery.replacing),
      ...sourceViolations(input, bootstrap.recovery),
    ];
  },
};
