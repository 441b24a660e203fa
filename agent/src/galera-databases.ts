/**
 * Tells what the writer of a Galera cluster says of databases and users: it keeps them, and has no way to the status
 * and to Events of its own.
 */
import { rotatedText } from './keep-roles.js';
import { DATABASES_KEY, type DatabasesStatus, type DecisionRecord } from './model/status.js';
import { NewProblems } from './new-problems.js';
import type { StatusWriter } from './status-writer.js';

export interface GaleraDatabasesOptions {
  readonly writer: Pick<StatusWriter, 'section'>;
  readonly told: (record: Omit<DecisionRecord, 'at'>) => void;
}

export class GaleraDatabases {
  private written = '';
  private readonly problems = new NewProblems();
  /** Undefined: nothing was told yet, so a rotation may be an old one. */
  private turns: ReadonlyMap<string, string> | undefined;

  constructor(private readonly options: GaleraDatabasesOptions) {}

  /** Undefined: there is no writer that says anything, so nothing is known. */
  async tell(status: DatabasesStatus | undefined): Promise<void> {
    const text = JSON.stringify(status, undefined, 2);
    if (status === undefined || text === this.written) return;
    for (const because of this.problems.of(status)) {
      this.options.told({ ruleId: 'not-as-declared', because, done: false });
    }
    this.tellRotated(status);
    await this.options.writer.section(DATABASES_KEY, `${text}\n`);
    this.written = text;
  }

  forget(): void {
    this.written = '';
  }

  private tellRotated({ logins }: DatabasesStatus): void {
    for (const { role, login, secret } of logins.filter((each) => each.rotatedAt !== undefined)) {
      const before = this.turns?.get(role);
      if (before === undefined || before === login) continue;
      this.options.told({ ruleId: 'password-rotated', because: rotatedText(secret, login), done: true });
    }
    this.turns = new Map(logins.map(({ role, login }) => [role, login]));
  }
}
