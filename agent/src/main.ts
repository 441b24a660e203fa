/** Composition root: reads the settings, makes the adapters, starts the loops, owns signals and exit codes. */
import { inClusterAccess, KubeHttp } from './adapters/kube-http.js';
import { PatroniHttp } from './adapters/patroni-http.js';
import { SystemClock } from './adapters/system-clock.js';
import { Tcp } from './adapters/tcp.js';
import { readConfig } from './config.js';
import { Log } from './log.js';
import { Agent } from './loop.js';

async function run(): Promise<void> {
  const config = readConfig(process.env);
  const log = new Log({ replica: config.podName });
  const clock = new SystemClock();
  const kube = new KubeHttp(inClusterAccess(process.env, clock), clock);
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  log.info('agent started', { namespace: config.namespace });
  await new Agent({ kube, network: new Tcp(), patroni: new PatroniHttp(), clock }, log).run(stop.signal);
  log.info('agent stopped');
}

run().then(() => process.exit(0), (problem: unknown) => {
  process.stderr.write(`${String((problem as Error).stack ?? problem)}\n`);
  process.exit(1);
});
