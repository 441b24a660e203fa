/** Job mode: `agent.cjs drill …`, as the CronJobs of restore drills call it. */
import { parseArgs } from 'node:util';
import { DrillSocket } from './adapters/drill-socket.js';
import { inClusterConfig, KubeClient } from './adapters/kube-client.js';
import { SystemClock } from './adapters/system-clock.js';
import { OrderError } from './backup-order.js';
import type { DrillOrder } from './decide/drill-verdict.js';
import { DrillJob } from './drill-job.js';
import { Log } from './log.js';
import { DRILL_SOCKET, type DrillTargetName } from '../../src/contract/drill.js';

export function readDrillOrder(args: readonly string[]): DrillOrder {
  const text = { type: 'string' } as const;
  const options = { cluster: text, drill: text, target: text, repository: text };
  const { values } = parseArgs({ args: [...args], options, strict: true });
  const { cluster, drill: name, target, repository } = values;
  const whole = cluster && name && (target === 'newest' || target === 'random') && /^[1-9]\d*$/.test(repository ?? '');
  if (!whole) throw new OrderError(`${JSON.stringify(values)} is no order of a drill; its CronJob gives --cluster, --drill, --target and --repository`);
  return { cluster, drill: name, target: target as DrillTargetName, repository: Number(repository) };
}

export async function drill(args: readonly string[]): Promise<number> {
  const order = readDrillOrder(args);
  const config = inClusterConfig(process.env);
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
  const clock = new SystemClock();
  const say = (text: string) => void process.stdout.write(`${text}\n`);
  const ports = {
    clock, namespace, say,
    kube: new KubeClient(config, namespace, clock), feed: new DrillSocket(DRILL_SOCKET),
    log: new Log({ cluster: order.cluster }),
  };
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  return new DrillJob(ports, order).run(stop.signal);
}
