/** What people do on purpose: drain a node, replace all members. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Fixture } from './fixture';
import { PATIENCE_S } from './fixture';
import { nodeOf } from '../../kit/postgres';
import type { Measure, Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

const exec = promisify(execFile);
const STALL: Measure = { what: 'longest time without an acknowledged write of a client whose statements may be repeated', goal: { max: 0.5 } };

export function plannedEvents(fixture: Fixture): SuiteEvent[] {
  return [
    { name: 'drain', measure: STALL, noErrors: true, run: (context) => drain(context, fixture) },
    { name: 'rollout', measure: STALL, noErrors: true, run: (context, run) => rollout(context, fixture, run) },
  ];
}

/** Only the members, since other work may share the machine. */
async function drain(context: SuiteContext, fixture: Fixture): Promise<Sample> {
  await fixture.ready(context, 'safe');
  const node = nodeOf(await fixture.cluster.writer());
  await context.faults.alone(async () => {
    await fixture.writerAwayFrom(node, 'safe');
    try {
      const selector = `--pod-selector=everest.io/cluster=${fixture.cluster.name},everest.io/component=member`;
      await exec('kubectl', ['drain', node, '--delete-emptydir-data', '--ignore-daemonsets', `--timeout=${PATIENCE_S}s`, selector]);
      await fixture.writer.untilWriting(PATIENCE_S);
    } finally {
      await exec('kubectl', ['uncordon', node]);
    }
  });
  return fixture.outcome(context, 'safe');
}

async function rollout(context: SuiteContext, fixture: Fixture, run: number): Promise<Sample> {
  await fixture.ready(context, 'safe');
  const old = new Set((await fixture.cluster.members()).map((pod) => pod.metadata?.uid));
  await fixture.apply(context, { cpu: `${101 + run}m` });
  await waitFor({ what: 'all members to be replaced', seconds: 3 * PATIENCE_S, everyMs: 1000 }, async () => {
    const left = (await fixture.cluster.members()).filter((pod) => old.has(pod.metadata?.uid));
    return left.length > 0 ? `${left.length} are the old ones` : undefined;
  });
  return fixture.outcome(context, 'safe');
}
