/**
 * Composition root: reads the settings, makes the adapters, starts the loops, owns signals and exit codes. The first
 * argument is the mode: the controller, or the Job of a backup or of a drill.
 */
import { GaleraHttp } from './adapters/galera-http.js';
import { inClusterConfig, KubeClient } from './adapters/kube-client.js';
import { PatroniHttp } from './adapters/patroni-http.js';
import { SqlByPg } from './adapters/sql-pg.js';
import { SystemClock } from './adapters/system-clock.js';
import { Tcp } from './adapters/tcp.js';
import { readConfig } from './config.js';
import { serve } from './http.js';
import { LeaderLease } from './lease.js';
import { Log } from './log.js';
import { Agent } from './loop.js';
import { Metrics } from './metrics.js';

/** Longer than any call may take: the event loop itself stands still. */
const STALLED_MS = 30_000;

function textOf(problems: string[]): { ok: boolean; text: string } {
  return { ok: problems.length === 0, text: problems.length === 0 ? 'ok' : problems.join('\n') };
}

/** A timer that is late tells of a process that cannot keep up. */
function watchdog(clock: SystemClock, signal: AbortSignal): () => boolean {
  let turnedAtMs = clock.nowMs();
  const timer = setInterval(() => {
    turnedAtMs = clock.nowMs();
  }, 1000);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  return () => clock.nowMs() - turnedAtMs < STALLED_MS;
}

async function run(): Promise<void> {
  const config = readConfig(process.env);
  const log = new Log({ replica: config.podName });
  const clock = new SystemClock();
  const kube = new KubeClient(inClusterConfig(process.env), config.namespace, clock);
  const metrics = new Metrics();
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  const lease = new LeaderLease({ kube, clock, log }, { lease: config.name, identity: config.podName }, (held) => {
    log.info(held ? 'holds the Lease: does the planned work' : 'does not hold the Lease');
    agent.nudge();
  });
  const ports = {
    kube, network: new Tcp(), patroni: new PatroniHttp(), members: new GaleraHttp(), sql: new SqlByPg(), clock,
  };
  const { name, namespace, watchNodes } = config;
  const agent = new Agent({ ports, log, metrics, name, namespace, watchNodes, holdsLease: () => lease.held });
  const turns = watchdog(clock, stop.signal);
  const server = serve(config.port, {
    alive: () => ({ ok: turns(), text: turns() ? 'ok' : 'the process stands still' }),
    ready: () => textOf(agent.unwell()),
    metrics: () => {
      metrics.set('everest_agent_leader', {}, lease.held ? 1 : 0);
      metrics.set('everest_agent_api_requests_total', {}, kube.requests);
      return metrics.render();
    },
  });
  log.info('agent started', { namespace: config.namespace });
  await Promise.all([agent.run(stop.signal), lease.run(stop.signal)]);
  server.close();
  log.info('agent stopped');
}

/** What a mode needs beyond the controller is loaded only for it. */
async function start([mode = 'run', ...args]: readonly string[]): Promise<number> {
  if (mode === 'run') await run();
  else if (mode === 'backup') return (await import('./backup-main.js')).backup(args);
  else if (mode === 'drill') return (await import('./drill-main.js')).drill(args);
  else throw new Error(`${mode} is no mode of the agent; there are run, backup and drill`);
  return 0;
}

start(process.argv.slice(2)).then((code) => process.exit(code), (problem: unknown) => {
  const { exitCode, message, stack } = problem as Error & { exitCode?: number };
  // What somebody asked for wrongly is no fault of the program.
  process.stderr.write(`${exitCode === undefined ? stack ?? String(problem) : message}\n`);
  process.exit(exitCode ?? 1);
});
