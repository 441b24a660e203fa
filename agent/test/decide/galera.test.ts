import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideGalera, GALERA_TABLES } from '../../src/decide/galera/decide.js';
import { judgeGalera } from '../../src/decide/galera/health.js';
import type { GaleraReport } from '../../src/model/galera/member.js';
import {
  NO_GALERA_MEMORY, type GaleraMemory, type GaleraReach, type GaleraSnapshot, type ProxyFacts,
} from '../../src/model/galera/snapshot.js';
import {
  at, bootstraps, contract, FIRST, galera, galeraPod, galeraSet, grant, MEMBERS, nonprimary, OTHER_UUID, synced, VIEW,
  waiting,
} from '../support/galera.js';

const [ONE, TWO, THREE] = MEMBERS;
const NOW_MS = 200_000;

interface Example {
  readonly name: string;
  readonly rule: string;
  readonly view: GaleraSnapshot;
  readonly memory?: Partial<GaleraMemory>;
  readonly action?: object;
  readonly because?: RegExp;
  readonly leads?: boolean;
}

const REFUSED_TWICE = { [THREE]: { uid: 'uid-3', refused: 2, lastLookMs: 0, ended: false } };
const SEEN = { uid: 'uid-3', refused: 0, lastLookMs: 0, ended: false };
const refusing: GaleraReach = {
  member: THREE, ip: '10.0.0.3', takenAtMs: 10, state: 'refuses', sql: 'refuses', group: 'refuses',
};
const DARK: GaleraReach = { ...refusing, state: 'silent', sql: 'silent', group: 'silent' };
const LOST_PROXY: ProxyFacts = { pod: 'orders-haproxy-x', uid: 'uid-x', node: 'node-3', deleting: false, reach: 'silent' };
const OTHER_PROXY: ProxyFacts = { pod: 'orders-haproxy-y', uid: 'uid-y', node: 'node-1', deleting: false, reach: 'answers' };
const ONCE = { 'uid-x': 1 };
const without = (...names: string[]) => MEMBERS.filter((name) => !names.includes(name)).map((name) => synced(name));
const all = (...seqnos: Array<number | undefined>): GaleraReport[] => (
  MEMBERS.map((name, index) => waiting(name, seqnos[index]))
);
const stopped = (more: Partial<GaleraSnapshot>) => galera({ reports: all(100, 101, 101), ...more });
const LONG = { withoutPrimarySinceMs: 100_000 };
const SECOND = { n: 2, id: 'grant-1', member: ONE, position: at(100) };
const AFTER_SECOND = { bootstrap: SECOND };
const PAIR = { [ONE]: 'g-1', [TWO]: 'g-2' };
const empty = (name: string) => waiting(name, undefined, { data: 'empty', bootstrap: undefined, lastView: [] });
const alone = (name: string, gcomm: string) => (
  synced(name, { wsrep: { primary: true, ready: true, state: 4, gcomm, view: { [name]: gcomm } } })
);
const EMPTY = MEMBERS.map(empty);
const NEW_TEMPLATE = MEMBERS.map((name) => galeraSet(name, { updateRevision: 'r2' }));
const renewed = (...names: string[]) => (
  MEMBERS.map((name) => galeraPod(name, names.includes(name) ? { revision: 'r2' } : {}))
);
const terminated = (name: string) => (
  MEMBERS.map((each) => galeraPod(each, each === name ? { container: 'terminated' } : {}))
);
const promotion = grant({ kind: 'promotion', member: ONE, bootId: 'boot-1', position: at(100), survivors: [TWO] });

const EXAMPLES: Example[] = [
  { name: 'concludes nothing while the Pods cannot be read', rule: 'group-view-unknown', view: galera({ pods: 'unknown' }) },
  {
    name: 'evicts a member whose server has ended, as its parent says', rule: 'evict-dead',
    view: galera({ reports: [...without(THREE), waiting(THREE, undefined, { phase: 'recovering' })] }),
    action: { kind: 'EvictFromGroup', member: THREE, gcomm: 'g-3' },
  },
  {
    name: 'evicts a member all of whose ports refused three times', rule: 'evict-dead',
    view: galera({ reports: without(THREE), reach: [refusing] }), memory: { seen: REFUSED_TWICE },
    action: { kind: 'EvictFromGroup', member: THREE },
  },
  {
    name: 'evicts a member whose container has ended', rule: 'evict-dead',
    view: galera({ reports: without(THREE), pods: terminated(THREE), reach: [refusing] }), action: { kind: 'EvictFromGroup', gcomm: 'g-3' },
  },
  {
    name: 'takes a proxy on a lost node out of the Services, since half of all clients would be sent there', rule: 'proxy-lost',
    view: galera({ reports: without(THREE), reach: [DARK], proxies: [LOST_PROXY, OTHER_PROXY] }),
    memory: { silentProxies: ONCE },
    action: { kind: 'EvictProxy', pod: 'orders-haproxy-x', uid: 'uid-x' },
  },
  {
    name: 'leaves a proxy alone that was silent once', rule: 'no-server-restart',
    view: galera({ reports: without(THREE), reach: [DARK], proxies: [LOST_PROXY, OTHER_PROXY] }),
  },
  {
    name: 'leaves a silent proxy alone when no other one answers, because the fault may be the agent\'s', rule: 'no-server-restart',
    view: galera({ reports: without(THREE), reach: [DARK], proxies: [LOST_PROXY] }), memory: { silentProxies: ONCE },
  },
  {
    name: 'leaves a silent proxy alone whose node has a member that answers', rule: 'no-server-restart',
    view: galera({ reports: without(THREE), reach: [DARK], proxies: [{ ...LOST_PROXY, node: 'node-1' }, OTHER_PROXY] }),
    memory: { silentProxies: ONCE },
  },
  {
    name: 'leaves a proxy alone that is on its way out', rule: 'no-server-restart',
    view: galera({ reports: without(THREE), reach: [DARK], proxies: [{ ...LOST_PROXY, deleting: true }, OTHER_PROXY] }),
    memory: { silentProxies: ONCE },
  },
  {
    name: 'looks again before refusals count', rule: 'group-doubted',
    view: galera({ reports: without(THREE), reach: [refusing] }), memory: { seen: { [THREE]: SEEN } },
  },
  {
    name: 'leaves a silent member to the group\'s own time-outs', rule: 'galera-rollout-waits',
    view: galera({
      reports: without(THREE), reach: [{ ...refusing, state: 'silent', sql: 'silent', group: 'silent' }],
      statefulSets: NEW_TEMPLATE,
    }),
    memory: { seen: { [THREE]: { ...SEEN, refused: 5 } } },
  },
  {
    name: 'evicts nobody once more', rule: 'no-server-restart', memory: { evicted: ['g-3'] },
    view: galera({ reports: [...without(THREE), waiting(THREE, 100)] }),
  },
  {
    name: 'evicts nobody whose server runs, also when it knows itself by another uuid while it joins', rule: 'no-server-restart',
    view: galera({ reports: [...without(THREE), synced(THREE, { phase: 'joining', wsrep: { primary: false, ready: false, state: 0, gcomm: 'g-9', view: VIEW } })] }),
  },
  {
    name: 'evicts nobody who leaves in order', rule: 'no-server-restart',
    view: galera({ reports: [...without(THREE), synced(THREE, { phase: 'stopping', serverRuns: false, wsrep: undefined })] }),
  },
  {
    name: 'evicts nobody without a majority of the view, since an error would split the cluster', rule: 'no-server-restart',
    view: galera({ reports: [synced(ONE), waiting(TWO, 100), waiting(THREE, 100)] }),
  },
  {
    name: 'refuses a bootstrap while somebody serves', rule: 'bootstrap-refused', view: galera({ bootstrapRequest: 'orders-2@100' }),
    action: { kind: 'RefuseGaleraRequest', reason: 'orders-1, orders-2, orders-3 serves' },
  },
  {
    name: 'refuses a bootstrap at a position that the member has not', rule: 'bootstrap-refused', view: stopped({ bootstrapRequest: 'orders-1@99' }),
    action: { kind: 'RefuseGaleraRequest', reason: 'orders-1 is at 100, not at 99' },
  },
  {
    name: 'refuses a bootstrap of a member that does not answer', rule: 'bootstrap-refused',
    view: galera({ reports: [waiting(ONE, 100)], bootstrapRequest: 'orders-2@100' }), action: { reason: 'orders-2 does not answer' },
  },
  {
    name: 'begins where a person says, with a member missing', rule: 'bootstrap-requested',
    view: galera({ reports: [waiting(ONE, 100), waiting(TWO, 99)], bootstrapRequest: 'orders-1@100' }),
    action: { kind: 'StoreGrant', request: 'orders-1@100', grant: { kind: 'recovery', member: ONE, bootId: 'boot-1', position: at(100) } },
  },
  {
    name: 'leaves a request to the replica that leads', rule: 'members-missing', leads: false,
    view: galera({ reports: [waiting(ONE, 100)], bootstrapRequest: 'orders-1@100' }),
  },
  { name: 'lets nobody begin while the record cannot be read', rule: 'recovery-view-unknown', view: stopped({ record: 'unknown' }) },
  {
    name: 'carries out the grant that is stored, also when another replica has stored it', rule: 'grant-ready',
    view: stopped({ record: bootstraps({ grants: [grant()] }) }), action: { kind: 'CarryOutGrant', target: { member: TWO, ip: '10.0.0.2', bootId: 'boot-2' } },
  },
  {
    name: 'carries out a promotion', rule: 'grant-ready', memory: LONG,
    view: galera({
      reports: [nonprimary(ONE, 100, {}, PAIR), nonprimary(TWO, 100, {}, PAIR), waiting(THREE, 99)],
      record: bootstraps({ grants: [promotion] }),
    }),
    action: { kind: 'CarryOutGrant', grant: promotion },
  },
  {
    name: 'lets nobody else begin while the member with the grant is silent', rule: 'grant-unclear',
    view: galera({ reports: [waiting(ONE, 100), waiting(THREE, 101)], record: bootstraps({ grants: [grant()] }) }),
  },
  {
    name: 'lets nobody else begin while the member with the grant starts', rule: 'grant-unclear',
    view: stopped({ reports: [waiting(ONE, 100), synced(TWO, { phase: 'starting', wsrep: undefined, position: at(101) }), waiting(THREE, 101)], record: bootstraps({ grants: [grant()] }) }),
  },
  {
    name: 'gives another grant when the member that had it is another process by now', rule: 'begin-newest',
    view: stopped({ reports: [waiting(ONE, 100), waiting(TWO, 101, { bootId: 'boot-2b' }), waiting(THREE, 101)], record: bootstraps({ grants: [grant()] }) }),
    action: { kind: 'StoreGrant', grant: { bootId: 'boot-2b' } },
  },
  {
    name: 'waits for what the member has been told to show in its state', rule: 'grant-unclear',
    memory: { answered: { id: 'grant-1', atMs: NOW_MS - 1000 } }, view: stopped({ record: bootstraps({ grants: [grant()] }) }),
  },
  {
    name: 'forgets a grant that was never taken once the cluster serves by other means', rule: 'begin-newest',
    view: stopped({ record: bootstraps({ grants: [grant()], settled: 'grant-1' }) }), action: { kind: 'StoreGrant' },
  },
  {
    name: 'gives another grant when the member has refused the last one', rule: 'begin-newest', memory: { refused: ['grant-1'] },
    view: stopped({ record: bootstraps({ grants: [grant()] }) }), action: { kind: 'StoreGrant' },
  },
  {
    name: 'stops a server that has waited for a minute for a component that nobody makes', rule: 'server-wedged', memory: LONG,
    view: galera({ reports: [waiting(ONE, 100), waiting(TWO, 100), synced(THREE, { phase: 'joining', wsrep: undefined })] }), action: { kind: 'StopServer', target: { member: THREE } },
  },
  {
    name: 'waits for a member that recovers its position', rule: 'member-between',
    view: galera({ reports: [waiting(ONE, 100), waiting(TWO, 100), waiting(THREE, undefined, { phase: 'recovering' })] }),
  },
  {
    name: 'promotes nobody while another member may serve elsewhere', rule: 'quorum-unclear', memory: LONG,
    view: galera({ reports: [nonprimary(ONE, 100)] }),
  },
  {
    name: 'takes a Pod that is gone for no proof', rule: 'quorum-unclear', memory: LONG,
    view: galera({ reports: [nonprimary(ONE, 100)], pods: [galeraPod(ONE)] }),
  },
  {
    name: 'promotes nobody while survivors do not see each other', rule: 'survivors-apart', memory: LONG,
    view: galera({ reports: [nonprimary(ONE, 100, {}, { [ONE]: 'g-1' }), nonprimary(TWO, 100, {}, { [TWO]: 'g-2' }), waiting(THREE, 99)] }),
  },
  {
    name: 'waits for the positions of those that have ended', rule: 'quorum-settles', memory: { withoutPrimarySinceMs: NOW_MS - 3000 },
    view: galera({ reports: [nonprimary(ONE, 100), waiting(TWO, 100)], pods: terminated(THREE) }),
  },
  {
    name: 'gives a whole group time to form again by itself', rule: 'quorum-settles', memory: { withoutPrimarySinceMs: NOW_MS - 3000 },
    view: galera({ reports: MEMBERS.map((name) => nonprimary(name, 100)) }),
  },
  {
    name: 'stops the survivor when a member that is down has more', rule: 'survivor-behind', memory: LONG,
    view: galera({ reports: [nonprimary(ONE, 100), waiting(TWO, 101), waiting(THREE, 99)] }), action: { kind: 'StopServer', target: { member: ONE } },
  },
  {
    name: 'promotes the survivor with the most when all others say that they are down', rule: 'promote-survivor', memory: LONG,
    view: galera({ reports: [nonprimary(ONE, 100, {}, PAIR), nonprimary(TWO, 101, {}, PAIR), waiting(THREE, 99)] }),
    action: { kind: 'StoreGrant', grant: { kind: 'promotion', member: TWO, bootId: 'boot-2', position: at(101) } },
  },
  {
    name: 'promotes nobody while a dead member may have gone on before it died', rule: 'quorum-untold', memory: LONG,
    view: galera({ reports: [nonprimary(ONE, 100, {}, { [ONE]: 'g-1' }), waiting(TWO, 100)], deadNodes: ['node-3'] }),
  },
  {
    name: 'promotes a survivor that a person names, when the node of the other one was declared dead', rule: 'bootstrap-requested', memory: LONG,
    view: galera({ reports: [nonprimary(ONE, 100, {}, { [ONE]: 'g-1' }), waiting(TWO, 100)], deadNodes: ['node-3'], bootstrapRequest: 'orders-1@100' }),
    action: { kind: 'StoreGrant', grant: { kind: 'promotion', member: ONE } },
  },
  {
    name: 'promotes no survivor while another member may serve elsewhere, whoever asks', rule: 'bootstrap-refused', memory: LONG,
    view: galera({ reports: [nonprimary(ONE, 100)], bootstrapRequest: 'orders-1@100' }),
    action: { reason: 'orders-2, orders-3 may serve elsewhere; declare its node dead, or end it' },
  },
  {
    name: 'lets nobody begin while a member holds for a restore in place, not even whom it was granted', rule: 'members-hold',
    view: stopped({
      reports: [waiting(ONE, 100, { phase: 'holding', because: 'the restore in place restore-1 is declared' }), waiting(TWO, 101), waiting(THREE, 101)],
      record: bootstraps({ grants: [grant()] }),
    }),
    because: /orders-1 runs no server: the restore in place restore-1 is declared/,
  },
  {
    name: 'waits for a member that tells nothing, since it may have more', rule: 'members-missing',
    view: galera({ reports: [waiting(ONE, 100), waiting(TWO, 101)] }), because: /orders-3/,
  },
  {
    name: 'waits where a position is not known', rule: 'choice-unclear', view: stopped({ reports: all(100, 101, undefined) }),
    because: /the position of orders-3 is not known/,
  },
  {
    name: 'waits where members have different histories', rule: 'choice-unclear',
    view: stopped({ reports: [waiting(ONE, 100), waiting(TWO, 100, { position: at(900, OTHER_UUID) }), waiting(THREE, 100)] }), because: /different histories/,
  },
  {
    name: 'never goes below the last bootstrap', rule: 'choice-unclear',
    view: stopped({ reports: MEMBERS.map((name) => waiting(name, 99, { bootstrap: SECOND })), record: bootstraps({ confirmed: SECOND }) }), because: /below the last bootstrap at 100/,
  },
  {
    name: 'waits where nobody has data of the last bootstrap', rule: 'choice-unclear',
    view: stopped({ record: bootstraps({ confirmed: SECOND }) }), because: /bootstrapped 2 times/,
  },
  {
    name: 'waits where the data of a member are gone that could write', rule: 'choice-unclear',
    view: stopped({ reports: [waiting(ONE, 100), waiting(TWO, 100), empty(THREE)] }), because: /the data of orders-3 are gone/,
  },
  {
    name: 'waits where the data of the one that was let begin are gone', rule: 'choice-unclear',
    view: stopped({
      reports: [waiting(ONE, 100), empty(TWO), waiting(THREE, 100)],
      record: bootstraps({ grants: [grant()], confirmed: undefined }),
    }),
    because: /orders-2 was let begin, and its data are gone/,
  },
  {
    name: 'makes no new cluster where there was one', rule: 'choice-unclear', view: stopped({ reports: EMPTY }), because: /all volumes are empty, although/,
  },
  {
    name: 'waits where there is nothing but an unfinished copy', rule: 'choice-unclear',
    view: stopped({ reports: [empty(ONE), empty(TWO), waiting(THREE, undefined, { data: 'incomplete', bootstrap: undefined })], record: bootstraps({ confirmed: undefined }) }),
    because: /unfinished copy/,
  },
  {
    name: 'makes a new cluster where all volumes always were empty', rule: 'begin-new',
    view: stopped({ reports: EMPTY, record: bootstraps({ confirmed: undefined }) }),
    action: { kind: 'StoreGrant', grant: { kind: 'initial', member: ONE, bootId: 'boot-1', position: undefined } },
  },
  {
    name: 'lets the highest position begin, of equals the first', rule: 'begin-newest', view: stopped({}),
    action: { kind: 'StoreGrant', recordVersion: '7', grant: { kind: 'recovery', member: TWO, bootId: 'boot-2', position: at(101) } },
  },
  {
    name: 'lets data of the last bootstrap begin before a higher position of an older one', rule: 'begin-newest',
    view: stopped({
      reports: [waiting(ONE, 103, AFTER_SECOND), waiting(TWO, 102, AFTER_SECOND), waiting(THREE, 105)],
    }),
    action: { kind: 'StoreGrant', grant: { member: ONE, position: at(103) } },
  },
  {
    name: 'counts a survivor of a promotion that had no time to note it', rule: 'begin-newest',
    view: stopped({
      reports: [waiting(ONE, 103, { bootstrap: SECOND }), waiting(TWO, 104), waiting(THREE, 105)],
      record: bootstraps({ grants: [promotion] }),
    }),
    action: { kind: 'StoreGrant', grant: { member: TWO, position: at(104) } },
  },
  {
    name: 'does not count an unfinished copy', rule: 'begin-newest',
    view: stopped({ reports: [waiting(ONE, 100), waiting(TWO, 99), waiting(THREE, 900, { data: 'incomplete' })] }), action: { kind: 'StoreGrant', grant: { member: ONE } },
  },
  {
    name: 'begins nothing for a contract without members', rule: 'nobody-to-begin', view: galera({ contract: contract([]), reports: [], pods: [], statefulSets: [] }),
  },
  {
    name: 'touches nothing while two components serve', rule: 'two-components',
    view: galera({ reports: [alone(ONE, 'g-1'), alone(TWO, 'g-2'), waiting(THREE, 1)] }),
  },
  {
    name: 'writes down under which bootstrap the cluster serves', rule: 'confirm-bootstrap', view: galera({ record: bootstraps({ confirmed: undefined }) }),
    action: { kind: 'ConfirmBootstrap', target: { member: ONE }, recordVersion: '7' },
  },
  {
    name: 'keeps a member away that has followed a later bootstrap than those that serve', rule: 'newer-data', memory: { evicted: ['g-3'] },
    view: galera({ reports: [...without(THREE), waiting(THREE, 120, { bootstrap: SECOND, ambiguous: true })] }),
  },
  {
    name: 'sets data aside that are above where the others began', rule: 'set-data-aside', memory: { evicted: ['g-3'] },
    view: galera({
      reports: [synced(ONE, AFTER_SECOND), synced(TWO, AFTER_SECOND), waiting(THREE, 101, { ambiguous: true })],
      record: bootstraps({ confirmed: SECOND }),
    }),
    action: { kind: 'SetDataAside', target: { member: THREE }, position: at(101), via: { member: ONE } },
  },
  {
    name: 'sets data aside that have parted at a bootstrap before the last', rule: 'set-data-aside', memory: { evicted: ['g-3'] },
    view: galera({
      reports: [ONE, TWO].map((name) => synced(name, { bootstrap: { n: 3, id: 'b-3', member: ONE, position: at(300) }, position: at(310) }))
        .concat(waiting(THREE, 250, { ambiguous: true })),
      record: bootstraps({ confirmed: { n: 3, id: 'b-3', member: ONE, position: at(300) }, grants: [grant({ position: at(200) })] }),
    }),
    action: { kind: 'SetDataAside', target: { member: THREE } },
  },
  {
    name: 'refuses a writer that is none of the members', rule: 'writer-refused', view: galera({ writerRequest: 'orders-9' }),
    action: { kind: 'RefuseGaleraRequest', reason: 'there is no member "orders-9"; name one of orders-1, orders-2, orders-3, or any' },
  },
  { name: 'plans nothing while StatefulSets cannot be read', rule: 'galera-view-unknown', view: galera({ statefulSets: 'unknown' }) },
  { name: 'plans nothing while no member takes writes', rule: 'no-writer', view: galera({ reports: MEMBERS.map((name) => synced(name, { writer: undefined })) }) },
  { name: 'lets what was done show first', rule: 'galera-settling', view: galera({ statefulSets: NEW_TEMPLATE }), memory: { lastActionAtMs: NOW_MS - 100 } },
  {
    name: 'makes the member the writer that a person names', rule: 'writer-requested', view: galera({ writerRequest: 'orders-3' }),
    action: { kind: 'SetWriter', from: ONE, to: THREE, epoch: 1, request: 'orders-3' },
  },
  {
    name: 'takes the writer off a cordoned node', rule: 'writer-cordoned', view: galera({ cordoned: ['node-1', 'node-2'] }), action: { kind: 'SetWriter', to: THREE },
  },
  {
    name: 'replaces a member that never came up on an old template', rule: 'replace-broken',
    view: galera({ reports: without(THREE), statefulSets: NEW_TEMPLATE, pods: [galeraPod(ONE), galeraPod(TWO), galeraPod(THREE, { container: 'waiting', containerReason: 'ErrImagePull' })] }),
    action: { kind: 'ReplaceMember', member: THREE, via: undefined },
  },
  {
    name: 'hands over before the writer leaves the cluster', rule: 'retire-writer', view: galera({ contract: contract([TWO, THREE]) }), action: { kind: 'SetWriter', to: TWO },
  },
  {
    name: 'keeps a member that is to go while another one is not synced', rule: 'galera-retire-waits', memory: { evicted: ['g-2'] },
    view: galera({ contract: contract([ONE, TWO]), reports: [synced(ONE), waiting(TWO, 90), synced(THREE)] }),
  },
  {
    name: 'stops a member that the contract no longer lists', rule: 'retire-synced', view: galera({ contract: contract([ONE, TWO]) }),
    action: { kind: 'RetireMember', statefulSet: THREE },
  },
  {
    name: 'waits for the controller', rule: 'galera-template-unknown', view: galera({ statefulSets: MEMBERS.map((name) => galeraSet(name, { updateRevision: undefined })) }),
  },
  {
    name: 'holds a rolling change while a member is not synced', rule: 'galera-rollout-waits', memory: { evicted: ['g-3'] },
    view: galera({ statefulSets: NEW_TEMPLATE, reports: [...without(THREE), waiting(THREE, 90)] }),
  },
  {
    name: 'replaces the last member first, never the writer', rule: 'replace-member', view: galera({ statefulSets: NEW_TEMPLATE }),
    action: { kind: 'ReplaceMember', member: THREE, uid: 'uid-3' },
  },
  {
    name: 'hands over when only the writer is left', rule: 'hand-over-writer', view: galera({ statefulSets: NEW_TEMPLATE, pods: renewed(TWO, THREE) }),
    action: { kind: 'SetWriter', from: ONE, to: TWO },
  },
  {
    name: 'keeps the writer while nobody may take over', rule: 'galera-hand-over-waits',
    view: galera({
      statefulSets: NEW_TEMPLATE, pods: renewed(TWO, THREE),
      reports: [synced(ONE), synced(TWO, { drained: true }), synced(THREE, { desynced: true })],
    }),
  },
  {
    name: 'restarts no server while a member is not synced', rule: 'server-restart-waits', memory: { evicted: ['g-3'] },
    view: galera({ reports: [synced(ONE), synced(TWO, { pendingRestart: ['innodb_log_file_size'] }), waiting(THREE, 90)] }),
  },
  {
    name: 'restarts a server for its settings, the writer last', rule: 'restart-server',
    view: galera({ reports: MEMBERS.map((name) => synced(name, { pendingRestart: ['innodb_log_file_size'] })) }), action: { kind: 'RestartServer', target: { member: THREE } },
  },
  {
    name: 'hands over before the writer\'s restart', rule: 'hand-over-for-restart',
    view: galera({ reports: [synced(ONE, { pendingRestart: ['x'] }), ...without(ONE)] }), action: { kind: 'SetWriter', to: TWO },
  },
  {
    name: 'restarts no writer while nobody may take over', rule: 'writer-restart-waits',
    view: galera({ reports: [synced(ONE, { pendingRestart: ['x'] }), synced(TWO, { drained: true }), synced(THREE, { drained: true })] }),
  },
];

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}

function decide({ view, memory = {}, leads = true }: Pick<Example, 'view' | 'memory' | 'leads'>) {
  return decideGalera(deepFreeze(view), deepFreeze({ ...NO_GALERA_MEMORY, ...memory }), NOW_MS, leads);
}

for (const example of EXAMPLES) {
  test(`${example.rule}: ${example.name}`, () => {
    const decision = decide(example);
    assert.equal(decision.ruleId, example.rule, decision.because);
    if (example.action) assert.deepEqual(like(decision.actions[0], example.action), example.action);
    else assert.deepEqual(decision.actions, []);
    if (example.because) assert.match(decision.because, example.because);
  });
}

/** What `wanted` names of a value. */
function like(value: unknown, wanted: unknown): unknown {
  const isRecord = (item: unknown): item is Record<string, unknown> => (
    typeof item === 'object' && item !== null && !Array.isArray(item)
  );
  if (!isRecord(wanted) || !isRecord(value)) return value;
  return Object.fromEntries(Object.entries(wanted).map(([key, part]) => [key, like(value[key], part)]));
}

/** Rows that pass on are seen by what comes after them. */
const PASSING = GALERA_TABLES.flatMap(({ rows }) => rows.filter(({ goOn }) => goOn).map(({ id }) => id));

test('every row that decides has a named example, so that none is dead', () => {
  const hit = new Set(EXAMPLES.map(({ rule }) => rule));
  const rows = GALERA_TABLES.flatMap((table) => table.rows.map(({ id }) => id)).filter((id) => !PASSING.includes(id));
  assert.deepEqual(rows.filter((id) => !hit.has(id)), []);
});

test('every row declares the actions that it gives, so that the documentation tells all of them', () => {
  for (const example of EXAMPLES) {
    const { ruleId, actions } = decide(example);
    const row = GALERA_TABLES.flatMap(({ rows }) => rows).find(({ id }) => id === ruleId)!;
    assert.ok(actions.length <= 1, `${ruleId} gives one action at most`);
    for (const { kind } of actions) assert.ok(row.actions.includes(kind), `${ruleId} does not declare ${kind}`);
  }
});

test('a cluster in which all members are synced is highly available', () => {
  const { facts, ...decision } = decide({ view: galera() });
  const health = judgeGalera(facts, decision);
  assert.deepEqual([health.phase, health.highlyAvailable, health.writer], ['Healthy', true, ONE]);
});

test('a cluster whose members share a node is not highly available, though all are synced', () => {
  const { facts, ...decision } = decide({ view: galera({ pods: MEMBERS.map((name) => galeraPod(name, { node: 'node-1' })) }) });
  assert.deepEqual([judgeGalera(facts, decision).phase, judgeGalera(facts, decision).highlyAvailable], ['Healthy', false]);
});

test('where a person has to decide, the status shows position and bootstrap of each member', () => {
  const { facts, ...decision } = decide({ view: galera({ reports: all(100, 101, undefined) }) });
  const health = judgeGalera(facts, decision);
  assert.equal(health.phase, 'NeedsDecision');
  const table = health.members.map(({ position, bootstrap }) => [position?.seqno, bootstrap]);
  assert.deepEqual(table, [[100, FIRST.n], [101, 1], [undefined, 1]]);
  assert.match(health.why, /orders-3/);
});

test('the view of a dead member keeps its place until it is evicted', () => {
  const { actions } = decide({ view: galera({ reports: [...without(ONE), waiting(ONE, undefined)] }) });
  assert.equal((actions[0] as { gcomm: string }).gcomm, VIEW[ONE]);
});
