/** One look at databases and roles: read the catalogs, carry out what is missing, say what cannot be. */
import { planDatabase } from './decide/database-plan.js';
import { loginInUse, nextPasswordStep, nextRotationMs, rotatedAtMs } from './decide/password.js';
import { planServer, touchable, type Declared } from './decide/server-plan.js';
import type { Hands } from './execute/executor.js';
import { doPasswordStep } from './execute/password.js';
import type { SqlPlace } from './member-sql.js';
import { roleSecret, type RoleSecret } from './model/role-secret.js';
import type { SqlPlan, SqlProblem } from './model/sql-catalog.js';
import type { LoginStatus } from './model/status.js';
import { isPrimary, readDatabase, readServer } from './observe/sql-catalog.js';
import { KubeError } from './ports/kube.js';
import { SqlError, type SqlSession } from './ports/sql.js';
import type { DeclaredDatabase, DeclaredRole } from '../../src/contract/declared-sql.js';

/** CREATE DATABASE waits for a checkpoint, which a slow disk makes long. */
const SESSION_LIMIT_MS = 120_000;
/**
 * Nothing of a user's database is found by a bare name: its owner could put a function there that the agent, a
 * superuser, would run. Locks are not waited for long, since others would wait behind.
 */
const PREPARE = "SET search_path = ''; SET lock_timeout = '5s'; SET statement_timeout = '60s'";
/** Fill, align, rotate and two logins to retire; more would be a circle. */
const MOST_STEPS = 6;

export interface KeepOptions {
  readonly hands: Pick<Hands, 'kube' | 'clock' | 'sql' | 'log'>;
  readonly declared: Declared;
  readonly primary: Pick<SqlPlace, 'host' | 'port'>;
  /** False as soon as another replica may be at it. */
  readonly mayAct: () => boolean;
  readonly lacks: (problem: KubeError) => void;
  /** Worth an Event. */
  readonly told: (ruleId: string, because: string) => void;
}

export interface KeepReport {
  readonly problems: readonly SqlProblem[];
  readonly logins: readonly LoginStatus[];
  /** Of Secrets that the server is in step with: name and resourceVersion. */
  readonly inStepWith: ReadonlyMap<string, string | undefined>;
  /** Something failed that may work in a minute. */
  readonly failed: boolean;
  /** There was no answer: the primary has other troubles, and nothing is known about databases and roles. */
  readonly unreachable: boolean;
}

/** SQLSTATE and text; never the statement, which may hold a verifier. */
function reasonOf(problem: unknown): string {
  const { code, message } = problem as { code?: string; message: string };
  return code === undefined || problem instanceof SqlError ? message : `${code} ${message}`;
}

export class Keeper {
  private readonly problems: SqlProblem[] = [];
  private readonly logins: LoginStatus[] = [];
  private readonly inStepWith = new Map<string, string | undefined>();
  private failed = false;
  private unreachable = false;
  /** Nothing, as long as the server has not been read. */
  private touched: Declared = { databases: [], roles: [] };

  constructor(private readonly options: KeepOptions) {}

  async run(): Promise<KeepReport> {
    await this.session('server', 'postgres', (session) => this.server(session));
    for (const database of this.touched.databases) {
      await this.session(`database ${database.name}`, database.name, (session) => this.database(session, database));
    }
    const { problems, logins, inStepWith, failed, unreachable } = this;
    return { problems, logins, inStepWith, failed, unreachable };
  }

  /** A failure is a problem of this part only. */
  private async session(what: string, database: string, work: (session: SqlSession) => Promise<void>): Promise<void> {
    const { hands, primary, mayAct } = this.options;
    if (!mayAct()) return;
    await this.attempt(what, () => hands.sql.session({ ...primary, database }, SESSION_LIMIT_MS, async (session) => {
      await session.query(PREPARE);
      if (!await isPrimary(session)) throw new Error('it is no primary, so nothing is changed');
      await work(session);
    }));
  }

  private async attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (problem) {
      this.failed = true;
      this.unreachable ||= problem instanceof SqlError && problem.code === undefined;
      if (problem instanceof KubeError && problem.forbidden) this.options.lacks(problem);
      this.problems.push({ what, why: reasonOf(problem) });
    }
  }

  private async server(session: SqlSession): Promise<void> {
    const { declared } = this.options;
    await this.carryOut(session, planServer(declared, await readServer(session)));
    this.touched = touchable(declared, await readServer(session));
    for (const role of this.touched.roles) {
      await this.attempt(`password of ${role.name}`, () => this.password(session, role));
    }
  }

  private async database(session: SqlSession, database: DeclaredDatabase): Promise<void> {
    const { roles } = this.touched;
    await this.carryOut(session, planDatabase(database, roles, await readDatabase(session, database, roles)));
  }

  private async carryOut(session: SqlSession, plan: SqlPlan): Promise<void> {
    this.problems.push(...plan.problems);
    for (const { what, sql } of plan.steps) {
      if (!this.options.mayAct()) return;
      await this.attempt(what, async () => {
        await session.query(sql);
        this.options.hands.log.info('declared', { what });
      });
    }
  }

  private async password(session: SqlSession, role: DeclaredRole): Promise<void> {
    const { hands, mayAct } = this.options;
    for (let count = 0; count < MOST_STEPS && mayAct() && role.secret; count += 1) {
      const secret = await this.readSecret(role.secret.name);
      const step = nextPasswordStep(role, secret, await readServer(session), hands.clock.wall().getTime());
      if (step.kind === 'problem') throw new Error(step.why);
      if (step.kind === 'none') {
        this.logins.push(loginStatus(role, secret));
        this.inStepWith.set(secret.name, secret.resourceVersion);
        return;
      }
      await doPasswordStep({ hands, session, role, secret }, step);
      hands.log.info('password', { role: role.name, ...step });
      if (step.kind === 'rotate') {
        this.options.told('password-rotated', rotatedText(secret.name, step.to));
      }
    }
  }

  private async readSecret(name: string): Promise<RoleSecret> {
    try {
      return roleSecret(await this.options.hands.kube.get('secrets', name));
    } catch (problem) {
      if (problem instanceof KubeError && problem.notFound) throw new Error(`Secret ${name} does not exist; apply it`, { cause: problem });
      throw problem;
    }
  }
}

/** What an Event says of a rotation. */
export function rotatedText(secret: string, login: string): string {
  return `Secret ${secret} now holds a new password, of the login ${login}.`;
}

function loginStatus(role: DeclaredRole, secret: RoleSecret): LoginStatus {
  const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());
  return {
    role: role.name, login: loginInUse(role, secret), secret: secret.name,
    rotatedAt: role.rotation && iso(rotatedAtMs(secret)), nextRotation: iso(nextRotationMs(role, secret)),
  };
}
