/**
 * What tools of the field and a real API server say about the manifests of all examples, before anything is applied.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { SCHEMA_TEMPLATE, writeSchemaFolder } from '../../support/kubeconform-schemas';
import type { ClusterApi, Obj } from '../kit/cluster-api';
import { parseManifests } from '../kit/cluster-api';
import type { Measure, Sample, Suite } from '../kit/suite';
import { Skip } from '../kit/suite';

const exec = promisify(execFile);
const ROOT = resolve(__dirname, '../../..');
const EXAMPLES = join(ROOT, 'examples');
const SCHEMAS = resolve(process.env.EVEREST_SCHEMAS ?? join(ROOT, '..', 'shared', 'schemas'));
const MINORS = ['1.27', '1.30', '1.33', '1.36'];

/** kube-score's findings that the design accepts: for which check and object, and why. */
const ACCEPTED_SCORE: ReadonlyArray<{ check: string; object: RegExp; says: RegExp; because: string }> = [
  {
    check: 'container-resources', object: /^StatefulSet\//, says: /^CPU limit is not set$/,
    because: 'throttling delays replication and failover for no gain',
  },
  {
    check: 'container-resources', object: /^CronJob\/.*-backup-/, says: /^CPU limit is not set$/,
    because: 'a throttled Job makes a backup, and the time without the next one, longer for no gain',
  },
  {
    check: 'container-resources', object: /^Deployment\/.*-haproxy$/, says: /^CPU limit is not set$/,
    because: 'throttling delays every statement of every client for no gain',
  },
  {
    check: 'container-resources', object: /^Deployment\/.*-binlog$/, says: /^CPU limit is not set$/,
    because: 'a throttled collector lets the archive fall behind for no gain',
  },
  {
    check: 'container-security-context-user-group-id', object: /^(StatefulSet|Deployment)\/(carts|order-service-db)-(\d|binlog)$/, says: /low (user|group) ID/,
    because: 'Percona\'s images have the user 1001, and vendor images are used unchanged',
  },
  {
    check: 'container-image-pull-policy', object: /^(StatefulSet|CronJob|Deployment)\//, says: /./,
    because: 'references are fixed, and members, proxies and backups must start when the registry is away',
  },
  {
    check: 'pod-probes-identical', object: /^Deployment\/.*-haproxy$/, says: /./,
    because: 'a proxy that lives is ready, whoever is behind it: a Service without endpoints keeps clients waiting (ADR 9)',
  },
  { check: 'service-targets-pod', object: /^Service\/.*-r[wo]$/, says: /./, because: 'Patroni writes the role label that they select' },
];
/** kube-score's grades: 1 is critical, 5 a warning, 10 fine. */
const CRITICAL = 1;

const TIME: Measure = { what: 'time of the check' };

export function manifestsSuite(): Suite {
  const folder = mkdtempSync(join(tmpdir(), 'everest-manifests-'));
  return {
    name: 'manifests',
    setUp: () => synthesize(folder),
    tearDown: async () => rmSync(folder, { recursive: true, force: true }),
    events: [
      { name: 'kubeconform', measure: TIME, run: () => kubeconform(folder) },
      { name: 'kube-score', measure: TIME, run: () => kubeScore(folder) },
      { name: 'server-dry-run', measure: TIME, run: ({ api }) => serverDryRun(api, folder) },
    ],
  };
}

/** One file for each example document. */
async function synthesize(folder: string): Promise<void> {
  for (const name of readdirSync(EXAMPLES).filter((file) => file.endsWith('.yaml'))) {
    const cli = [join(ROOT, 'lib/cli/main.js'), 'synth', join(EXAMPLES, name)];
    const { stdout } = await exec(process.execPath, cli, { maxBuffer: 64_000_000 })
      .catch((problem: { stderr?: string }) => { throw new Error(problem.stderr); });
    writeFileSync(join(folder, name), stdout);
  }
}

function files(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.yaml')).map((name) => join(folder, name));
}

/** What a tool prints, whatever its exit code says about its findings. */
async function output(tool: string, args: string[]): Promise<string> {
  const { stdout } = await exec(tool, args, { maxBuffer: 64_000_000 })
    .catch((problem: { code?: unknown; stdout?: string; stderr?: string }) => {
      if (problem.code === 'ENOENT') throw new Skip(`${tool} is not on the PATH`);
      if (!problem.stdout || problem.stderr) throw new Error(`${tool}: ${problem.stderr}`);
      return { stdout: problem.stdout };
    });
  return stdout;
}

async function timed(work: () => Promise<void>): Promise<Sample> {
  const start = performance.now();
  await work();
  return { value: (performance.now() - start) / 1000 };
}

function kubeconform(folder: string): Promise<Sample> {
  return timed(async () => {
    for (const minor of MINORS) {
      const source = join(SCHEMAS, `k8s-${minor}.json.gz`);
      if (!existsSync(source)) throw new Skip(`the schemas of Kubernetes ${minor} are not there`);
      const schemas = join(folder, `schemas-${minor}`);
      writeSchemaFolder(source, schemas);
      // full.yaml uses a field of 1.31, as its kubernetesVersion says.
      const fitting = files(folder).filter((file) => minor >= '1.31' || !file.endsWith('full.yaml'));
      const location = join(schemas, SCHEMA_TEMPLATE);
      const report = await output('kubeconform', ['-strict', '-summary', '-schema-location', location, ...fitting]);
      if (!/Invalid: 0, Errors: 0, Skipped: 0/.test(report)) throw new Error(`kubeconform, Kubernetes ${minor}:\n${report}`);
    }
  });
}

interface Score {
  readonly type_meta: { readonly kind: string };
  readonly object_meta: { readonly name: string };
  readonly checks: ReadonlyArray<{
    readonly check: { readonly id: string }; readonly grade: number; readonly skipped: boolean;
    readonly comments: ReadonlyArray<{ readonly summary: string }> | null;
  }>;
}

type Check = Score['checks'][number];

function said({ comments }: Check): string[] {
  return comments?.map(({ summary }) => summary) ?? [];
}

function isAccepted(object: string, check: Check): boolean {
  return ACCEPTED_SCORE.some((accepted) => accepted.check === check.check.id && accepted.object.test(object)
    && said(check).every((comment) => accepted.says.test(comment)));
}

function criticals(scores: readonly Score[]): string[] {
  return scores.flatMap(({ type_meta: type, object_meta: meta, checks }) => {
    const object = `${type.kind}/${meta.name}`;
    return checks
      .filter((check) => !check.skipped && check.grade <= CRITICAL && !isAccepted(object, check))
      .map((check) => `${object}: ${check.check.id}: ${said(check).join('; ')}`);
  });
}

function kubeScore(folder: string): Promise<Sample> {
  return timed(async () => {
    const args = ['score', '--kubernetes-version', 'v1.33', '--output-format', 'json', '--exit-one-on-warning=false', ...files(folder)];
    const found = criticals(JSON.parse(await output('kube-score', args)) as Score[]);
    if (found.length > 0) throw new Error(`kube-score:\n${found.join('\n')}`);
  });
}

/**
 * Every object as the API server would take it, with unknown and duplicate fields as errors; nothing is kept. By
 * kubectl, since client-node drops fields that it does not know before it sends them.
 */
function serverDryRun(api: ClusterApi, folder: string): Promise<Sample> {
  return timed(async () => {
    const namespaces = new Set(files(folder).flatMap((file) => parseManifests(readFileSync(file, 'utf8')).map(namespaceOf)));
    const made: string[] = [];
    try {
      for (const name of namespaces) {
        if (await api.createNamespace(name).then(() => true, () => false)) made.push(name);
      }
      for (const file of files(folder)) {
        const report = await output('kubectl', ['apply', '--dry-run=server', '--validate=strict', '-f', file]);
        const wrong = report.split('\n').filter((line) => line !== '' && !line.endsWith('(server dry run)'));
        if (wrong.length > 0) throw new Error(`kubectl: ${wrong.join('; ')}`);
      }
    } finally {
      for (const name of made) await api.deleteNamespace(name, false);
    }
  });
}

function namespaceOf(object: Obj): string {
  return object.metadata.namespace ?? 'default';
}
