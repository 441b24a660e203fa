import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { DatabaseCluster } from '../../../src';
import { EverestError } from '../../../src/errors';
import { manifestsOf, testChart } from '../../support/cluster';
import { MINORS, schemaErrors, schemasMissing } from '../../support/schema-oracle';

/** 2,000 as the project promises; fewer while one works on it: EVEREST_FUZZ_DOCUMENTS=200. */
const RUNS = Number(process.env.EVEREST_FUZZ_DOCUMENTS ?? 2000);

const EXAMPLES = join(__dirname, '..', '..', '..', 'examples');
const TEXTS = ['full.yaml', 'production-db.yaml', 'openeverest-postgresql.yaml'].map((file) => readFileSync(join(EXAMPLES, file), 'utf8'));
TEXTS.push(`${TEXTS[1]}---\n${TEXTS[1]!.replace('production-db', 'second-db')}`);

/** What people, editors and templates leave behind in YAML. */
const SCRAPS = [
  'null', '~', '""', '0', '-1', '1e999', '.nan', '.inf', '0x1F', '0o17', '1_000', 'true', 'no', '[]', '{}', '[1, 2]', '{a: b}', '2020-01-01', '12:30', '10gb', '1.5Gi',
  '&a x', '*a', '!!binary aGk=', '!!set {a}', '!custom x', '? x', '<<: *a', '|', '>', '"unclosed', '\'', '#', '@x', '%x', '\t', '{{ .Values.size }}', 'ÄÖ😀', '\u0000',
  '__proto__', 'constructor', 'a: b: c', '- - -', '---', '...',
];

/** Values of each type that a field may take for one of its own. */
const ODD_VALUES = ['-1', '0', '0.5', '1e999', '.nan', '""', 'true', '[]', '{}'];

const scrap = fc.oneof(fc.constantFrom(...SCRAPS), fc.string({ maxLength: 8 }));

type Change = { readonly at: number; readonly how: string; readonly scrap: string };

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(100_000), how: fc.constantFrom('value', 'value', 'key', 'drop', 'double', 'indent', 'character', 'insert', 'move'), scrap,
});

function changedLine(line: string, { at, how, scrap: text }: Change): string[] {
  switch (how) {
    case 'value': return [line.includes(': ') ? line.replace(/: .*$/, () => `: ${text}`) : `${line} ${text}`];
    case 'key': return [line.replace(/([A-Za-z]+):/, (_, key: string) => `${key.slice(0, at % (key.length + 1))}${text.slice(0, 1)}${key.slice(1)}:`)];
    case 'drop': return [];
    case 'double': return [line, line];
    case 'indent': return [at % 2 === 0 ? `  ${line}` : line.replace(/^ /, '')];
    case 'character': return [line.slice(0, at % (line.length + 1)) + line.slice((at % (line.length + 1)) + 1)];
    default: return [line, text];
  }
}

function mutate(text: string, changes: readonly Change[]): string {
  const lines = text.split('\n');
  for (const each of changes) {
    const index = each.at % lines.length;
    if (each.how === 'move') lines.push(...lines.splice(index, 1));
    else lines.splice(index, 1, ...changedLine(lines[index]!, each));
  }
  return lines.join('\n');
}

const documents = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(fc.constantFrom(...TEXTS), fc.array(change, { minLength: 1, maxLength: 3 })).map(([text, changes]) => mutate(text, changes)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: scrap },
);

const outcome = { accepted: 0, refused: 0 };

function read(text: string): DatabaseCluster | EverestError {
  try {
    return DatabaseCluster.fromYaml(testChart(), 'db', text, { fileName: 'db.yaml' });
  } catch (error) {
    if (error instanceof EverestError) return error;
    throw error;
  }
}

function expectReadable(error: EverestError): void {
  outcome.refused++;
  expect(error.codes.length).toBeGreaterThan(0);
  expect(error.codes.filter((code) => !/^EV\d{4}$/.test(code) || code === 'EV1999')).toEqual([]);
  expect(error.message.split('\n')).toHaveLength(error.findings.length);
  expect(error.message.replace(/\n/g, '')).not.toMatch(/\p{Cc}|undefined is not|\[object/u);
  // People look for the place in their editor. Clashes between clusters and files without a document have no line.
  const places = error.findings.filter(({ code }) => code !== 'EV1103').map(({ position }) => position);
  expect(places.filter((place) => !/^db\.yaml(:\d+:\d+)?$/.test(place ?? ''))).toEqual([]);
}

function expectValid(cluster: DatabaseCluster): void {
  outcome.accepted++;
  if (schemasMissing !== undefined) return;
  // The full example says that it needs 1.31.
  const minors = MINORS.filter((minor) => minor !== '1.27' && (minor === '1.36' || outcome.accepted % 5 === 0));
  for (const each of cluster.clusters) for (const minor of minors) expect(schemaErrors(minor, manifestsOf(each))).toEqual([]);
}

describe('documents of any kind', () => {
  it('give valid manifests or an error with codes and lines, never a stack trace, because people make mistakes', () => {
    fc.assert(fc.property(documents, (text) => {
      const result = read(text);
      if (result instanceof EverestError) expectReadable(result);
      else expectValid(result);
    }), { numRuns: RUNS });
  }, 300_000);

  it.each([0, 2])('name the field for each odd value in each field of the full example %d, because chance does not meet every pair', (text) => {
    const lines = TEXTS[text]!.split('\n');
    for (const [at, line] of lines.entries()) {
      if (!line.includes(': ')) continue;
      for (const odd of ODD_VALUES) {
        const changed = [...lines.slice(0, at), line.replace(/: .*$/, `: ${odd}`), ...lines.slice(at + 1)];
        const result = read(changed.join('\n'));
        if (result instanceof EverestError) expectReadable(result);
        else expectValid(result);
      }
    }
  }, 300_000);

  it('were of both sorts often enough, because a generator that makes only one proves nothing', () => {
    process.stderr.write(`mutated documents: ${JSON.stringify(outcome)}${schemasMissing ? `; schemas ${schemasMissing}` : ''}\n`);
    expect(outcome.accepted).toBeGreaterThan(RUNS / 20);
    expect(outcome.refused).toBeGreaterThan(RUNS / 5);
  });
});
