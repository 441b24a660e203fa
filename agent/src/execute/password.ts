/**
 * Carries out one step about a password. In the server first, in the Secret then, as `decide/password.ts` relies on.
 */
import type { Hands } from './executor.js';
import { ROTATION_ANNOTATION, type DeclaredRole } from '../../../src/contract/declared-sql.js';
import type { PasswordStep } from '../model/password-step.js';
import { encoded, missingValues, withLogin, type RoleSecret, type SecretValues } from '../model/role-secret.js';
import { randomPassword, scramVerifier } from '../model/scram.js';
import { literal, quoted } from '../model/sql-catalog.js';
import type { SqlSession } from '../ports/sql.js';

/** How long a new password may take to the standbys, which clients log in to as well. */
const REPLAY_LIMIT_MS = 10_000;
const REPLAY_LOOK_MS = 100;

const BEHIND = `SELECT application_name AS name FROM pg_stat_replication
  WHERE state = 'streaming' AND replay_lsn < $1::pg_lsn`;

export interface PasswordWork {
  readonly hands: Pick<Hands, 'kube' | 'clock'>;
  readonly session: SqlSession;
  readonly role: DeclaredRole;
  readonly secret: RoleSecret;
}

async function setPassword({ session }: PasswordWork, login: string, password: string): Promise<void> {
  await session.query(`ALTER ROLE ${quoted(login)} PASSWORD ${literal(scramVerifier(password))}`);
}

/** By resourceVersion: who has changed the Secret since it was read wins, and the next look begins anew. */
async function patchSecret({ hands, secret }: PasswordWork, values: SecretValues,
  annotations: Record<string, string | null>): Promise<void> {
  const metadata = { resourceVersion: secret.resourceVersion, annotations };
  await hands.kube.patch('secrets', secret.name, { metadata, data: encoded(values) });
}

/** Clients of a standby may read the Secret at once, too. */
async function untilReplayed({ hands, session }: PasswordWork): Promise<void> {
  const [written] = await session.query('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  const until = hands.clock.nowMs() + REPLAY_LIMIT_MS;
  for (;;) {
    const behind = await session.query(BEHIND, [written!.lsn]);
    if (behind.length === 0) return;
    if (hands.clock.nowMs() > until) {
      throw new Error(`the password is not switched: ${String(behind[0]!.name)} is behind, and would refuse it`);
    }
    await hands.clock.sleep(REPLAY_LOOK_MS);
  }
}

async function rotate(work: PasswordWork, to: string): Promise<void> {
  const password = randomPassword();
  await setPassword(work, to, password);
  await untilReplayed(work);
  const at = work.hands.clock.wall().toISOString();
  await patchSecret(work, withLogin(work.role.secret!.connection, work.secret.values, to, password),
    { [ROTATION_ANNOTATION.rotatedAt]: at, [ROTATION_ANNOTATION.request]: null });
}

function stamped({ role, hands }: PasswordWork): Record<string, string> {
  return role.rotation ? { [ROTATION_ANNOTATION.rotatedAt]: hands.clock.wall().toISOString() } : {};
}

export async function doPasswordStep(work: PasswordWork, step: PasswordStep): Promise<void> {
  const { role, secret, session } = work;
  switch (step.kind) {
    case 'fill': {
      const values = missingValues(role.name, role.secret!.connection, secret.values, randomPassword);
      return patchSecret(work, values, stamped(work));
    }
    case 'align': return setPassword(work, step.login, secret.values.password!);
    case 'stamp': return patchSecret(work, {}, stamped(work));
    case 'rotate': return rotate(work, step.to);
    case 'retire': {
      await session.query(`ALTER ROLE ${quoted(step.login)} PASSWORD NULL`);
      return undefined;
    }
    default: return undefined;
  }
}
