/**
 * `npm run bench`: what synthesis costs, one JSON line for each case. Exit code 1 where a goal is missed.
 */
import { spawnSync } from 'node:child_process';
import { LIBRARY, loadLibrary, manifestsOf, synthesizeClusters, synthesizePlain } from './workload';

interface Result {
  readonly case: string;
  readonly runs: number;
  readonly median_ms: number;
  readonly max_ms: number;
  /** What `goal` limits; where there is no ratio, it is the median in seconds. */
  readonly ratio: number;
  readonly goal: number;
  readonly [detail: string]: unknown;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1; // eslint-disable-line no-bitwise -- whole half
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

function timed(work: () => unknown): number {
  // Garbage of the run before must not be paid by this one.
  globalThis.gc?.();
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** Library against plain ApiObjects of the same content, in turns, so that both meet the same machine. */
function againstPlain(clusters: number, runs: number): Result {
  const library = loadLibrary();
  const layout = { clusters, oneChart: false };
  const manifests = manifestsOf(library, clusters);
  if (synthesizeClusters(library, layout) !== synthesizePlain(manifests, layout)) throw new Error('the two do not make the same');
  const [ours, plain]: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run++) {
    plain.push(timed(() => synthesizePlain(manifests, layout)));
    ours.push(timed(() => synthesizeClusters(library, layout)));
  }
  // Of pairs, since the machine may be slower for a while: both of a pair meet that.
  const ratio = median(ours.map((time, run) => time / plain[run]!));
  return {
    case: `synthesis of ${clusters} against plain ApiObjects`, runs, median_ms: round(median(ours)), max_ms: round(Math.max(...ours)),
    plain_median_ms: round(median(plain)), ratio: round(ratio, 3), goal: 1.25,
  };
}

function child(args: readonly string[]): { stdout: string; milliseconds: number } {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return { stdout, milliseconds: performance.now() - start };
}

const COLD_PROGRAM = `
const { App, Chart } = require('cdk8s');
const { PostgresCluster } = require(${JSON.stringify(LIBRARY)});
const app = new App({ outdir: 'never-written' });
new PostgresCluster(new Chart(app, 'chart'), 'orders', { storage: { size: '100Gi' } });
process.stdout.write(app.synthYaml());
`;

/** From the start of node to the end: what a command line costs. */
function coldProcess(runs: number): Result {
  const times = Array.from({ length: runs }, () => child(['-e', COLD_PROGRAM]).milliseconds);
  const bare = Array.from({ length: runs }, () => child(['-e', 'require("cdk8s")']).milliseconds);
  return {
    case: 'one cluster from a cold process', runs, median_ms: round(median(times)), max_ms: round(Math.max(...times)),
    node_and_cdk8s_median_ms: round(median(bare)), ratio: round(median(times) / 1000, 3), goal: 0.5,
  };
}

interface Work {
  /** Of YAML. */
  readonly megabytes: number;
  readonly milliseconds: number;
  readonly rssMegabytes: number;
}

/** Plain JavaScript: a compiler in the same process would be counted too. */
const ONE_CHART_PROGRAM = `
const { App, Chart } = require('cdk8s');
const { PostgresCluster } = require(${JSON.stringify(LIBRARY)});
const start = performance.now();
const app = new App({ outdir: 'never-written' });
const chart = new Chart(app, 'chart', { namespace: 'shop' });
for (let index = 0; index < Number(process.argv[1]); index++) {
  new PostgresCluster(chart, 'db-' + index, { storage: { size: '100Gi' } });
}
const megabytes = app.synthYaml().length / 1e6;
const milliseconds = performance.now() - start;
process.stdout.write(JSON.stringify({ milliseconds, megabytes, rssMegabytes: process.resourceUsage().maxRSS / 1024 }));
`;

function inOneChart(clusters: number): Work {
  return JSON.parse(child(['-e', ONE_CHART_PROGRAM, String(clusters)]).stdout) as Work;
}

/** A thousand in one chart against a hundred: cdk8s must not make it grow faster than the number. */
function growth(runs: number): Result[] {
  const pairs = Array.from({ length: runs }, () => ({ hundred: inOneChart(100), thousand: inOneChart(1000) }));
  const times = pairs.map(({ thousand }) => thousand.milliseconds);
  const hundred = median(pairs.map((pair) => pair.hundred.milliseconds));
  // The most that a process had; of several processes the median, since V8 collects late on a busy machine.
  const memory = pairs.map(({ thousand }) => thousand.rssMegabytes);
  const base = { runs, median_ms: round(median(times)), max_ms: round(Math.max(...times)) };
  return [
    { case: '1000 clusters in one chart against 100', ...base, hundred_median_ms: round(hundred), ratio: round(median(times) / hundred, 2), goal: 11 },
    {
      case: '1000 clusters in one chart, most memory in MB', ...base, yaml_megabytes: round(pairs[0]!.thousand.megabytes),
      most_megabytes: round(Math.max(...memory)), ratio: round(median(memory)), goal: 350,
    },
  ];
}

function main(): void {
  const cases: Array<() => Result[]> = [
    () => [againstPlain(1, 101)], () => [againstPlain(10, 21)], () => [againstPlain(100, 7)],
    () => [coldProcess(11)], () => growth(3),
  ];
  const results = cases.flatMap((measure) => measure().map((result) => {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return result;
  }));
  const missed = results.filter(({ ratio, goal }) => ratio > goal);
  process.stdout.write(`${results.length - missed.length} passed, ${missed.length} failed, 0 skipped\n`);
  process.exitCode = missed.length > 0 ? 1 : 0;
}

main();
