/** `kubectl everest`: found by kubectl as `kubectl-everest` in the PATH. */
import { hostname, userInfo } from 'node:os';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { HELP, readRequest, UsageError, type Place, type Request } from './arguments.js';
import { BackupCommand } from './backup.js';
import { CommandError } from './command.js';
import { RestoreCommand } from './restore.js';
import { KubeClient } from '../adapters/kube-client.js';
import { KubeExec } from '../adapters/kube-exec.js';
import { KubeJobs } from '../adapters/kube-jobs.js';
import { KubePods } from '../adapters/kube-pods.js';
import { KubeSnapshots } from '../adapters/kube-snapshots.js';
import { SystemClock } from '../adapters/system-clock.js';
import { EXIT } from '../backup-job.js';
import { Log } from '../log.js';
import { KubeError } from '../ports/kube.js';

const say = (text: string) => void process.stdout.write(`${text}\n`);

function access({ context, kubeconfig }: Place): KubeConfig {
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
  } catch (problem) {
    throw new CommandError(`The kubeconfig cannot be read: ${(problem as Error).message}.`, { cause: problem });
  }
  if (context !== undefined) config.setCurrentContext(context);
  if (!config.getCurrentCluster()) throw new CommandError(`The kubeconfig names no cluster${context === undefined ? '' : ` for context ${context}`}.`);
  return config;
}

async function run(request: Request): Promise<number> {
  const config = access(request);
  const namespace = request.namespace ?? config.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
  const clock = new SystemClock();
  const kube = new KubeClient(config, namespace, clock);
  const { server } = config.getCurrentCluster()!;
  const ports = {
    kube, clock, namespace, say,
    jobs: new KubeJobs(kube, server, namespace),
    pods: new KubePods(kube, server, namespace),
    exec: new KubeExec(config, namespace),
    snapshots: new KubeSnapshots(kube, server, namespace),
    log: new Log({}, say),
    identity: `${userInfo().username}@${hostname()}`,
  };
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  const command = request.command === 'backup' ? new BackupCommand(ports, request) : new RestoreCommand(ports, request);
  return command.run(stop.signal);
}

function explain(problem: unknown): number {
  if (problem instanceof UsageError) {
    process.stderr.write(`${problem.message}\nkubectl everest --help tells more.\n`);
    return EXIT.refused;
  }
  const right = problem instanceof KubeError && problem.forbidden ? `\nYour account lacks the right: ${problem.verb} on ${problem.resource}.` : '';
  const isKnown = problem instanceof CommandError || problem instanceof KubeError;
  process.stderr.write(`${isKnown ? problem.message : String((problem as Error).stack ?? problem)}${right}\n`);
  return EXIT.failed;
}

async function main(): Promise<number> {
  const request = readRequest(process.argv.slice(2));
  if (request) return run(request);
  process.stdout.write(HELP);
  return EXIT.done;
}

main().catch(explain).then((code) => process.exit(code), () => process.exit(EXIT.failed));
