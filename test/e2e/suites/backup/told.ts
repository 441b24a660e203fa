/** What the status says of the archive. */
import type { BackupFixture } from './fixture';
import { PATIENCE_S } from './fixture';
import type { Sample } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

type Counts = Pick<Sample, 'acked' | 'lost'>;

interface Archive {
  readonly state: string;
  readonly failure?: { readonly kind: string };
}

/** One of these kinds of failure, or a state where nothing fails. */
export async function untilTold(fixture: BackupFixture, wanted: readonly string[]): Promise<void> {
  await waitFor({ what: `the status to say ${wanted.join(' or ')}`, seconds: PATIENCE_S, everyMs: 500 }, async () => {
    const archive = await fixture.status<Archive>('archive.json');
    const said = archive?.failure?.kind ?? archive?.state ?? 'nothing';
    return wanted.includes(said) ? undefined : `it says ${said}`;
  });
}

export async function untilAllArchived(fixture: BackupFixture): Promise<void> {
  await fixture.untilArchived();
  await untilTold(fixture, ['archiving']);
}

/** The rows that were looked for in the cluster, and what is missing there or in a copy of its archive. */
export function bothOf(cluster: Counts, copy: Counts): Counts {
  return { acked: cluster.acked ?? 0, lost: (cluster.lost ?? 0) + (copy.lost ?? 0) };
}

/** Every acknowledged row is in the cluster, and all of the log in the archive. */
export async function verdict(fixture: BackupFixture): Promise<Counts> {
  await untilAllArchived(fixture);
  const { acked, lost } = await fixture.writer.verify();
  return { acked, lost };
}
