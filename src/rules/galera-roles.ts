import { reservedUser } from './galera-identity';
import { DNS_SUBDOMAIN } from './names';
import { rotationValid, rotationViolations } from './rotation-valid';
import { violation, type GaleraRule, type Violation } from './rule';
import { rotationLogins } from '../contract/declared-sql';
import type { GaleraClusterProps } from '../galera-cluster-props';
import type { GaleraRole } from '../galera-role';
import { galeraDatabases } from '../resolve/galera-users';

type Path = Array<string | number>;

/** MySQL takes no longer name of a user. */
const NAME = /^[a-z_][a-z0-9_]{0,31}$/;
/** The server's type. */
const MOST_CONNECTIONS = 100_000;

function nameProblem({ name }: GaleraRole, index: number, roles: readonly GaleraRole[]): string | undefined {
  if (!NAME.test(name) || name.endsWith('_')) return `the user is ${JSON.stringify(name)}`;
  if (reservedUser(name)) return `the user ${name} belongs to the server or to the cluster itself`;
  return roles.findIndex((other) => other.name === name) === index ? undefined : `the user ${name} stands twice`;
}

/** The two users of a rotation are users as well. */
function loginProblem({ name, rotation }: GaleraRole, props: GaleraClusterProps): string | undefined {
  if (!rotation) return undefined;
  const logins = rotationLogins(name);
  if (logins.some((login) => !NAME.test(login))) return `the name ${name} leaves no room for the users ${logins.join(' and ')}`;
  const users = [...(props.roles ?? []).map((role) => role.name), ...galeraDatabases(props).map(({ owner }) => owner)];
  const taken = logins.find((login) => users.includes(login));
  return taken && `${taken}, a user of the rotation of ${name}, is declared as a user of its own`;
}

function grantViolations({ grants = [] }: GaleraRole, path: Path, props: GaleraClusterProps): Violation[] {
  const known = galeraDatabases(props).map(({ name }) => name);
  return grants.flatMap(({ database }, index) => {
    const twice = grants.findIndex((other) => other.database === database) === index ? undefined : `the database ${database} stands twice`;
    const problem = known.includes(database) ? twice : `there is no database ${JSON.stringify(database)}; there are ${known.join(', ')}`;
    return violation([...path, 'grants', index, 'database'], problem, 'Name one of databases, each once');
  });
}

function limitProblem({ connectionLimit = 0 }: GaleraRole): string | undefined {
  const fits = Number.isInteger(connectionLimit) && connectionLimit >= 0 && connectionLimit <= MOST_CONNECTIONS;
  return fits ? undefined : `connectionLimit is ${connectionLimit}`;
}

function secretProblem({ secretName }: GaleraRole): string | undefined {
  return secretName === undefined || DNS_SUBDOMAIN.test(secretName) ? undefined : `the name is ${JSON.stringify(secretName)}`;
}

export const galeraRoles: GaleraRule = {
  code: 'EV2205',
  title: 'A user that could not be kept',
  cause: 'A name in roles needs quotes in SQL, is reserved, too long, ends with "_" or stands twice; a grant names a database that is not declared; a limit is no number of connections; secretName is no name that a Secret can have; or a rotation is too frequent, needs a name that is taken, or has a Secret that is not ours.',
  consequence: 'The user would not be made, or would have other rights than you believe',
  fix: 'Use a lower-case letter or "_", then letters, digits and "_", at most 32 characters, and each user once',
  check: ({ props }) => (props.roles ?? []).flatMap((role, index, all) => {
    const path = ['roles', index];
    return [
      ...violation([...path, 'name'], nameProblem(role, index, all)),
      ...grantViolations(role, path, props),
      ...violation([...path, 'rotation'], loginProblem(role, props), 'Use another name'),
      ...rotationViolations(role, path, props.credentials?.generates ?? true)
        .map((found) => ({ consequence: rotationValid.consequence, fix: rotationValid.fix, ...found })),
      ...violation([...path, 'connectionLimit'], limitProblem(role), `Use a whole number from 0 to ${MOST_CONNECTIONS}; 0 is no limit`),
      ...violation([...path, 'secretName'], secretProblem(role), 'Name a Secret of the same namespace'),
    ];
  }),
};
