/**
 * npm run e2e -- SUITE [--runs N] [--only EVENT,EVENT] [--any-timing] [--manifests DIR]
 * Needs KUBECONFIG; faults of nodes need the testbed as well and are reported as skipped elsewhere.
 */
import { parseArgs } from 'node:util';
import { ClusterApi } from './kit/cluster-api';
import { NodeFaults } from './kit/faults';
import { CliManifests, FolderManifests, type ManifestSource } from './kit/manifests';
import { Report } from './kit/report';
import { runSuite } from './kit/run-suite';
import type { Suite, SuiteContext } from './kit/suite';
import { SUITES } from './suites';

const DOCUMENT = 'examples/production-db.yaml';
/** production-db.yaml asks for 4 cores, 16 GiB and 500 GiB a member; the test wants its shape, not its size. */
const SMALL = {
  'spec.version': '17',
  'spec.storage.size': '1Gi',
  'spec.resources.requests.cpu': '100m',
  'spec.resources.requests.memory': '512Mi',
};

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'runs': { type: 'string', default: '1' }, 'only': { type: 'string' }, 'manifests': { type: 'string' },
      'any-timing': { type: 'boolean', default: false },
    },
  });
  const makeSuite = SUITES[positionals[0] ?? ''];
  const runs = Number(values.runs);
  if (!makeSuite || positionals.length !== 1 || !(Number.isInteger(runs) && runs > 0)) return usage();
  if (!process.env.KUBECONFIG) return refuse('KUBECONFIG is not set: it names the cluster to test on. The testbed gives one: eval "$(../shared/testbed/testbed env)"');
  const api = new ClusterApi();
  const suite = makeSuite(manifestsFrom(values.manifests ?? process.env.E2E_MANIFESTS));
  const report = new Report(suite.name);
  const faults = await NodeFaults.detect(api.server);
  const context = { api, faults, reporter: report, runs };
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stop.abort();
      void stopEarly(suite, context);
    });
  }
  const { only, 'any-timing': anyTiming } = values;
  await runSuite(suite, context, report, { only: only?.split(','), anyTiming, signal: stop.signal });
  return report.close();
}

/** What the suite made goes away also when somebody stops it. */
async function stopEarly(suite: Suite, context: SuiteContext): Promise<void> {
  context.reporter.progress('stopped early; clearing up');
  const told = (problem: unknown) => context.reporter.progress(String(problem));
  await context.faults.heal().catch(told);
  await suite.tearDown?.(context).catch(told);
  process.exit(130);
}

function manifestsFrom(folder: string | undefined): ManifestSource {
  return folder ? new FolderManifests(folder) : new CliManifests(DOCUMENT, SMALL);
}

function usage(): number {
  return refuse(`usage: npm run e2e -- SUITE [--runs N] [--only EVENT,EVENT] [--any-timing] [--manifests DIR]\nsuites: ${Object.keys(SUITES).join(', ')}`);
}

function refuse(text: string): number {
  process.stderr.write(`${text}\n`);
  return 2;
}

main().then((code) => { process.exitCode = code; }, (problem: unknown) => {
  process.stderr.write(`${problem instanceof Error ? problem.stack : String(problem)}\n`);
  process.exitCode = 1;
});
