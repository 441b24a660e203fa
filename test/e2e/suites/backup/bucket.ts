/**
 * What happens to a bucket behind everybody's back. The cluster goes on, the status is true, and nothing is written
 * over.
 */
import type { BackupFixture } from './fixture';
import { PATIENCE_S } from './fixture';
import { untilAllArchived, untilTold } from './told';
import type { Obj } from '../../kit/cluster-api';
import { assistedCluster } from '../../kit/constructs';
import { PostgresUnderTest } from '../../kit/postgres';
import type { Measure, Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';
import { since, waitFor } from '../../kit/wait';

const TOLD: Measure = { what: 'from the fault until the status names it' };
const FIGURES = { mended: { what: 'from its end until all is archived again' }, longestGap: { what: 'longest time without an acknowledged write' } };

interface Repository { readonly backups: readonly unknown[]; readonly window?: object }

export function bucketEvents(fixture: BackupFixture): SuiteEvent[] {
  return [
    { name: 'bucket-gone', measure: TOLD, figures: FIGURES, run: (context) => away(context, fixture, 'gone', ['missing-bucket', 'stanza-missing']) },
    { name: 'bucket-full', measure: TOLD, figures: FIGURES, run: (context) => away(context, fixture, 'full', ['storage-full', 'unreachable']) },
    { name: 'bucket-emptied', measure: TOLD, figures: FIGURES, run: (context) => emptied(context, fixture) },
    { name: 'path-shared', measure: { what: 'from apply until the second cluster says whose the path is' }, run: (context) => shared(context, fixture) },
  ];
}

/** The fault ends, and everything that waited is archived. */
async function away(context: SuiteContext, fixture: BackupFixture, what: 'gone' | 'full', kinds: readonly string[]): Promise<Sample> {
  const { faults } = context;
  if (!faults.available) throw new Skip(faults.whyNot);
  await fixture.ready(context);
  await fixture.writer.mark();
  const start = performance.now();
  const mend = await faults.behindTheBack(fixture.cluster.name, what);
  let value = 0;
  try {
    await untilTold(fixture, kinds);
    value = since(start);
  } finally {
    await mend();
  }
  return { value, ...await mendedAgain(fixture) };
}

async function mendedAgain(fixture: BackupFixture): Promise<Omit<Sample, 'value'>> {
  const healed = performance.now();
  await untilAllArchived(fixture);
  const mended = since(healed);
  const { longestGap } = await fixture.writer.status();
  const { acked, lost } = await fixture.writer.verify();
  return { acked, lost, figures: { mended, longestGap } };
}

/** What was there is lost, and everybody is told so; after a new full backup there is a window again. */
async function emptied(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  const { faults } = context;
  if (!faults.available) throw new Skip(faults.whyNot);
  await fixture.ready(context);
  await fixture.writer.mark();
  const start = performance.now();
  await faults.behindTheBack(fixture.cluster.name, 'emptied');
  await untilTold(fixture, ['stanza-missing', 'missing-bucket', 'archive-lost']);
  const value = since(start);
  await waitFor({ what: 'the status to list no backup', seconds: PATIENCE_S, everyMs: 1000 }, async () => {
    const repository = (await fixture.status<{ repositories: Record<string, Repository> }>('backup.json'))?.repositories['1'];
    return repository?.backups.length === 0 && !repository.window ? undefined : JSON.stringify(repository);
  });
  await fixture.backUp();
  return { value, ...await mendedAgain(fixture) };
}

/** The second cluster comes with the first one's path, as by a mistake in Git that no synth could see. */
async function shared(context: SuiteContext, fixture: BackupFixture): Promise<Sample> {
  await fixture.ready(context);
  const { api } = context;
  const { namespace, cluster: { name: first } } = fixture;
  const before = await fixture.backups();
  const objects = samePath(assistedCluster({ ...fixture.wantedNow(), name: `${first}-b`, instances: 1 }), namespace, [`${first}-b`, first]);
  const second = new PostgresUnderTest(api, namespace, `${first}-b`);
  const start = performance.now();
  try {
    await api.apply(objects, namespace);
    // The pass too, so that nothing but the system identifier tells them apart.
    const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: `${name}-backup-pass` } }) as Obj;
    await api.merge(secret(second.name), namespace, { stringData: await api.secret(namespace, `${first}-backup-pass`) });
    await waitFor({ what: 'the second cluster to say whose the path is', seconds: PATIENCE_S, everyMs: 1000 }, async () => {
      // It never begins: the guard of a new cluster finds what is there.
      const log = await api.logs(namespace, `${second.name}-1-0`, 'postgres').catch(() => '');
      return /holds the archive of the cluster \d+; not beginning anew over it/.test(log) ? undefined : log.split('\n').slice(-3).join(' / ');
    });
    const value = since(start);
    const after = await fixture.backups();
    if (JSON.stringify(before) !== JSON.stringify(after)) throw new Error('the backups of the first cluster have changed');
    return { value, ...await mendedAgain(fixture) };
  } finally {
    await api.delete(objects.filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.name.startsWith(second.name)), namespace);
  }
}

/** By hand, in what was synthesized: the path of the other cluster. */
function samePath(objects: Obj[], namespace: string, [own, other]: readonly [string, string]): Obj[] {
  const text = JSON.stringify(objects);
  return JSON.parse(text.replaceAll(`/${namespace}/${own}`, `/${namespace}/${other}`)) as Obj[];
}
