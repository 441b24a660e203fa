import fc from 'fast-check';
import { PostgresCluster, type PostgresClusterProps } from '../../../src';
import { EverestError } from '../../../src/errors';
import { manifestsOf, testChart } from '../../support/cluster';
import { anyProps } from '../../support/generated-props';
import { MINORS, schemaErrors, schemasMissing, type Minor } from '../../support/schema-oracle';

/** 20,000 as the project promises; fewer while one works on it: EVEREST_FUZZ_RUNS=500. */
const RUNS = Number(process.env.EVEREST_FUZZ_RUNS ?? 20_000);
/** Of the accepted prop sets, so many are rendered and checked in full: rendering is what takes the time. */
const RENDERED = 3;
/** Of these, so many against all versions of Kubernetes, the others against the oldest and the newest. */
const BETWEEN = 10;

const outcome = { accepted: 0, refused: 0, checked: 0 };

/** The cluster, or the error that a person would see; anything else that is thrown fails the test. */
function construct(props: unknown): PostgresCluster | EverestError {
  try {
    return new PostgresCluster(testChart(), 'orders', props as PostgresClusterProps);
  } catch (error) {
    if (error instanceof EverestError) return error;
    throw error;
  }
}

function minorsFor(props: PostgresClusterProps): Minor[] {
  // Props that need a newer Kubernetes say so themselves.
  const oldest = props.preferSameZoneReads ? 31 : 27;
  const every = outcome.checked % BETWEEN === 0;
  return MINORS.filter((minor) => Number(minor.slice(2)) >= oldest && (every || minor === '1.27' || minor === '1.36'));
}

function expectReadable(error: EverestError): void {
  outcome.refused++;
  expect(error.codes.filter((code) => !/^EV\d{4}$/.test(code) || code === 'EV1999')).toEqual([]);
  // One line for each finding, whatever was given.
  expect(error.findings.length).toBeGreaterThan(0);
  expect(error.message.split('\n')).toHaveLength(error.findings.length);
  expect(error.message.replace(/\n/g, '')).not.toMatch(/\p{Cc}|undefined is not|\[object/u);
}

function expectValid(cluster: PostgresCluster, props: PostgresClusterProps): void {
  outcome.accepted++;
  if (schemasMissing !== undefined || outcome.accepted % RENDERED !== 0) return;
  const manifests = manifestsOf(cluster);
  outcome.checked++;
  for (const minor of minorsFor(props)) expect(schemaErrors(minor, manifests)).toEqual([]);
}

describe('props of any kind', () => {
  it('give valid manifests or an error with codes, never a stack trace, because people make mistakes', () => {
    fc.assert(fc.property(anyProps, (props) => {
      const result = construct(props);
      if (result instanceof EverestError) expectReadable(result);
      else expectValid(result, props as PostgresClusterProps);
    }), { numRuns: RUNS });
  }, 300_000);

  it('were of both sorts often enough, because a generator that makes only one proves nothing', () => {
    process.stderr.write(`generated prop sets: ${JSON.stringify(outcome)}${schemasMissing ? `; schemas ${schemasMissing}` : ''}\n`);
    expect(outcome.accepted).toBeGreaterThan(RUNS / 5);
    expect(outcome.refused).toBeGreaterThan(RUNS / 5);
    if (schemasMissing === undefined) expect(outcome.checked).toBeGreaterThanOrEqual(RUNS / 10);
  });
});
