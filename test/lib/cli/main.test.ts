import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../../src/cli/main';
import { parseManifests } from '../../support/example-app';
import { itWithSchemas, MINORS, schemaErrors } from '../../support/schema-oracle';

const DOCUMENT = `apiVersion: everest.io/v1alpha1
kind: DatabaseCluster
metadata: { name: orders }
spec:
  engine: postgresql
  version: "17"
  storage: { size: 10Gi }
`;

let folder: string;
let file: string;
let out: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'everest-cli-'));
  file = join(folder, 'db.yaml');
  out = join(folder, 'out');
  writeFileSync(file, DOCUMENT);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function failing(...args: string[]): string {
  const { stdout = '', stderr = '', failed } = run(args);
  expect({ stdout, failed }).toEqual({ stdout: '', failed: true });
  return stderr;
}

describe('cdk8s-everest synth', () => {
  itWithSchemas('writes manifests to standard output that every Kubernetes takes', () => {
    const manifests = parseManifests(run(['synth', file]).stdout!);
    expect(manifests.length).toBeGreaterThan(15);
    for (const minor of MINORS) expect(schemaErrors(minor, manifests)).toEqual([]);
  });

  it('writes the same bytes again, and the same into a folder, because Git compares them', () => {
    const { stdout } = run(['synth', file]);
    expect(run(['synth', file]).stdout).toBe(stdout);
    run(['synth', file, '-o', out]);
    const written = readdirSync(out).sort().flatMap((name) => parseManifests(readFileSync(join(out, name), 'utf8')));
    const names = (manifests: typeof written) => manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort();
    expect(names(written)).toEqual(names(parseManifests(stdout!)));
  });

  it('puts volumes into a file of their own, so that deleting the other one leaves the data', () => {
    expect(run(['synth', file, '-o', out]).failed).toBeFalsy();
    expect(readdirSync(out).sort()).toEqual(['default.orders.volumes.yaml', 'default.orders.yaml']);
    expect(parseManifests(readFileSync(join(out, 'default.orders.yaml'), 'utf8')).map(({ kind }) => kind)).not.toContain('PersistentVolumeClaim');
  });

  it('writes nothing at all where anything is wrong, in any of the files', () => {
    const bad = join(folder, 'bad.yaml');
    writeFileSync(bad, DOCUMENT.replace('10Gi', 'ten'));
    expect(failing('synth', file, bad, '-o', out)).toMatch(/^\[EV1205\] .*bad\.yaml:7:14: spec\.storage\.size/);
    expect(readdirSync(folder).sort()).toEqual(['bad.yaml', 'db.yaml']);
  });

  it('puts a value of --set in the place of the document\'s', () => {
    expect(run(['synth', file, '--set', 'spec.storage.size=77Gi']).stdout).toContain('storage: 77Gi');
  });

  it('puts documents without a namespace into that of --namespace', () => {
    expect(run(['synth', file, '--namespace', 'shop']).stdout).toContain('namespace: shop');
  });

  it.each([
    ['a smaller volume', ['--set', 'spec.storage.size=5Gi'], 'EV1701'], ['another StorageClass', ['--set', 'spec.storage.class=slow'], 'EV1702'],
    ['another major version', ['--set', 'spec.version=14'], 'EV1703'],
  ])('refuses %s than what lies in the folder, and leaves the folder as it is', (_, args, code) => {
    run(['synth', file, '-o', out]);
    const before = readdirSync(out).map((name) => readFileSync(join(out, name), 'utf8'));
    expect(failing('synth', file, '-o', out, ...args)).toContain(`[${code}]`);
    expect(readdirSync(out).map((name) => readFileSync(join(out, name), 'utf8'))).toEqual(before);
  });

  it('compares with --previous where that is given', () => {
    const previous = join(folder, 'previous.yaml');
    writeFileSync(previous, run(['synth', file]).stdout!);
    expect(failing('synth', file, '--previous', previous, '--set', 'spec.storage.size=5Gi')).toContain('[EV1701]');
    expect(run(['synth', file, '--previous', previous, '--set', 'spec.storage.size=15Gi']).failed).toBeFalsy();
  });

  it('refuses two files with one cluster', () => {
    expect(failing('synth', file, file)).toContain('[EV1103]');
  });

  it.each([
    [['synth'], 'synth needs a file'], [['synth', 'nowhere.yaml'], 'nowhere.yaml does not exist'], [['synth', tmpdir()], 'is a folder'],
    [['synth', 'x', '--colour'], 'colour'], [['synth', 'x', '--set', 'nonsense'], 'is not path=value'], [['sinth'], 'did you mean synth?'],
  ])('answers %j with a code and what is wrong', (args, text) => {
    const message = failing(...args);
    expect(message).toContain('[EV1008]');
    expect(message).toContain(text);
  });
});

describe('cdk8s-everest explain', () => {
  it('explains a code, however it is written', () => {
    expect(run(['explain', 'ev1203']).stdout).toMatch(/^EV1203: .*\n\nCause: .*\nConsequence: .*\nFix: /);
  });

  it('lists all codes', () => {
    expect(run(['explain']).stdout!.split('\n').length).toBeGreaterThan(35);
  });

  it('says that a code does not exist', () => {
    expect(failing('explain', 'EV9')).toContain('[EV1008]');
  });
});

describe('cdk8s-everest', () => {
  it.each([['--help'], ['-h'], ['help'], ['synth', '--help']])('helps when asked by %s %s', (...args) => {
    expect(run(args.filter(Boolean)).stdout).toContain('cdk8s-everest synth FILE');
  });

  it('helps and fails without a command, because a script that forgot it must not go on', () => {
    expect(run([])).toMatchObject({ failed: true, stderr: expect.stringContaining('synth') });
  });

  it('tells its version', () => {
    expect(run(['--version']).stdout).toMatch(/^\d+\.\d+\.\d+/);
  });
});
