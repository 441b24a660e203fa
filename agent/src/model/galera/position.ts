/** Where a member's data stand: a history, and the number of the last transaction in it. */
export interface Position {
  readonly uuid: string;
  readonly seqno: number;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What Galera writes where it knows no history. */
const ZERO = '00000000-0000-0000-0000-000000000000';

/** -1 and the zero uuid say that nothing is known: they are no positions. */
export function positionOf(
  { uuid, seqno }: { readonly uuid?: unknown; readonly seqno?: unknown },
): Position | undefined {
  if (typeof uuid !== 'string' || !UUID.test(uuid) || uuid === ZERO) return undefined;
  if (typeof seqno !== 'number' || !Number.isSafeInteger(seqno) || seqno < 0) return undefined;
  return { uuid, seqno };
}

export function tellPosition(position: Position | undefined): string {
  return position ? `${position.uuid}:${position.seqno}` : 'unknown';
}
