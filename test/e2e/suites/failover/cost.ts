/** What the agent costs while nothing happens, with one cluster and with a hundred. */
import { setTimeout as pause } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import type { Fixture } from './fixture';
import type { AuditEntry } from '../../kit/audit';
import { parseAudit, requests } from '../../kit/audit';
import { nameOf } from '../../kit/postgres';
import type { Usage } from '../../kit/proc';
import { parseUsage } from '../../kit/proc';
import { SimulatedClusters } from '../../kit/simulated';
import type { Measure, Sample, SuiteContext, SuiteEvent } from '../../kit/suite';

const WINDOW_S = 60;
/** With many clusters each waits longer between two looks; in this time each of them has looked at its Secrets once. */
const LONG_WINDOW_S = 300;
const SIMULATED = 99;

const memory = (max: number): Measure => ({ what: 'resident memory of the larger one of the agent\'s Pods', unit: 'MiB', goal: { max } });
const REQUESTS: Measure = { what: 'API requests of the busier Pod for each second, by the audit log, renewals of the Lease included', unit: '1/s', goal: { max: 1 } };
const CPU: Measure = { what: 'CPU time of the busier Pod, of one core', unit: '%', goal: { max: 2 } };

export function costEvents(fixture: Fixture): SuiteEvent[] {
  const event = (name: string, max: number, run: SuiteEvent['run']): SuiteEvent =>
    ({ name, once: true, measure: memory(max), figures: { requests: REQUESTS, cpu: CPU }, run });
  return [
    event('agent-cost-1', 100, async (context) => {
      await idle(context, fixture);
      const sample = await cost(context, fixture, () => pause(WINDOW_S * 1000)); // the length of the measurement
      await fixture.outcome(context); // so that the next event finds a cluster that is known to be well
      return sample;
    }),
    event('agent-cost-100', 160, async (context) => {
      await idle(context, fixture);
      const simulated = new SimulatedClusters(context.api, fixture.namespace, SIMULATED);
      context.reporter.progress(`making ${SIMULATED} simulated clusters: contracts, StatefulSets, Pods without a node, Patroni's ConfigMaps`);
      await simulated.create(process.env.E2E_STORAGE_CLASS ?? (await context.api.defaultStorageClass()) ?? '');
      // Ready says that the agent takes all of them for healthy.
      await Promise.all([fixture.agent.untilReady(300), simulated.renewUntilSettled(1200)]);
      const sample = await cost(context, fixture, () => simulated.renewFor(LONG_WINDOW_S));
      return { ...sample, note: `${SIMULATED} of 100 clusters simulated; ${sample.note}` };
    }),
  ];
}

/** All members well and no client at work. */
async function idle(context: SuiteContext, fixture: Fixture): Promise<void> {
  await fixture.ready(context);
  await fixture.writer.mark([]);
}

async function cost({ api, faults }: SuiteContext, fixture: Fixture, window: () => Promise<void>): Promise<Sample> {
  const pods = await fixture.agent.pods();
  const usage = async (pod: V1Pod): Promise<Usage> => {
    const target = { namespace: fixture.namespace, pod: nameOf(pod), container: 'agent' };
    const { stdout } = await api.exec(target, ['cat', '/proc/1/stat', '/proc/1/status']);
    return parseUsage(stdout);
  };
  const before = await Promise.all(pods.map(usage));
  const from = new Date().toISOString();
  const start = performance.now();
  await window();
  const seconds = (performance.now() - start) / 1000;
  const to = new Date().toISOString();
  const after = await Promise.all(pods.map(usage));
  const log = faults.available ? requests(parseAudit(await faults.auditOf(fixture.namespace))) : [];
  const meanwhile = log.filter(({ requestReceivedTimestamp: at }) => at >= from && at < to);
  const asked = pods.map((pod) => meanwhile.filter((entry) => isBy(entry, pod)).length / seconds);
  const cpu = after.map(({ cpuSeconds }, index) => ((cpuSeconds - before[index]!.cpuSeconds) / seconds) * 100);
  const list = (values: readonly number[]) => values.map((value) => value.toFixed(2)).join(' and ');
  return {
    value: Math.max(...after.map(({ mebibytes }) => mebibytes)),
    figures: { cpu: Math.max(...cpu), ...(faults.available ? { requests: Math.max(...asked) } : {}) },
    note: `MiB ${list(after.map(({ mebibytes }) => mebibytes))}; CPU % ${list(cpu)}; requests/s ${list(asked)}`,
  };
}

function isBy({ user }: AuditEntry, pod: V1Pod): boolean {
  return user.extra?.['authentication.kubernetes.io/pod-name']?.includes(nameOf(pod)) === true;
}
