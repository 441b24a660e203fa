import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import { ROTATION_ANNOTATION, type DeclaredRole } from '../../../src/contract/declared-sql.js';
import { loginInUse, nextPasswordStep } from '../../src/decide/password.js';
import { planServer } from '../../src/decide/server-plan.js';
import { doPasswordStep } from '../../src/execute/password.js';
import { encoded, roleSecret, type RoleSecret } from '../../src/model/role-secret.js';
import { scramMatches, scramVerifier } from '../../src/model/scram.js';
import type { Clock } from '../../src/ports/clock.js';
import type { SqlSession } from '../../src/ports/sql.js';
import { role } from '../support/declared.js';
import { FakeKube } from '../support/fake-kube.js';
import { ModelServer } from '../support/model-server.js';

const START = Date.parse('2026-01-01T00:00:00Z');
const HOUR = 3_600_000;

class Interrupted extends Error {}

/** A Secret in an API and a server in memory; every call to one of them can be the last before a crash. */
class World {
  readonly kube = new MergingKube();
  readonly server = new ModelServer();
  nowMs = START;
  /** Calls until the crash. */
  callsLeft = Infinity;
  /** Standbys that are behind for so many looks. */
  behindFor = 0;
  readonly clock: Clock = {
    nowMs: () => this.nowMs, wall: () => new Date(this.nowMs), random: () => 0,
    sleep: async (milliseconds) => { this.nowMs += milliseconds; },
  };

  constructor(readonly declared: DeclaredRole, values: Record<string, string> = {}) {
    this.kube.put('secrets', { metadata: { name: 'orders-app' }, data: encoded(values) });
    const { steps } = planServer({ databases: [], roles: [declared] }, this.server.catalog());
    steps.forEach(({ sql }) => this.server.run(sql));
    this.kube.before = (verb) => this.step(verb === 'get');
  }

  /** Looks change nothing, so a crash there is no case of its own. */
  private step(isLook: boolean): void {
    if (isLook) return;
    this.callsLeft -= 1;
    if (this.callsLeft < 0) throw new Interrupted();
  }

  readonly session: SqlSession = {
    query: async (text) => {
      if (text.includes('pg_current_wal')) return [{ lsn: '0/1' }];
      if (text.includes('pg_stat_replication')) {
        this.behindFor -= 1;
        return this.behindFor >= 0 ? [{ name: 'orders-2' }] : [];
      }
      this.step(false);
      this.server.run(text);
      return [];
    },
  };

  async secret(): Promise<RoleSecret> {
    return roleSecret(await this.kube.get('secrets', 'orders-app'));
  }

  /** Steps until none is left, as the agent takes them; gives their kinds. */
  async look(): Promise<string[]> {
    const kinds: string[] = [];
    for (let count = 0; count < 10; count += 1) {
      const secret = await this.secret();
      const step = nextPasswordStep(this.declared, secret, this.server.catalog(), this.nowMs);
      if (step.kind === 'none' || step.kind === 'problem') return step.kind === 'none' ? kinds : [...kinds, step.why];
      kinds.push(step.kind);
      const hands = { kube: this.kube, clock: this.clock };
      await doPasswordStep({ hands, session: this.session, role: this.declared, secret }, step);
    }
    throw new Error(`no end: ${kinds.join(', ')}`);
  }

  /** Crashes after that many changes, and a new process goes on. */
  async lookInterrupted(after: number): Promise<void> {
    this.callsLeft = after;
    await this.look().catch((problem: unknown) => assert.ok(problem instanceof Interrupted, String(problem)));
    this.callsLeft = Infinity;
  }

  async ask(): Promise<void> {
    await this.kube.patch('secrets', 'orders-app', { metadata: { annotations: { [ROTATION_ANNOTATION.request]: 'now' } } });
  }

  logsIn({ user, password }: Readonly<Record<string, string>>): boolean {
    return scramMatches(this.server.roles.get(user!)?.verifier, password!);
  }
}

/** `data` is merged, as the API does it. */
class MergingKube extends FakeKube {
  override patch(resource: 'secrets', name: string, body: { data?: object; metadata?: object }) {
    const old = this.objects.get(`${resource}/${name}`) as { data?: object } | undefined;
    return super.patch(resource, name, body.data ? { ...body, data: { ...old?.data, ...body.data } } : body);
  }
}

const ROTATING = role('app', { rotation: { everySeconds: 24 * 3600 } });

async function rotating(declared: DeclaredRole = ROTATING): Promise<World> {
  const world = new World(declared);
  await world.look();
  return world;
}

test('fills an empty Secret with everything that an application needs, and the server knows it', async () => {
  const world = new World(role('app'));
  assert.deepEqual(await world.look(), ['fill', 'align']);
  const { values } = await world.secret();
  assert.deepEqual({ ...values, 'password': '', 'uri': '', 'jdbc-uri': '' }, { 'user': 'app', 'host': 'orders-rw.shop.svc', 'port': '5432', 'dbname': 'app', 'password': '', 'uri': '', 'jdbc-uri': '' });
  assert.equal(values.uri, `postgresql://app:${values.password}@orders-rw.shop.svc:5432/app`);
  assert.ok(world.logsIn(values));
});

test('never changes a value that is there, because whoever set it first decides', async () => {
  const world = new World(role('app'), { password: 'p/w ä', host: 'pooler' });
  await world.look();
  const { values } = await world.secret();
  assert.equal(values.password, 'p/w ä');
  assert.equal(values.uri, 'postgresql://app:p%2Fw%20%C3%A4@pooler:5432/app');
});

test('carries a password that a person writes to the server', async () => {
  const world = await rotating(role('app'));
  await world.kube.patch('secrets', 'orders-app', { data: { password: btoa('by-hand') } });
  assert.deepEqual(await world.look(), ['align']);
  assert.ok(world.logsIn({ user: 'app', password: 'by-hand' }));
});

test('does nothing while all is in step', async () => {
  const world = await rotating();
  assert.deepEqual(await world.look(), []);
});

test('fills nothing into a Secret of somebody else, and says what is missing', async () => {
  const world = new World(role('app', { secret: { ...role('app').secret!, fill: false } }), { user: 'app' });
  assert.deepEqual(await world.look(), ['Secret orders-app has no value for key password; add it']);
});

test('keeps the old password valid until the next rotation, so that who has not read the Secret again goes on', async () => {
  const world = await rotating();
  const seen: Array<Readonly<Record<string, string>>> = [(await world.secret()).values];
  for (let turn = 1; turn <= 5; turn += 1) {
    world.nowMs += 24 * HOUR;
    assert.equal((await world.look())[0], 'rotate');
    seen.push((await world.secret()).values);
    assert.deepEqual(seen.map((values) => world.logsIn(values)), seen.map((_, index) => index >= turn - 1));
  }
  assert.deepEqual(seen.map(({ user }) => user), ['app', 'app_a', 'app_b', 'app_a', 'app_b', 'app_a']);
});

test('ends the old password after the time that was asked for', async () => {
  const world = await rotating(role('app', { rotation: { oldValidForSeconds: 3600 } }));
  const old = (await world.secret()).values;
  await world.ask();
  assert.deepEqual(await world.look(), ['rotate']);
  world.nowMs += HOUR - 1;
  assert.deepEqual(await world.look(), []);
  assert.ok(world.logsIn(old));
  world.nowMs += 1;
  assert.deepEqual(await world.look(), ['retire']);
  assert.equal(world.logsIn(old), false);
});

test('rotates once for one request', async () => {
  const world = await rotating();
  await world.ask();
  assert.deepEqual(await world.look(), ['rotate']);
  assert.equal((await world.secret()).annotations[ROTATION_ANNOTATION.request], undefined);
  assert.deepEqual(await world.look(), []);
});

test('does not take a request where no rotation is declared', async () => {
  const world = await rotating(role('app'));
  await world.ask();
  assert.deepEqual(await world.look(), []);
});

test('leaves where the connection leads to, because a person may have put the pooler there', async () => {
  const world = await rotating();
  await world.kube.patch('secrets', 'orders-app', { data: { host: btoa('orders-pooler-rw') } });
  await world.ask();
  await world.look();
  assert.match((await world.secret()).values.uri!, /^postgresql:\/\/app_a:[A-Za-z0-9]{32}@orders-pooler-rw:5432\/app$/);
});

test('gives way to a person who changes the Secret meanwhile', async () => {
  const world = await rotating();
  await world.ask();
  const session: SqlSession = {
    query: async (text, values) => {
      const isBetween = text.includes('pg_stat_replication');
      if (isBetween) await world.kube.patch('secrets', 'orders-app', { data: { password: btoa('by-hand') } });
      return world.session.query(text, values);
    },
  };
  const hands = { kube: world.kube, clock: world.clock };
  const work = { hands, session, role: ROTATING, secret: await world.secret() };
  await assert.rejects(doPasswordStep(work, { kind: 'rotate', to: 'app_a' }), /409/);
  assert.equal((await world.secret()).values.password, 'by-hand');
  await world.look();
  assert.ok(world.logsIn((await world.secret()).values));
});

test('waits for standbys before it switches the Secret, because clients log in there too', async () => {
  const world = await rotating();
  await world.ask();
  world.behindFor = 3;
  await world.look();
  assert.equal(world.behindFor, -1);
});

test('does not switch the Secret while a standby stays behind', async () => {
  const world = await rotating();
  const before = (await world.secret()).values;
  await world.ask();
  world.behindFor = 1000;
  await assert.rejects(world.look(), /orders-2 is behind/);
  assert.deepEqual((await world.secret()).values, before);
});

test('says so when the login that is next is not there', async () => {
  const world = await rotating();
  world.server.roles.delete('app_a');
  await world.ask();
  assert.deepEqual(await world.look(), ['the login app_a is not there, so the password is not rotated']);
});

test('sets the password again that a failover has lost', async () => {
  const world = await rotating();
  await world.ask();
  await world.look();
  world.server.role('app_a').verifier = scramVerifier('older');
  assert.deepEqual(await world.look(), ['align']);
  assert.ok(world.logsIn((await world.secret()).values));
});

test('no clear-text password reaches the server', async () => {
  const world = await rotating();
  await world.ask();
  await world.look();
  const { password } = (await world.secret()).values;
  assert.equal(world.server.statements.some((sql) => sql.includes(password!)), false);
});

test('whatever interrupts it: what stands in the Secret logs in, and a new process ends what was begun', async () => {
  const event = fc.record({ after: fc.nat(4), hours: fc.nat(30), asks: fc.boolean() });
  const history = fc.array(event, { minLength: 1, maxLength: 8 });
  await fc.assert(fc.asyncProperty(history, fc.boolean(), async (events, isShort) => {
    const rotation = { everySeconds: 24 * 3600, ...(isShort ? { oldValidForSeconds: 7200 } : {}) };
    const world = await rotating(role('app', { rotation }));
    for (const { after, hours, asks } of events) {
      world.nowMs += hours * HOUR;
      if (asks) await world.ask();
      await world.lookInterrupted(after);
      assert.ok(world.logsIn((await world.secret()).values), 'the Secret logs in, even right after the crash');
    }
    const before = (await world.secret()).values;
    await world.look();
    const secret = await world.secret();
    assert.ok(world.logsIn(secret.values));
    assert.equal(loginInUse(world.declared, secret), secret.values.user);
    assert.deepEqual(await world.look(), []);
    if (!isShort) assert.ok(world.logsIn(before), 'who has the password before goes on');
  }), { numRuns: 100 });
});

function btoa(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
