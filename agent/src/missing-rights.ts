/** Rights that the Role does not give, as the API refused them: the status names each for as long as it is refused. */
import type { KubeError } from './ports/kube.js';

/** Longer than any pause between two tries. */
const REMEMBERED_MS = 120_000;

export class MissingRights {
  private readonly refusedAt = new Map<string, number>();

  constructor(private readonly clock: { nowMs(): number }) {}

  /** Gives the right in words when it was not known to be missing. */
  refused({ verb, resource, objectName }: KubeError): string | undefined {
    const right = `${verb} on ${resource}${objectName ? ` ${objectName}` : ''}`;
    const known = this.refusedAt.has(right);
    this.refusedAt.set(right, this.clock.nowMs());
    return known ? undefined : right;
  }

  list(): string[] {
    const now = this.clock.nowMs();
    for (const [right, at] of this.refusedAt) if (now - at > REMEMBERED_MS) this.refusedAt.delete(right);
    return [...this.refusedAt.keys()];
  }
}
