/**
 * What to do next about the password of one role, from its Secret and from the server alone. Nothing else is
 * remembered, so an interruption at any point is followed by the right step.
 *
 * The Secret decides. Its `user` says which login its password is of: the role itself, or one of the two that take
 * turns. A rotation sets the other login's verifier first and switches the Secret then, so that what stands in the
 * Secret always logs in.
 */
import { ROTATION_ANNOTATION, rotationLogins, type DeclaredRole } from '../../../src/contract/declared-sql.js';
import type { PasswordStep } from '../model/password-step.js';
import type { RoleSecret } from '../model/role-secret.js';
import { scramMatches } from '../model/scram.js';
import type { ServerCatalog } from '../model/sql-catalog.js';

const NEEDED = ['user', 'password', 'host', 'port', 'dbname', 'uri', 'jdbc-uri'];

/** Whose password the Secret holds. */
export function loginInUse({ name }: DeclaredRole, { values }: RoleSecret): string {
  return rotationLogins(name).includes(values.user ?? '') ? values.user! : name;
}

/** When the password was last replaced; undefined where nobody knows. */
export function rotatedAtMs({ annotations }: RoleSecret): number | undefined {
  const at = Date.parse(annotations[ROTATION_ANNOTATION.rotatedAt] ?? '');
  return Number.isNaN(at) ? undefined : at;
}

/** When the next one is planned. */
export function nextRotationMs({ rotation }: DeclaredRole, secret: RoleSecret): number | undefined {
  const [last, every] = [rotatedAtMs(secret), rotation?.everySeconds];
  return last === undefined || every === undefined ? undefined : last + every * 1000;
}

export function isRotationDue(role: DeclaredRole, secret: RoleSecret, nowMs: number): boolean {
  if (!role.rotation) return false;
  const isAsked = secret.annotations[ROTATION_ANNOTATION.request] !== undefined;
  return isAsked || nowMs >= (nextRotationMs(role, secret) ?? Infinity);
}

/** The login before the one in use keeps its password for a while; whatever is older goes. */
function overdue(role: DeclaredRole, secret: RoleSecret, catalog: ServerCatalog, nowMs: number): string | undefined {
  const inUse = loginInUse(role, secret);
  if (!role.rotation || inUse === role.name) return undefined;
  const { oldValidForSeconds = Infinity } = role.rotation;
  const older = [...rotationLogins(role.name), role.name].filter((login) => login !== inUse)
    .filter((login) => catalog.roles.some(({ name, verifier }) => name === login && verifier));
  const isOver = nowMs >= (rotatedAtMs(secret) ?? Infinity) + oldValidForSeconds * 1000;
  return (isOver ? older : older.slice(1))[0];
}

function rotate(role: DeclaredRole, secret: RoleSecret, catalog: ServerCatalog): PasswordStep {
  const [first, second] = rotationLogins(role.name);
  const to = loginInUse(role, secret) === first ? second : first;
  const found = catalog.roles.some(({ name }) => name === to);
  if (found) return { kind: 'rotate', to };
  return { kind: 'problem', why: `the login ${to} is not there, so the password is not rotated` };
}

function incomplete({ secret: declared }: DeclaredRole, secret: RoleSecret): PasswordStep | undefined {
  if (declared!.fill) return NEEDED.some((key) => !secret.values[key]) ? { kind: 'fill' } : undefined;
  return secret.values.password ? undefined : { kind: 'problem', why: `Secret ${secret.name} has no value for key password; add it` };
}

/** One step; after it is done, the next is asked for with what is then the case. The role logs in. */
export function nextPasswordStep(role: DeclaredRole, secret: RoleSecret, catalog: ServerCatalog,
  nowMs: number): PasswordStep {
  const missing = incomplete(role, secret);
  if (missing) return missing;
  const login = loginInUse(role, secret);
  const found = catalog.roles.find(({ name }) => name === login);
  if (!found) return { kind: 'problem', why: `the login ${login}, which Secret ${secret.name} names, is not there` };
  if (!scramMatches(found.verifier ?? undefined, secret.values.password!)) return { kind: 'align', login };
  if (isRotationDue(role, secret, nowMs)) return rotate(role, secret, catalog);
  if (role.rotation && rotatedAtMs(secret) === undefined) return { kind: 'stamp' };
  const old = overdue(role, secret, catalog, nowMs);
  return old === undefined ? { kind: 'none' } : { kind: 'retire', login: old };
}
