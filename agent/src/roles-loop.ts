/**
 * When databases and roles are looked at, on the replica that holds the Lease: after a change of the contract, of the
 * primary or of a Secret, when a rotation is due, and now and then. At rest only the Secrets are read, by name.
 */
import { isRotationDue } from './decide/password.js';
import type { Hands } from './execute/executor.js';
import { Keeper, type KeepReport } from './keep-roles.js';
import type { Log } from './log.js';
import type { ContractReading } from './model/contract.js';
import { roleSecret, type RoleSecret } from './model/role-secret.js';
import { DATABASES_KEY, type DatabasesStatus, type DecisionRecord } from './model/status.js';
import { NewProblems } from './new-problems.js';
import { primaryOf, type Primary } from './observe/primary.js';
import type { Store } from './observe/store.js';
import { pauseOf, type Routine } from './pace.js';
import { KubeError } from './ports/kube.js';
import { Rounds } from './rounds.js';
import type { StatusWriter } from './status-writer.js';
import type { ContractDocument } from '../../src/contract/document.js';

/** A changed Secret reaches the server within this, and the time of the look itself; each look is a request. */
const SECRETS: Routine = { everyMs: 30_000, mostPerSecond: 0.4 };
/** What somebody changed in the server is found within this; old passwords end within this. Two requests a look. */
const LOOK: Routine = { everyMs: 600_000, mostPerSecond: 0.1 };
const AFTER_FAILURE_MS = 60_000;

export interface RolesLoopOptions {
  readonly stores: { readonly pods: Store; readonly dcs: Store };
  readonly hands: Hands;
  readonly reading: () => ContractReading;
  readonly writer: Pick<StatusWriter, 'section'>;
  readonly holdsLease: () => boolean;
  readonly log: Log;
  readonly clusters: () => number;
  readonly told: (record: DecisionRecord) => void;
  readonly lacks: (problem: KubeError) => void;
}

/** What the last look was about. */
interface Looked {
  readonly at: number;
  readonly about: string;
  readonly failed: boolean;
}

type Secrets = ReadonlyMap<string, RoleSecret | undefined>;

export class RolesLoop {
  private looked: Looked | undefined;
  private readonly problems = new NewProblems();
  private readonly rounds: Rounds;

  constructor(private readonly options: RolesLoopOptions) {
    this.rounds = new Rounds(options.hands.clock);
  }

  nudge(): void {
    this.rounds.nudge();
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.rounds.run(signal, async () => {
      await this.tick().catch((problem: unknown) => this.failed(problem));
      return pauseOf(SECRETS, this.options.clusters());
    });
  }

  private async tick(): Promise<void> {
    const reading = this.options.reading();
    const primary = reading.ok ? primaryOf(this.options.stores, reading.document.cluster) : undefined;
    if (!reading.ok || !this.options.holdsLease()) this.looked = undefined;
    else if (primary) await this.lookIfDue(reading.document, primary);
  }

  private async lookIfDue(document: ContractDocument, primary: Primary): Promise<void> {
    const { databases, roles } = document;
    const secrets = await this.readSecrets(document);
    const about = (changed?: KeepReport['inStepWith']) => JSON.stringify([
      primary.name, databases, roles,
      [...secrets].map(([name, secret]) => [name, changed?.get(name) ?? secret?.resourceVersion]),
    ]);
    if (!this.isDue(about()) && !this.rotationDue(document, secrets)) return;
    const { hands, holdsLease, lacks } = this.options;
    const report = await new Keeper({
      hands, lacks, primary: { host: primary.ip }, mayAct: holdsLease, declared: { databases, roles },
      told: (ruleId, because) => this.tell({ ruleId, because, done: true }),
    }).run();
    // What the look itself has written is no reason for another one.
    this.looked = { at: hands.clock.nowMs(), about: about(report.inStepWith), failed: report.failed };
    if (!report.unreachable) this.tellNew(report);
    await this.write(report);
  }

  private isDue(about: string): boolean {
    if (this.looked?.about !== about) return true;
    const pause = this.looked.failed ? AFTER_FAILURE_MS : pauseOf(LOOK, this.options.clusters());
    return this.options.hands.clock.nowMs() - this.looked.at >= pause;
  }

  /** One that has just failed is tried again with everything else that has. */
  private rotationDue({ roles }: ContractDocument, secrets: Secrets): boolean {
    const now = this.options.hands.clock.wall().getTime();
    return !this.looked?.failed && roles.some((role) => {
      const secret = role.secret && secrets.get(role.secret.name);
      return secret !== undefined && isRotationDue(role, secret, now);
    });
  }

  private async readSecrets({ roles }: ContractDocument): Promise<Secrets> {
    const names = [...new Set(roles.flatMap(({ secret }) => (secret ? [secret.name] : [])))];
    const found = new Map<string, RoleSecret | undefined>();
    for (const name of names) found.set(name, await this.readSecret(name));
    return found;
  }

  /** One that cannot be read is reported by the look, and does not stand in the way of the others. */
  private async readSecret(name: string): Promise<RoleSecret | undefined> {
    try {
      return roleSecret(await this.options.hands.kube.get('secrets', name));
    } catch (problem) {
      if (problem instanceof KubeError && (problem.notFound || problem.forbidden)) return undefined;
      throw problem;
    }
  }

  private tell(record: Omit<DecisionRecord, 'at'>): void {
    this.options.told({ at: this.options.hands.clock.wall().toISOString(), ...record });
  }

  private tellNew(report: KeepReport): void {
    for (const because of this.problems.of(report)) {
      this.options.log.warn('not as declared', { problem: because });
      this.tell({ ruleId: 'not-as-declared', because, done: false });
    }
  }

  private async write({ problems, logins }: KeepReport): Promise<void> {
    const status: DatabasesStatus = {
      inStep: problems.length === 0, checkedAt: this.options.hands.clock.wall().toISOString(), problems, logins,
    };
    await this.options.writer.section(DATABASES_KEY, `${JSON.stringify(status, undefined, 2)}\n`);
  }

  private failed(problem: unknown): void {
    if (problem instanceof KubeError && problem.forbidden) this.options.lacks(problem);
    else this.options.log.error('roles loop', { problem: String((problem as Error).stack ?? problem) });
  }
}
