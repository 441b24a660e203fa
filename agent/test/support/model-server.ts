/** A server in memory that understands exactly the statements of the plans; any other is an error. */
import type { DatabaseCatalog, DefaultPrivilege, ExtensionFacts, Privilege, ServerCatalog } from '../../src/model/sql-catalog.js';

export interface ModelRole {
  login: boolean;
  privileged: boolean;
  connectionLimit: number;
  verifier: string | undefined;
  memberOf: Set<string>;
  actsAs: Record<string, string>;
}

interface ModelSchema {
  owner: string;
  privileges: Privilege[];
}

/** A table or sequence, with who may do what. */
export interface ModelObject {
  readonly schema: string;
  readonly objects: 'TABLES' | 'SEQUENCES';
  readonly privileges: Privilege[];
}

export interface ModelDatabase {
  owner: string;
  privileges: Privilege[];
  schemas: Map<string, ModelSchema>;
  extensions: ExtensionFacts[];
  defaults: DefaultPrivilege[];
  objects: ModelObject[];
}

const DEFAULT_VERSION = '1.0';

export function newDatabase(owner: string): ModelDatabase {
  return {
    owner, extensions: [], defaults: [], objects: [],
    privileges: [{ grantee: 'public', privilege: 'CONNECT' }, { grantee: 'public', privilege: 'TEMPORARY' }],
    schemas: new Map([['public', { owner: 'pg_database_owner', privileges: [{ grantee: 'public', privilege: 'USAGE' }] }]]),
  };
}

export function newRole(change: Partial<ModelRole> = {}): ModelRole {
  return {
    login: true, privileged: false, connectionLimit: -1, verifier: undefined,
    memberOf: new Set(), actsAs: {}, ...change,
  };
}

type Run = (server: ModelServer, part: readonly string[], database: ModelDatabase) => void;

function give(list: Privilege[], privileges: string, grantee: string): void {
  privileges.split(', ').forEach((privilege) => list.push({ grantee, privilege }));
}

function schemaOf(database: ModelDatabase, name: string): ModelSchema {
  const found = database.schemas.get(name);
  if (!found) throw new Error(`schema ${name} does not exist`);
  return found;
}

const NAME = '"([^"]+)"';

const HANDLERS: ReadonlyArray<readonly [pattern: string, run: Run]> = [
  [`CREATE ROLE ${NAME} (LOGIN|NOLOGIN)(?: CONNECTION LIMIT (-?\\d+))?`, (server, [name, login, limit = '-1']) => {
    if (server.roles.has(name!)) throw new Error(`role ${name} already exists`);
    server.roles.set(name!, newRole({ login: login === 'LOGIN', connectionLimit: Number(limit) }));
  }],
  [`ALTER ROLE ${NAME} (LOGIN|NOLOGIN)`, (server, [name, login]) => { server.role(name!).login = login === 'LOGIN'; }],
  [`ALTER ROLE ${NAME} CONNECTION LIMIT (-?\\d+)`, (server, [name, limit]) => { server.role(name!).connectionLimit = Number(limit); }],
  [`ALTER ROLE ${NAME} SET role = '([^']+)'`, (server, [name, role]) => { server.role(name!).actsAs[''] = role!; }],
  [`ALTER ROLE ${NAME} IN DATABASE ${NAME} SET role = '([^']+)'`, (server, [name, database, role]) => {
    server.database(database!);
    server.role(name!).actsAs[database!] = role!;
  }],
  [`ALTER ROLE ${NAME} PASSWORD NULL`, (server, [name]) => { server.role(name!).verifier = undefined; }],
  [`ALTER ROLE ${NAME} PASSWORD '([^']+)'`, (server, [name, verifier]) => { server.role(name!).verifier = verifier; }],
  [`GRANT ${NAME} TO ${NAME}`, (server, [group, member]) => {
    server.role(group!);
    server.role(member!).memberOf.add(group!);
  }],
  [`CREATE DATABASE ${NAME} OWNER ${NAME}`, (server, [name, owner]) => {
    server.role(owner!);
    server.databases.set(name!, newDatabase(owner!));
  }],
  [`REVOKE ([A-Z, ]+) ON DATABASE ${NAME} FROM PUBLIC`, (server, [privileges, name]) => {
    const database = server.database(name!);
    const gone = privileges!.split(', ');
    database.privileges = database.privileges.filter((each) => each.grantee !== 'public' || !gone.includes(each.privilege));
  }],
  [`GRANT ([A-Z, ]+) ON DATABASE ${NAME} TO ${NAME}`, (server, [privileges, name, role]) => {
    server.role(role!);
    give(server.database(name!).privileges, privileges!, role!);
  }],
  ['REVOKE CREATE ON SCHEMA public FROM PUBLIC', (_, __, database) => {
    const schema = database.schemas.get('public')!;
    schema.privileges = schema.privileges.filter((each) => each.grantee !== 'public' || each.privilege !== 'CREATE');
  }],
  [`ALTER SCHEMA public OWNER TO ${NAME}`, (_, [owner], database) => { database.schemas.get('public')!.owner = owner!; }],
  [`CREATE SCHEMA ${NAME} AUTHORIZATION ${NAME}`, (server, [name, owner], database) => {
    server.role(owner!);
    database.schemas.set(name!, { owner: owner!, privileges: [] });
  }],
  [`(?:SET LOCAL search_path = public; )?CREATE EXTENSION IF NOT EXISTS ${NAME}(?: SCHEMA ${NAME})?(?: VERSION '([^']+)')? CASCADE`,
    (_, [name, schema = 'public', version = DEFAULT_VERSION], database) => {
      schemaOf(database, schema);
      database.extensions.push({ name: name!, schema, version });
    }],
  [`ALTER EXTENSION ${NAME} UPDATE TO '([^']+)'`, (_, [name, version], database) => {
    database.extensions = database.extensions
      .map((each) => (each.name === name ? { ...each, version: version! } : each));
  }],
  [`GRANT USAGE ON SCHEMA ${NAME} TO ${NAME}`, (_, [schema, role], database) =>
    give(schemaOf(database, schema!).privileges, 'USAGE', role!)],
  [`GRANT ([A-Z, ]+) ON ALL (TABLES|SEQUENCES) IN SCHEMA ${NAME} TO ${NAME}`, (_, [privileges, objects, schema, role], database) =>
    database.objects.filter((each) => each.schema === schema && each.objects === objects)
      .forEach((each) => give(each.privileges, privileges!, role!))],
  [`ALTER DEFAULT PRIVILEGES FOR ROLE ${NAME} IN SCHEMA ${NAME} GRANT ([A-Z, ]+) ON (TABLES|SEQUENCES) TO ${NAME}`,
    (server, [creator, schema, privileges, objects, grantee], database) => {
      server.role(creator!);
      schemaOf(database, schema!);
      privileges!.split(', ').forEach((privilege) => database.defaults.push({
        creator: creator!, schema: schema!, grantee: grantee!, privilege, objects: objects as 'TABLES' | 'SEQUENCES',
      }));
    }],
];

export class ModelServer {
  readonly roles = new Map<string, ModelRole>([['postgres', newRole({ privileged: true })]]);
  readonly databases = new Map<string, ModelDatabase>();
  readonly available: Record<string, string[]> = {};
  /** Everything that was run. */
  readonly statements: string[] = [];

  role(name: string): ModelRole {
    const found = this.roles.get(name);
    if (!found) throw new Error(`role ${name} does not exist`);
    return found;
  }

  database(name: string): ModelDatabase {
    const found = this.databases.get(name);
    if (!found) throw new Error(`database ${name} does not exist`);
    return found;
  }

  run(sql: string, database = ''): void {
    this.statements.push(sql);
    for (const [pattern, handle] of HANDLERS) {
      const match = new RegExp(`^${pattern}$`).exec(sql);
      if (match) return handle(this, match.slice(1), this.databases.get(database) ?? newDatabase('postgres'));
    }
    throw new Error(`not known here: ${sql}`);
  }

  catalog(): ServerCatalog {
    return {
      roles: [...this.roles].map(([name, role]) => ({ name, ...role, memberOf: [...role.memberOf] })),
      databases: [...this.databases].map(([name, { owner, privileges }]) => ({ name, owner, privileges })),
    };
  }

  databaseCatalog(name: string): DatabaseCatalog {
    const { extensions, defaults, schemas, objects } = this.database(name);
    const missing = objects.flatMap((object) => [...this.roles.keys()].flatMap((role) =>
      ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE']
        .filter((privilege) => !object.privileges.some((each) => each.grantee === role && each.privilege === privilege))
        .map((privilege) => ({ schema: object.schema, objects: object.objects, role, privilege }))));
    return {
      extensions: [...extensions], defaults: [...defaults], missing, available: this.available,
      schemas: [...schemas].map(([schema, facts]) => ({ name: schema, ...facts })),
    };
  }
}
