/** Job mode: `agent.cjs backup …`, as the CronJobs call it: reads the order, makes adapters, gives the exit code. */
import { hostname } from 'node:os';
import { inClusterConfig, KubeClient } from './adapters/kube-client.js';
import { KubeExec } from './adapters/kube-exec.js';
import { KubeSnapshots } from './adapters/kube-snapshots.js';
import { SystemClock } from './adapters/system-clock.js';
import { BackupJob } from './backup-job.js';
import { readOrder } from './backup-order.js';
import { Log } from './log.js';

export async function backup(args: readonly string[]): Promise<number> {
  const order = readOrder(args);
  const config = inClusterConfig(process.env);
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
  const clock = new SystemClock();
  const kube = new KubeClient(config, namespace, clock);
  const ports = {
    clock, log: new Log({ cluster: order.cluster }),
    kube, exec: new KubeExec(config, namespace),
    snapshots: new KubeSnapshots(kube, config.getCurrentCluster()!.server, namespace),
    say: (text: string) => void process.stdout.write(`${text}\n`),
  };
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  return new BackupJob(ports, order, hostname()).run(stop.signal);
}
