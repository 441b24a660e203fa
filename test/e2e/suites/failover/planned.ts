/** What people do on purpose: hand over, replace, drain, set parameters. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ClientName, Fixture } from './fixture';
import { PATIENCE_S } from './fixture';
import { nodeOf } from '../../kit/postgres';
import type { Measure, Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

const exec = promisify(execFile);
const GOAL = { max: 1.5 };
const POOLED: Measure = { what: 'longest time that a client of the pooler waited for a row', goal: GOAL };
const DIRECT: Measure = { what: 'longest time without an acknowledged write of a client that reconnects', goal: GOAL };
const HOLDER: Measure = { what: 'the same for a client that never gives up its connection', goal: GOAL };
const DIRECT_CLIENTS: readonly ClientName[] = ['rw', 'holder'];

/** What the template asks for, in turns: a change that restarts nothing but the Pods. */
const CPU = ['100m', '110m'];
const CONNECTIONS = ['40', '32'];

type Work = (context: SuiteContext, fixture: Fixture) => Promise<void>;

interface Planned {
  readonly work: Work;
  /** The first one's gap is the result. */
  readonly clients: readonly ClientName[];
}

export function plannedEvents(fixture: Fixture): SuiteEvent[] {
  const handOver: Work = (_, f) => f.agent.switchover(f.cluster);
  const pooled = (name: string, work: Work): SuiteEvent =>
    ({ name, measure: POOLED, noErrors: true, run: (context) => planned(context, fixture, { work, clients: ['pooled'] }) });
  const direct = (name: string, work: Work): SuiteEvent => ({
    name, measure: DIRECT, figures: { holder: HOLDER },
    run: (context) => planned(context, fixture, { work, clients: DIRECT_CLIENTS }),
  });
  return [
    pooled('switchover-pooler', handOver), pooled('rollout-pooler', rollOut), pooled('drain-pooler', drain),
    direct('switchover', handOver), direct('rollout', rollOut),
    {
      name: 'parameter-restart',
      measure: { what: 'longest time without an acknowledged write while max_connections goes up, then down', goal: GOAL },
      figures: { gaps: { what: 'interruptions above 0.25 s for each change', unit: 'gaps', goal: { max: 1 } } },
      run: (context) => parameterRestart(context, fixture),
    },
  ];
}

/** Exactly one change of the primary, whatever the work is. */
async function planned(context: SuiteContext, fixture: Fixture, { work, clients }: Planned): Promise<Sample> {
  await fixture.ready(context, clients);
  const before = await fixture.cluster.timeline();
  await work(context, fixture);
  const { clients: statuses, ...sample } = await fixture.outcome(context, clients[0]!);
  const changes = (await fixture.cluster.timeline()) - before;
  if (changes !== 1) throw new Error(`the primary changed ${changes} times instead of once; longest gap ${sample.value} s`);
  return clients.includes('holder') ? { ...sample, figures: { holder: statuses.holder!.longestGap } } : sample;
}

/** Another request for CPU in the template: every member is replaced. */
async function rollOut(context: SuiteContext, fixture: Fixture): Promise<void> {
  const members = await fixture.cluster.members();
  const now = members[0]?.spec?.containers[0]?.resources?.requests?.cpu;
  await fixture.apply(context, { cpu: CPU.find((cpu) => cpu !== now)! });
  await fixture.untilReplaced(members);
}

/** Only the Pods of this cluster, since other work may share the machine. */
async function drain(context: SuiteContext, fixture: Fixture): Promise<void> {
  const { faults } = context;
  await faults.alone(async () => {
    const primary = await fixture.cluster.primary();
    const node = nodeOf(primary);
    await fixture.writerAwayFrom(node);
    try {
      await kubectl('drain', node, '--delete-emptydir-data', '--ignore-daemonsets', `--timeout=${PATIENCE_S}s`,
        `--pod-selector=everest.io/cluster=${fixture.cluster.name}`);
      await fixture.writer.untilWriting(PATIENCE_S);
    } finally {
      await kubectl('uncordon', node);
    }
  });
}

async function kubectl(...args: string[]): Promise<void> {
  await exec('kubectl', args).catch((problem: { code?: unknown; stderr?: string }) => {
    if (problem.code === 'ENOENT') throw new Skip('kubectl is not on the PATH');
    throw new Error(`kubectl ${args[0]}: ${problem.stderr}`);
  });
}

/** Raised, standbys must know the new value first; lowered, the primary must: both ways are of their own kind. */
async function parameterRestart(context: SuiteContext, fixture: Fixture): Promise<Sample> {
  await fixture.ready(context);
  const samples: Sample[] = [];
  const gaps: number[] = [];
  for (const value of CONNECTIONS) {
    await fixture.mark();
    await fixture.apply(context, { parameters: { max_connections: value } });
    await waitFor({ what: `max_connections ${value} on every member`, seconds: PATIENCE_S, everyMs: 500 }, () => lacking(fixture, value));
    const { clients, ...sample } = await fixture.outcome(context);
    samples.push(sample);
    gaps.push(clients.rw!.gaps.filter((gap) => gap > 0.25).length);
  }
  const worst = samples.reduce((a, b) => (a.value > b.value ? a : b));
  return {
    ...worst,
    lost: Math.max(...samples.map((sample) => sample.lost ?? 0)),
    figures: { gaps: Math.max(...gaps) },
    note: `up ${samples[0]!.value.toFixed(2)} s, down ${samples[1]!.value.toFixed(2)} s`,
  };
}

async function lacking(fixture: Fixture, value: string): Promise<string | undefined> {
  const values = await Promise.all((await fixture.cluster.members()).map((pod) => fixture.cluster.sql(pod, 'SHOW max_connections')));
  return values.every((each) => each === value) ? undefined : `they have ${values.join(', ')}`;
}
