import { App, Chart } from 'cdk8s';
import { EverestAgent, PostgresCluster } from '../../src';
import { patroniObjectNames } from '../../src/contract/names';
import { FILES } from '../../src/render/files';

/*
 * What kubectl commands of the pages may name. No cluster is asked: the objects are those of a cluster called orders
 * with every part that the pages speak of, what Kubernetes and Patroni make from them, and what the page declares.
 */
const VERBS = new Set(['annotate', 'apply', 'delete', 'describe', 'exec', 'get', 'label', 'logs', 'patch', 'run', 'wait']);
const PATRONICTL = new Set(['edit-config', 'list', 'pause', 'reinit', 'reload', 'restart', 'resume', 'show-config', 'switchover']);
const FLAGS_WITH_VALUE = new Set(['-n', '-l', '-L', '-o', '-c', '-p', '-f', '--type', '--image', '--overrides', '--labels']);

const KINDS: Readonly<Record<string, string>> = {
  configmap: 'ConfigMap', endpointslices: 'EndpointSlice', networkpolicy: 'NetworkPolicy', pdb: 'PodDisruptionBudget', pod: 'Pod', pods: 'Pod', pv: 'PersistentVolume',
  pvc: 'PersistentVolumeClaim', secret: 'Secret', service: 'Service', statefulset: 'StatefulSet', statefulsets: 'StatefulSet', namespace: 'Namespace',
};
/** Their names are decided by the cluster or by the reader. */
const NAMED_ELSEWHERE = new Set(['EndpointSlice', 'PersistentVolume', 'Namespace']);

/** `Kind/name` of all objects that a reader of the pages has. */
export function knownObjects(): Set<string> {
  const chart = new Chart(new App({ outdir: 'never-written' }), 'chart');
  const { objects } = new PostgresCluster(chart, 'orders', {
    instances: 5,
    agent: EverestAgent.fromAgentName(chart, 'agent', 'everest-agent'),
    storage: { size: '100Gi', walSize: '20Gi' },
    databases: [{ name: 'app' }, { name: 'orders', owner: 'orders_app' }],
    memberGroups: [{ name: 'spot', instances: 2, promotable: false }],
  });
  const names = objects.map(({ kind, name }) => `${kind}/${name}`);
  const pods = objects.filter(({ kind }) => kind === 'StatefulSet').map(({ name }) => `Pod/${name}-0`);
  return new Set(['Service/kubernetes', ...names, ...pods, ...patroniObjectNames('orders').map((name) => `ConfigMap/${name}`)]);
}

function split(args: readonly string[]): { positionals: string[]; command: string[]; flags: string[] } {
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  const positionals: string[] = [];
  const flags: string[] = [];
  for (let index = 0; index < own.length; index++) {
    const word = own[index]!;
    if (!word.startsWith('-') || word === '-') positionals.push(word);
    else flags.push(FLAGS_WITH_VALUE.has(word) ? `${word}=${own[++index] ?? ''}` : word);
  }
  return { positionals, flags, command: end < 0 ? [] : args.slice(end + 1) };
}

/** `pod/orders-1-0 pod/orders-2-0`, `pod orders-1-0 orders-2-0`; exec and logs take a bare Pod too. */
function referencesOf(verb: string, words: readonly string[]): Array<[type: string, name: string]> {
  if (verb === 'apply' || verb === 'run' || words.length === 0) return [];
  // `everest.io/rotate=now` is an annotation.
  const slashed = words.filter((word) => word.includes('/') && !word.includes('=')).map((word) => word.split('/', 2) as [string, string]);
  if (slashed.length > 0) return slashed;
  if (verb === 'exec' || verb === 'logs') return words.slice(0, 1).map((name) => ['pod', name]);
  const [types = '', ...names] = words;
  // The last words of label, annotate and wait are no names.
  const real = names.filter((name) => !/=|-$/.test(name));
  return types.split(',').flatMap((type): Array<[string, string]> => (real.length > 0 ? real.map((name) => [type, name]) : [[type, '']]));
}

function referenceProblem([type, name]: [string, string], known: ReadonlySet<string>): string[] {
  const kind = KINDS[type];
  if (kind === undefined) return [`kubectl knows no ${type}, or this check does not`];
  return name === '' || NAMED_ELSEWHERE.has(kind) || known.has(`${kind}/${name}`) ? [] : [`there is no ${kind} ${name}`];
}

function commandProblems([program, ...args]: readonly string[]): string[] {
  if (program !== 'patronictl') return [];
  const [flag, folder, subcommand = ''] = args;
  return [
    ...(flag === '-c' && folder === `${FILES.folder}/patroni` ? [] : ['patronictl needs -c with the folder of Patroni\'s configuration']),
    ...(PATRONICTL.has(subcommand) ? [] : [`patronictl has no ${subcommand}, or this check does not know it`]),
  ];
}

/** What is wrong with one kubectl command, given as its words. */
export function kubectlProblems(args: readonly string[], known: ReadonlySet<string>): string[] {
  const { positionals: [verb = '', ...words], command, flags } = split(args);
  if (!VERBS.has(verb)) return [`kubectl has no ${verb}, or this check does not know it`];
  const containers = flags.filter((flag) => flag.startsWith('-c=') && flag !== '-c=postgres');
  return [
    ...referencesOf(verb, words).flatMap((reference) => referenceProblem(reference, known)),
    ...containers.map((flag) => `members have no container ${flag.slice(3)}`),
    ...commandProblems(command),
  ];
}
