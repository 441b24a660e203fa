/** What the status says of the archive. */
import type { BackupFixture } from './fixture';
import { PATIENCE_S } from './fixture';
import type { Sample } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

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

/** Every acknowledged row is in the cluster, and all of the log in the archive. */
export async function verdict(fixture: BackupFixture): Promise<Pick<Sample, 'acked' | 'lost'>> {
  await untilAllArchived(fixture);
  const { acked, lost } = await fixture.writer.verify();
  return { acked, lost };
}
