import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AccessLevel, DeclaredDatabase, DeclaredRole } from '../../../src/contract/declared-sql.js';
import { planDatabase } from '../../src/decide/database-plan.js';
import { planServer, touchable, type Declared } from '../../src/decide/server-plan.js';
import type { SqlProblem } from '../../src/model/sql-catalog.js';
import { database, role } from '../support/declared.js';
import { ModelServer, newDatabase, newRole } from '../support/model-server.js';

interface Round {
  readonly statements: string[];
  readonly problems: SqlProblem[];
}

/** One look, as the agent takes it. */
function look(server: ModelServer, wanted: Declared): Round {
  const before = server.statements.length;
  const plan = planServer(wanted, server.catalog());
  const problems = [...plan.problems];
  plan.steps.forEach(({ sql }) => server.run(sql));
  const { databases, roles } = touchable(wanted, server.catalog());
  for (const each of databases.filter(({ name }) => server.databases.has(name))) {
    const inside = planDatabase(each, roles, server.databaseCatalog(each.name));
    problems.push(...inside.problems);
    inside.steps.forEach(({ sql }) => server.run(sql, each.name));
  }
  return { statements: server.statements.slice(before), problems };
}

function declared(databases: DeclaredDatabase[], roles: DeclaredRole[]): Declared {
  return { databases, roles };
}

const APP = declared([database('app')], [role('app')]);

test('makes an owner, its database, and closes both to everybody else', () => {
  assert.deepEqual(look(new ModelServer(), APP), {
    problems: [],
    statements: [
      'CREATE ROLE "app" LOGIN', 'CREATE DATABASE "app" OWNER "app"', 'REVOKE CONNECT, TEMPORARY ON DATABASE "app" FROM PUBLIC',
      'GRANT CONNECT, TEMPORARY ON DATABASE "app" TO "app"', 'ALTER SCHEMA public OWNER TO "app"',
    ],
  });
});

test('closes public to everybody where an older server had left it open', () => {
  const server = new ModelServer();
  look(server, APP);
  server.database('app').schemas.get('public')!.privileges.push({ grantee: 'public', privilege: 'CREATE' });
  assert.deepEqual(look(server, APP).statements, ['REVOKE CREATE ON SCHEMA public FROM PUBLIC']);
});

test('makes two logins that act as a role whose password rotates, so that objects belong to the role', () => {
  const server = new ModelServer();
  look(server, declared([database('app')], [role('app', { rotation: {} })]));
  for (const login of ['app_a', 'app_b']) {
    assert.deepEqual([...server.role(login).memberOf], ['app']);
    assert.deepEqual(server.role(login).actsAs, { '': 'app' });
  }
});

test('lets a role with owner access act as the owner, in that database only, whichever login it uses', () => {
  const server = new ModelServer();
  look(server, declared([database('app')], [role('app'), role('ci', { grants: [{ database: 'app', access: 'owner' }], rotation: {} })]));
  assert.deepEqual(server.role('ci').actsAs, { app: 'app' });
  assert.deepEqual(server.role('ci_a').actsAs, { '': 'ci', 'app': 'app' });
});

test('gives a reader what is there and what will be, and no more', () => {
  const server = new ModelServer();
  look(server, APP);
  server.database('app').objects.push({ schema: 'public', objects: 'TABLES', privileges: [] });
  const reader = role('reader', { grants: [{ database: 'app', access: 'readOnly' }] });
  assert.deepEqual(look(server, declared([database('app')], [role('app'), reader])).statements, [
    'CREATE ROLE "reader" LOGIN', 'GRANT CONNECT ON DATABASE "app" TO "reader"',
    'GRANT USAGE ON SCHEMA "public" TO "reader"', 'GRANT SELECT ON ALL TABLES IN SCHEMA "public" TO "reader"',
    'ALTER DEFAULT PRIVILEGES FOR ROLE "app" IN SCHEMA "public" GRANT SELECT ON TABLES TO "reader"',
    'ALTER DEFAULT PRIVILEGES FOR ROLE "app" IN SCHEMA "public" GRANT SELECT ON SEQUENCES TO "reader"',
  ]);
});

test('leaves a superuser of the declared name alone and goes on with the others, because somebody meant it', () => {
  const server = new ModelServer();
  server.roles.set('boss', newRole({ privileged: true }));
  const round = look(server, declared([database('app')], [role('app'), role('boss', { connectionLimit: 1, grants: [{ database: 'app', access: 'readOnly' }] })]));
  assert.deepEqual(round.problems, [{ what: 'role boss', why: 'it exists with SUPERUSER or REPLICATION, and is not touched' }]);
  assert.equal(round.statements.some((sql) => sql.includes('boss')), false);
  assert.equal(server.databases.has('app'), true);
});

test('reports a database and a schema of another owner instead of giving them away', () => {
  const server = new ModelServer();
  server.roles.set('old', newRole());
  server.databases.set('app', newDatabase('old'));
  server.database('app').schemas.set('billing', { owner: 'old', privileges: [] });
  const { problems, statements } = look(server, declared([database('app', { schemas: [{ name: 'billing', owner: 'app' }] })], [role('app')]));
  assert.deepEqual(problems.map(({ what }) => what), ['database app', 'schema billing of app']);
  assert.match(problems[0]!.why, /belongs to old, not to app, .*ALTER DATABASE "app" OWNER TO "app"/);
  assert.equal(server.database('app').owner, 'old');
  assert.equal(statements.some((sql) => /OWNER TO "app"$/.test(sql) && !sql.startsWith('ALTER SCHEMA public')), false);
});

test('reports extensions that the image has not, in that version or at all, and makes the others', () => {
  const server = new ModelServer();
  Object.assign(server.available, { hstore: ['1.0', '1.1'], citext: ['1.0'] });
  const extensions = [{ name: 'postgis' }, { name: 'citext', version: '9' }, { name: 'hstore', version: '1.1', schema: 'ext' }];
  const { problems } = look(server, declared([database('app', { extensions })], [role('app')]));
  assert.deepEqual(problems.map(({ why }) => why), ['extension postgis is not in the image', 'the image has citext 1.0, not 9']);
  assert.deepEqual(server.database('app').extensions, [{ name: 'hstore', schema: 'ext', version: '1.1' }]);
});

test('brings an extension to the declared version and never moves it', () => {
  const server = new ModelServer();
  Object.assign(server.available, { hstore: ['1.0', '1.1'] });
  look(server, declared([database('app', { extensions: [{ name: 'hstore' }] })], [role('app')]));
  const wanted = { name: 'hstore', version: '1.1', schema: 'ext' };
  const { problems } = look(server, declared([database('app', { extensions: [wanted] })], [role('app')]));
  assert.deepEqual(server.database('app').extensions, [{ name: 'hstore', schema: 'public', version: '1.1' }]);
  assert.match(problems[0]!.why, /in schema public, not in ext, and is not moved/);
});

test('does without public where somebody dropped it', () => {
  const server = new ModelServer();
  look(server, APP);
  server.database('app').schemas.delete('public');
  const reader = role('reader', { grants: [{ database: 'app', access: 'readOnly' }] });
  assert.equal(look(server, declared([database('app')], [role('app'), reader])).statements.some((sql) => sql.includes('public')), false);
});

test('quotes names, so that none of them can be SQL', () => {
  const plan = planServer(declared([], [role('a"; DROP TABLE x; --')]), { roles: [], databases: [] });
  assert.equal(plan.steps[0]!.sql, 'CREATE ROLE "a""; DROP TABLE x; --" LOGIN');
});

// ---- properties

const NAMES = ['app', 'crm', 'team', 'ci', 'bi'] as const;
const EXTENSIONS = ['hstore', 'citext', 'postgis'] as const;
const name = fc.constantFrom(...NAMES);

const anyDatabase = fc.record({
  name, owner: name,
  extensions: fc.uniqueArray(fc.record({
    name: fc.constantFrom(...EXTENSIONS), schema: fc.constantFrom('ext', 'billing'), version: fc.constantFrom('1.0', '1.1'),
  }, { requiredKeys: ['name'] }), { selector: (each) => each.name }),
  schemas: fc.uniqueArray(fc.record({ name: fc.constantFrom('billing', 'stock'), owner: name }), { selector: (each) => each.name }),
});

const anyRole = (databases: string[]) => fc.record({
  name, login: fc.boolean(), connectionLimit: fc.integer({ min: -1, max: 5 }),
  rotates: fc.boolean(), inRoles: fc.uniqueArray(name, { maxLength: 2 }),
  grants: fc.uniqueArray(fc.record({
    database: fc.constantFrom(...databases, 'app'), access: fc.constantFrom<AccessLevel>('readOnly', 'readWrite', 'owner'),
  }), { selector: (grant) => grant.database }),
});

/** As the rules of the library leave it: names once, and only what is declared. */
const someDatabases = fc.uniqueArray(anyDatabase, { selector: (each) => each.name, minLength: 1 });
const anyDeclared: fc.Arbitrary<Declared> = someDatabases.chain((databases) =>
  fc.uniqueArray(anyRole(databases.map((each) => each.name)), { selector: (each) => each.name }).map((given) => {
    const known = new Set<string>(databases.map((each) => each.name));
    const chosen = given.map(({ rotates, inRoles, grants, ...rest }) => role(rest.name, {
      ...rest, ...(rotates && rest.login ? { rotation: {} } : {}),
      inRoles: inRoles.filter((group) => group > rest.name),
      grants: grants.filter((grant) => known.has(grant.database)),
    }));
    const missing = NAMES.filter((each) => !chosen.some((one) => one.name === each)).map((each) => role(each));
    return declared(databases, [...missing, ...chosen]);
  }));

/** What people did before and meanwhile. */
const anyBefore: fc.Arbitrary<Before> = fc.record({
  roles: fc.dictionary(fc.constantFrom(...NAMES, 'ci_a', 'old'), fc.record({ login: fc.boolean(), privileged: fc.boolean() }), { maxKeys: 3 }),
  databases: fc.dictionary(fc.constantFrom('app', 'crm', 'other'), fc.constantFrom('postgres', 'app', 'old'), { maxKeys: 3 }),
  tables: fc.boolean(),
});

interface Before {
  readonly roles: Readonly<Record<string, { readonly login: boolean; readonly privileged: boolean }>>;
  readonly databases: Readonly<Record<string, string>>;
  readonly tables: boolean;
}

function serverWith({ roles, databases, tables }: Before): ModelServer {
  const server = new ModelServer();
  Object.assign(server.available, { hstore: ['1.0', '1.1'], citext: ['1.0'] });
  Object.entries(roles).forEach(([each, facts]) => server.roles.set(each, newRole(facts)));
  for (const [each, owner] of Object.entries(databases)) {
    if (server.roles.has(owner)) server.databases.set(each, newDatabase(owner));
  }
  for (const each of server.databases.values()) {
    if (tables) each.objects.push({ schema: 'public', objects: 'TABLES', privileges: [{ grantee: 'old', privilege: 'SELECT' }] });
  }
  return server;
}

/** A statement that fails does not stop the others, as in the agent. */
function tolerantLook(server: ModelServer, wanted: Declared): { statements: string[]; failed: string[] } {
  const failed: string[] = [];
  const before = server.statements.length;
  const run = (sql: string, inside?: string) => {
    try {
      server.run(sql, inside);
    } catch (problem) {
      failed.push(`${sql}: ${(problem as Error).message}`);
    }
  };
  planServer(wanted, server.catalog()).steps.forEach(({ sql }) => run(sql));
  const { databases, roles } = touchable(wanted, server.catalog());
  for (const each of databases.filter((one) => server.databases.has(one.name))) {
    planDatabase(each, roles, server.databaseCatalog(each.name)).steps.forEach(({ sql }) => run(sql, each.name));
  }
  return { statements: server.statements.slice(before), failed };
}

test('a second look finds nothing to do, whatever was there before', () => {
  fc.assert(fc.property(anyBefore, anyDeclared, (before, wanted) => {
    const server = serverWith(before);
    const first = tolerantLook(server, wanted);
    assert.deepEqual(first.failed.filter((text) => !/does not exist$/.test(text)), []);
    const second = tolerantLook(server, wanted).statements
      .filter((sql) => !first.failed.some((text) => text.startsWith(sql)));
    assert.deepEqual(second, []);
  }), { numRuns: 300 });
});

test('each statement can rely on those before it: on a server without privileged namesakes none fails', () => {
  fc.assert(fc.property(anyBefore, anyDeclared, (before, wanted) => {
    const server = serverWith(before);
    server.roles.forEach((each, key) => { each.privileged = key === 'postgres'; });
    assert.deepEqual(tolerantLook(server, wanted).failed, []);
  }), { numRuns: 300 });
});

test('nothing is dropped, and nobody but PUBLIC loses anything', () => {
  fc.assert(fc.property(anyBefore, anyDeclared, (before, wanted) => {
    for (const sql of tolerantLook(serverWith(before), wanted).statements) {
      assert.doesNotMatch(sql, /\bDROP\b|\bDELETE\b(?!,| ON)|\bTRUNCATE\b/);
      if (sql.startsWith('REVOKE')) assert.match(sql, /FROM PUBLIC$/);
      assert.doesNotMatch(sql, /\bSUPERUSER\b|\bREPLICATION\b|\bBYPASSRLS\b/);
    }
  }), { numRuns: 300 });
});
