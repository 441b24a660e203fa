/** What the status says of the archive. */
import type { BackupFixture } from './fixture';
import { PATIENCE_S } from './fixture';
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
