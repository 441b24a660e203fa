/**
 * What a testbed cannot show in some dozen runs: thousands of seeded lives of a cluster with kills, lost and frozen
 * nodes, cut links, force-deleted Pods, an unreachable API and agents that die between two calls. No acknowledged
 * commit may be lost. Crashes come in any number; of cuts and freezes there is one at a time, and none in the instant
 * of an election. Beyond that no lease can promise it, Patroni's own neither: a standby that has given its vote and is
 * then kept from hearing of the new primary could confirm one more commit to an old one that comes back in the same
 * moment.
 * AGENT_SIM_RUNS sets the number of lives, AGENT_SIM_SEED the first seed; a failure names its seed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedAgent } from './agent-driver.js';
import { Random, STEP_MS, World, type Member } from './world.js';

const RUNS = Number(process.env.AGENT_SIM_RUNS ?? 1000);
const FIRST = Number(process.env.AGENT_SIM_SEED ?? 1);
const LIFE_MS = 90_000;
/** Elections take some 0.3 s; members know of the new primary within one more round of Patroni's. */
const SETTLE_MS = 1500;
const PARTIES = ['orders-1-0', 'orders-2-0', 'orders-3-0', 'api', 'agent-a', 'agent-b'];

function recreate(member: Member, world: World): void {
  const number = world.random.below(200);
  Object.assign(member, { uid: `uid-${member.name}-${world.now}`, ip: `10.1.${number}.${member.name.split('-')[1]}`, diesAtMs: world.now + world.random.below(1500), known: false, label: false });
}

/** Cuts and freezes do not pile up. */
function mend(world: World): void {
  world.cuts.clear();
  for (const member of world.members) member.frozen = false;
}

const FAULTS: Record<string, (world: World, agents: SimulatedAgent[]) => void> = {
  kill: (world) => {
    const member = world.random.next() < 0.7 ? world.member(world.lease.pod) : world.random.pick(world.members);
    if (!member?.up) return;
    world.tell(`kill ${member.name}`);
    world.kill(member, 800 + world.random.below(3000));
  },
  lose: (world) => {
    const member = world.random.next() < 0.7 ? world.member(world.lease.pod) : world.random.pick(world.members);
    if (!member?.nodeUp) return;
    world.tell(`lose ${member.name}`);
    world.kill(member, Infinity);
    member.nodeUp = false;
  },
  power: (world) => {
    for (const member of world.members.filter((one) => !one.nodeUp)) {
      world.tell(`power ${member.name}`);
      Object.assign(member, { nodeUp: true, startsAtMs: world.now + 2000 });
    }
  },
  freeze: (world) => {
    mend(world);
    const member = world.random.next() < 0.5 ? world.member(world.lease.pod) : world.random.pick(world.members);
    if (!member) return;
    world.tell(`freeze ${member.name}`);
    member.frozen = true;
  },
  cut: (world) => {
    mend(world);
    const [a, b] = [world.random.pick(PARTIES), world.random.pick(PARTIES)];
    world.tell(`cut ${a} ${b}`);
    if (a !== b) world.cut(a, b);
  },
  isolate: (world) => {
    mend(world);
    const one = world.lease.pod ?? world.random.pick(PARTIES);
    world.tell(`isolate ${one}`);
    for (const other of PARTIES.filter((party) => party !== one && (party !== 'api' || world.random.next() < 0.5))) world.cut(one, other);
  },
  heal: (world) => {
    world.tell('heal');
    mend(world);
  },
  recreate: (world) => {
    const member = world.member(world.lease.pod);
    if (!member?.up || !member.nodeUp) return;
    world.tell(`force-delete ${member.name}`);
    recreate(member, world);
  },
  agent: (_world, agents) => agents.forEach((agent) => agent.forget()),
};

async function settle(world: World, agents: readonly SimulatedAgent[]): Promise<void> {
  for (let left = 0; left < 80_000; left += 500) {
    world.advance(500);
    for (const agent of agents) await agent.tick();
  }
}

function add(rules: Map<string, number>, more: ReadonlyMap<string, number>): Map<string, number> {
  for (const [rule, count] of more) rules.set(rule, (rules.get(rule) ?? 0) + count);
  return rules;
}

async function live(world: World, withAgents: boolean): Promise<Map<string, number>> {
  const agents = withAgents ? [new SimulatedAgent(world, 'agent-a'), new SimulatedAgent(world, 'agent-b')] : [];
  const kinds = Object.keys(FAULTS);
  let next = 2000;
  while (world.now < LIFE_MS || !world.isQuiet(SETTLE_MS)) {
    world.advance(STEP_MS);
    if (world.now >= next && world.isQuiet(SETTLE_MS)) {
      next = world.now + 300 + world.random.below(8000);
      FAULTS[world.random.pick(kinds)]!(world, agents);
    }
    for (const agent of agents) if (world.random.below(4) === 0) await agent.tick();
  }
  FAULTS.heal!(world, agents);
  FAULTS.power!(world, agents);
  await settle(world, agents);
  return agents.reduce((rules, agent) => add(rules, agent.rules), new Map<string, number>());
}

function checkEnd(world: World): void {
  const primaries = world.members.filter((member) => member.role === 'primary' && world.works(member));
  assert.equal(primaries.length, 1, `primaries at the end: ${primaries.map((member) => member.name).join(', ') || 'none'}`);
  const lost = [...world.acked].filter((id) => !primaries[0]!.log.includes(id));
  assert.deepEqual(lost, [], 'acknowledged commits that the last primary does not have');
}

async function manyLives(withAgents: boolean, runs: number): Promise<Map<string, number>> {
  const rules = new Map<string, number>();
  for (let seed = FIRST; seed < FIRST + runs; seed += 1) {
    const world = new World(new Random(seed));
    try {
      const fired = await live(world, withAgents);
      checkEnd(world);
      add(rules, fired);
    } catch (problem) {
      throw new Error(`seed ${seed}: ${(problem as Error).message}\n${world.story.slice(-40).join('\n')}`, { cause: problem });
    }
  }
  return rules;
}

test('the model keeps every acknowledged commit without an agent, so that the next test tells of the agent', async () => {
  await manyLives(false, Math.ceil(RUNS / 4));
});

test('with two agents no acknowledged commit is lost and there is one primary in the end', async () => {
  const rules = await manyLives(true, RUNS);
  for (const rule of ['process-gone', 'node-lost', 'pod-gone', 'streams-ended', 'silent-streaming', 'leader-answers']) {
    assert.ok(RUNS < 200 || (rules.get(rule) ?? 0) > 0, `the simulation never came to ${rule}`);
  }
});
