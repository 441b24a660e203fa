import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as cdk8s from 'cdk8s';
import ts from 'typescript';
import { blocksIn, nameOf, ROOT, type Block } from './pages';
import * as library from '../../src';
import { EverestError } from '../../src/errors';

/*
 * Every ts block compiles against the source, and runs. A whole program imports what it needs; a fragment names a
 * fixture in its info string (```ts fixture=chart) and finds it declared before it. `fails=EV1202`: it throws that.
 */
const NAMES = [...Object.keys(library), 'PostgresClusterProps', 'PostgresImage', 'MemberGroup', 'Placement'].sort();
const IMPORTS = `import { App, Chart, Duration, JsonPatch } from 'cdk8s';\nimport { ${NAMES.join(', ')} } from 'cdk8s-everest';\n`;
const CHART = `${IMPORTS}const app = new App(); const chart = new Chart(app, 'shop', { namespace: 'shop' });\n`;
const FIXTURES: Readonly<Record<string, string>> = {
  chart: CHART,
  cluster: `${CHART}const cluster = new PostgresCluster(chart, 'orders', { storage: { size: '100Gi' } });\n`,
};

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10, lib: ['lib.es2022.d.ts'],
  strict: true, noEmit: true, skipLibCheck: true, esModuleInterop: true, types: ['node'], baseUrl: ROOT, paths: { 'cdk8s-everest': ['src/index.ts'] },
};

const blocks = blocksIn('ts', 'typescript');

/** Where a block stands for the compiler: beside the sources, so that packages resolve. */
function fileOf(block: Block): string {
  return join(ROOT, `docs-block-${blocks.indexOf(block)}.ts`);
}

function sourceOf({ info, text }: Block): string {
  if (info.fixture === undefined) return text;
  const fixture = FIXTURES[info.fixture];
  if (fixture === undefined) throw new Error(`there is no fixture ${info.fixture}`);
  return fixture + text;
}

/** One program for all blocks: the libraries are read once. */
function compile(): Map<string, string[]> {
  const sources = new Map(blocks.map((block) => [fileOf(block), sourceOf(block)]));
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, readFile } = host;
  host.fileExists = (name) => sources.has(name) || fileExists(name);
  host.readFile = (name) => sources.get(name) ?? readFile(name);
  host.getSourceFile = (name, language) => {
    const text = host.readFile(name);
    return text === undefined ? undefined : ts.createSourceFile(name, text, language);
  };
  const program = ts.createProgram([...sources.keys()], OPTIONS, host);
  return new Map([...sources.keys()].map((name) => {
    const source = program.getSourceFile(name)!;
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return [name, found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))];
  }));
}

function load(name: string): unknown {
  if (name === 'cdk8s-everest') return library;
  if (name === 'cdk8s') return cdk8s;
  return jest.requireActual(name);
}

/** Runs a block to its end, `app.synth()` included; its files go to a folder that is thrown away. */
function execute(block: Block): void {
  const { outputText } = ts.transpileModule(sourceOf(block), { compilerOptions: { ...OPTIONS, noEmit: false } });
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the code of our own pages, compiled above
  new Function('require', 'exports', 'module', outputText)(load, {}, {});
}

describe('TypeScript of the pages', () => {
  const folder = mkdtempSync(join(tmpdir(), 'docs-ts-'));
  const outdir = process.env.CDK8S_OUTDIR;
  let problems: Map<string, string[]>;

  beforeAll(() => {
    process.env.CDK8S_OUTDIR = folder;
    jest.spyOn(console, 'log').mockImplementation();
    problems = compile();
  }, 120_000);

  afterAll(() => {
    if (outdir === undefined) delete process.env.CDK8S_OUTDIR; else process.env.CDK8S_OUTDIR = outdir;
    rmSync(folder, { recursive: true });
  });

  it.each(blocks.map((block) => [nameOf(block), block] as const))('%s compiles', (_, block) => {
    expect(problems.get(fileOf(block))).toEqual([]);
  });

  it.each(blocks.map((block) => [nameOf(block), block] as const))('%s gives manifests, or the error that it announces', (_, block) => {
    let codes: string[] = [];
    try {
      execute(block);
    } catch (error) {
      if (!(error instanceof EverestError)) throw error;
      codes = error.codes;
    }
    expect(codes).toEqual(block.info.fails ? block.info.fails.split(',') : []);
  });
});
