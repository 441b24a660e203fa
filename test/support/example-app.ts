import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Yaml } from 'cdk8s';
import { parseAllDocuments, type Document } from 'yaml';
import type { TestManifest } from './cluster';
import { synth } from '../../src/cli/synth';

const ROOT = join(__dirname, '..', '..');
const SCRIPTS = readdirSync(join(ROOT, 'src/render/scripts'));

/** How a program of the examples is run; everything else is as the test process has it. */
export interface ExampleRun {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * The files that the example app writes: a child process, as `cdk8s synth` would start it, without cdk8s-cli's
 * seconds.
 */
export function runExampleApp({ cwd = join(ROOT, 'examples', 'typescript-app'), env = {} }: ExampleRun = {}): Map<string, string> {
  const out = mkdtempSync(join(tmpdir(), 'everest-example-'));
  try {
    const result = spawnSync(process.execPath, ['--import', require.resolve('tsx'), join(ROOT, 'examples', 'typescript-app', 'main.ts')], {
      cwd,
      env: {
        ...process.env, CDK8S_OUTDIR: out, TSX_TSCONFIG_PATH: join(ROOT, 'examples', 'typescript-app', 'tsconfig.json'), ...env,
      },
      encoding: 'utf8',
    });
    if (result.status !== 0) throw new Error(`the example app failed: ${result.stderr}`);
    return new Map(readdirSync(out).sort().map((file) => [file, readFileSync(join(out, file), 'utf8')]));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** Scripts are not repeated in golden files: only where one is exactly the source is it left out. */
function withoutScripts(manifest: TestManifest): TestManifest {
  const data = (manifest.data ?? {}) as Record<string, string>;
  const same = SCRIPTS.filter((name) => data[name] === readFileSync(join(ROOT, 'src/render/scripts', name), 'utf8'));
  if (same.length === 0) return manifest;
  return { ...manifest, data: { ...data, ...Object.fromEntries(same.map((name) => [name, `(the text of src/render/scripts/${name})`])) } };
}

/** Objects, one file each, since a whole cluster would be too long to read as a diff. */
export function fileEach(folder: string, manifests: readonly TestManifest[]): Array<[string, string]> {
  return manifests.map((manifest) => [
    join(folder, `${manifest.kind}.${manifest.metadata.name}.yaml`), Yaml.stringify(withoutScripts(manifest)),
  ]);
}

function byName(files: ReadonlyArray<[string, string]>): Map<string, string> {
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Objects of the example app. */
export function synthesizeExampleApp(): Map<string, string> {
  return byName([...runExampleApp()].flatMap(([file, text]) =>
    fileEach(join('typescript-app', file.replace(/\.k8s\.yaml$/, '')), parseManifests(text))));
}

/** Objects of one of the example documents, as the CLI makes them. */
export function synthesizeDocument(name: string): Map<string, string> {
  const { stdout, findings } = synth({ files: [join(ROOT, 'examples', `${name}.yaml`)], set: [] });
  if (findings.length > 0) throw new Error(findings.map(({ problem }) => problem).join('; '));
  return byName(fileEach(name, parseManifests(stdout)));
}

/** The documents of a synthesized file. */
export function parseManifests(text: string): TestManifest[] {
  return (parseAllDocuments(text, { version: '1.1' }) as Document[]).map((document) => document.toJS() as TestManifest);
}
