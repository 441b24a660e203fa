import { tmpdir } from 'node:os';
import { runExampleApp, type ExampleRun } from '../support/example-app';
import { manifestsOf, aCluster } from '../support/cluster';

/* Git is the truth: the same input must give the same bytes, or every synthesis would be a change to review. */

const OTHERS: ReadonlyArray<readonly [string, ExampleRun]> = [
  ['once more', {}],
  ['from another folder', { cwd: tmpdir() }],
  ['in a Turkish locale, whose letters i are others', { env: { LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' } }],
  ['in a Swedish locale, whose order of letters is another', { env: { LC_ALL: 'sv_SE.UTF-8', LANG: 'sv_SE.UTF-8' } }],
  ['without a locale', { env: { LC_ALL: 'C', LANG: 'C' } }],
  ['on the other side of the world', { env: { TZ: 'Pacific/Kiritimati' } }],
];

describe('synthesis', () => {
  const first = runExampleApp();

  it.each(OTHERS)('gives the same bytes %s', (_, run) => {
    const again = runExampleApp(run);
    expect([...again.keys()]).toEqual([...first.keys()]);
    for (const [file, text] of again) expect(text === first.get(file)).toBe(true);
  }, 30_000);

  it('gives the same bytes for props in another order, because maps have none', () => {
    const text = (labels: Record<string, string>, parameters: Record<string, string>) =>
      JSON.stringify(manifestsOf(aCluster({ labels, parameters })));
    expect(text({ a: '1', b: '2' }, { work_mem: '1MB', DateStyle: 'ISO' })).toBe(text({ b: '2', a: '1' }, { DateStyle: 'ISO', work_mem: '1MB' }));
  });

  it('can be repeated on the same constructs, because cdk8s renders them more than once', () => {
    const cluster = aCluster();
    expect(manifestsOf(cluster)).toEqual(manifestsOf(cluster));
  });
});
