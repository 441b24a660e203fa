import type { DatabasesStatus } from './model/status.js';

/** What is not as declared, told once for as long as it stays so. */
export class NewProblems {
  private known = new Set<string>();

  /** Those that were not there at the last look. */
  of({ problems }: Pick<DatabasesStatus, 'problems'>): string[] {
    const texts = problems.map(({ what, why }) => `${what}: ${why}`);
    const found = texts.filter((text) => !this.known.has(text));
    this.known = new Set(texts);
    return found;
  }
}
