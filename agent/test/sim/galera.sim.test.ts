/**
 * Seeded lives of a Galera cluster: single kills, all at once, lost and frozen nodes, cut links, an unreachable API,
 * and
 * agents that die or stand still between any two calls, with two of them at once. No acknowledged row may be lost, no
 * number may be given to two acknowledged rows, nobody may begin while somebody serves, and nobody who lives may be
 * evicted. AGENT_SIM_RUNS sets the number of lives, AGENT_SIM_SEED the first seed; a failure names its seed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedGaleraAgent, type Api } from './galera-driver.js';
import { GaleraWorld, NAMES, STEP_MS, type Member } from './galera-world.js';
import { Random } from './world.js';

const RUNS = Number(process.env.AGENT_SIM_RUNS ?? 200);
const FIRST = Number(process.env.AGENT_SIM_SEED ?? 1);
const LIFE_MS = 90_000;
const PARTIES = [...NAMES, 'api', 'agent-a', 'agent-b'];

function mend(world: GaleraWorld): void {
  world.cuts.clear();
  for (const member of world.members) {
    member.frozenUntilMs = -Infinity;
    if (!member.nodeUp) Object.assign(member, { nodeUp: true, phase: 'off', dueMs: world.now + 1000 });
  }
}

function lose(world: GaleraWorld, member: Member): void {
  world.kill(member, Infinity);
  member.nodeUp = false;
}

const FAULTS: Record<string, (world: GaleraWorld, agents: readonly SimulatedGaleraAgent[]) => void> = {
  kill: (world) => world.kill(world.random.pick(world.members), 300 + world.random.below(6000)),
  killAll: (world) => world.members.forEach((member) => world.kill(member, 300 + world.random.below(6000))),
  /** Under load, one after the other: the last one may be ahead. */
  killInTurn: (world) => {
    const turns = [...world.members].sort(() => world.random.next() - 0.5);
    for (const member of turns) {
      world.kill(member, 500 + world.random.below(20_000));
      for (let left = world.random.below(80); left > 0; left -= 1) world.advance(STEP_MS);
    }
  },
  lose: (world) => lose(world, world.random.pick(world.members)),
  freeze: (world) => {
    world.random.pick(world.members).frozenUntilMs = world.now + world.random.below(12_000);
  },
  cut: (world) => {
    const [a, b] = [world.random.pick(PARTIES), world.random.pick(PARTIES)];
    if (a !== b) world.cut(a, b);
  },
  isolate: (world) => {
    const one = world.random.pick(PARTIES);
    for (const other of PARTIES.filter((party) => party !== one)) world.cut(one, other);
  },
  heal: mend,
  agent: (_world, agents) => agents.forEach((agent) => agent.forget()),
};

function plagueWith(world: GaleraWorld, agents: readonly SimulatedGaleraAgent[]): void {
  const kinds = Object.keys(FAULTS);
  let next = 12_000;
  let busy = false;
  world.beforeStep = () => {
    if (world.now < next || busy) return;
    busy = true; // a fault that takes time is not met by another one
    const kind = world.random.pick(kinds);
    world.tell(kind);
    FAULTS[kind]!(world, agents);
    busy = false;
    next = world.now + (world.random.next() < 0.4 ? 100 + world.random.below(1500) : 500 + world.random.below(9000));
  };
}

async function run(world: GaleraWorld, agents: readonly SimulatedGaleraAgent[], untilMs: number): Promise<void> {
  while (world.now < untilMs) {
    world.advance(STEP_MS);
    for (const agent of agents) if (world.random.below(4) === 0) await agent.tick();
  }
}

interface Life {
  readonly world: GaleraWorld;
  readonly rules: ReadonlyMap<string, number>;
}

async function live(seed: number, { selfRecovery = true, withAgents = true } = {}): Promise<Life> {
  const world = new GaleraWorld(new Random(seed));
  world.selfRecovery = selfRecovery;
  const api: Api = { version: 1, history: undefined };
  const agents = withAgents ? ['agent-a', 'agent-b'].map((name) => new SimulatedGaleraAgent(world, api, name)) : [];
  plagueWith(world, agents);
  await run(world, agents, LIFE_MS);
  world.beforeStep = () => undefined;
  mend(world);
  await run(world, agents, world.now + 90_000);
  const rules = new Map<string, number>();
  for (const agent of agents) for (const [rule, count] of agent.rules) rules.set(rule, (rules.get(rule) ?? 0) + count);
  return { world, rules };
}

function standing({ name, phase, data, log, queue, note, lastView }: Member): string {
  const bootstrap = note ? `${note.n} at ${note.seqno}` : 'none';
  return `${name} is ${phase}, data ${data} at ${log.length} + ${queue.length}, bootstrap ${bootstrap}, was with ${lastView.join(', ')}`;
}

function verify(seed: number, { world }: Life): void {
  const story = () => `seed ${seed}\n${world.story.slice(-60).join('\n')}`;
  assert.deepEqual(world.wrongs.slice(0, 3), [], story());
  const serving = world.members.filter((member) => world.quorate(member));
  assert.equal(serving.length, NAMES.length, `not all serve in the end:\n${world.members.map(standing).join('\n')}\n${story()}`);
  const rows = new Set([...serving[0]!.log, ...serving[0]!.queue]);
  const lost = [...world.acked].filter((row) => !rows.has(row));
  assert.deepEqual(lost.slice(0, 5), [], story());
  // What members have queued they have not told anybody.
  const logs = serving.map((member) => [...member.log, ...member.queue].join());
  assert.equal(new Set(logs).size, 1, `members differ; ${story()}`);
}

test(`${RUNS} lives with two agents: nothing acknowledged is lost, one history, all members serve in the end`, async () => {
  const rules = new Map<string, number>();
  for (let seed = FIRST; seed < FIRST + RUNS; seed += 1) {
    const life = await live(seed);
    verify(seed, life);
    for (const [rule, count] of life.rules) rules.set(rule, (rules.get(rule) ?? 0) + count);
  }
  // The lives are worth something only if they meet what the tables are for.
  if (RUNS >= 200) for (const rule of ['evict-dead', 'begin-newest', 'grant-ready', 'promote-survivor', 'quorum-unclear']) assert.ok(rules.has(rule), `${rule} never fired`);
});

test(`${RUNS} lives in which members do not come back by themselves: the agents alone bring them back`, async () => {
  for (let seed = FIRST; seed < FIRST + RUNS; seed += 1) verify(seed, await live(seed, { selfRecovery: false }));
});

test('lives without an agent keep the promises too, so what is found with agents is theirs', async () => {
  for (let seed = FIRST; seed < FIRST + Math.min(RUNS, 100); seed += 1) {
    const { world } = await live(seed, { withAgents: false });
    assert.deepEqual(world.wrongs.slice(0, 3), [], `seed ${seed}\n${world.story.slice(-40).join('\n')}`);
  }
});
