/** Of which member's volume a snapshot is made. */
import type { PodFacts } from '../model/facts.js';

export interface SnapshotMember {
  readonly pod: string;
  readonly note: string | undefined;
}

type Candidate = Pick<PodFacts, 'name' | 'deleting' | 'container' | 'status'>;

const ON_PRIMARY = 'no standby streams, so the snapshot is of the primary, whose writes wait while its driver holds the file system up';

/** The standby that is the nearest to the primary: a driver may freeze the file system while it copies. */
export function chooseSnapshotMember(primary: string, pods: readonly Candidate[]): SnapshotMember {
  const streaming = pods.filter(({ name, deleting, container, status }) =>
    name !== primary && !deleting && container === 'running' && status?.streaming === true);
  const place = ({ status }: Candidate) => status?.location ?? 0;
  const [nearest] = streaming.sort((one, two) => place(two) - place(one) || one.name.localeCompare(two.name));
  return nearest ? { pod: nearest.name, note: undefined } : { pod: primary, note: ON_PRIMARY };
}
