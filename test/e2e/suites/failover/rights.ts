/** After all the rest: nobody was refused anything, and no Role gives what nobody needs. */
import type { Fixture } from './fixture';
import type { AuditEntry, RoleRule } from '../../kit/audit';
import { parseAudit, refused, requests, rightOf, unusedRights } from '../../kit/audit';
import type { Obj } from '../../kit/cluster-api';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';

/** Rights that a run of all events does not use, and why they are given all the same. */
const EXPLAINED: ReadonlyArray<{ right: RegExp; because: string }> = [
  { right: /^agent: patch statefulsets /, because: 'a member that left the contract is scaled to zero, and no event takes one out' },
  { right: /^agent: patch secrets \(CLUSTER-app\)$/, because: 'a rotation writes the new password there, and no event rotates' },
];

interface Account {
  readonly name: string;
  readonly namespace: string;
  readonly rules: readonly RoleRule[];
}

type RightsObject = Obj & {
  readonly rules?: readonly RoleRule[];
  readonly roleRef?: { readonly name: string };
  readonly subjects?: ReadonlyArray<{ readonly name: string }>;
};

interface Used {
  readonly account: Account;
  readonly entries: readonly AuditEntry[];
}

export function rightsEvent(fixtures: readonly Fixture[]): SuiteEvent {
  return {
    name: 'rights',
    measure: { what: 'rights of agent and members that no request of all events before needed', unit: 'rights', goal: { max: 0 } },
    noErrors: true,
    once: true,
    run: (context) => rights(context, fixtures),
  };
}

async function rights(context: SuiteContext, fixtures: readonly Fixture[]): Promise<Sample> {
  const accounts = fixtures.filter((fixture) => fixture.namespace !== '').flatMap(accountsOf);
  if (accounts.length === 0) throw new Skip('no event has run before, so there is nothing to look at');
  const used = await Promise.all(accounts.map(async (account): Promise<Used> => {
    const log = requests(parseAudit(await context.faults.auditOf(account.namespace)));
    return { account, entries: log.filter((entry) => isBy(entry, account)) };
  }));
  const denied = used.flatMap(({ entries }) => entries.filter(refused));
  const tellOf = (entry: AuditEntry) => `refused: ${entry.user.username} ${rightOf(entry)} ${entry.objectRef?.name ?? ''}`;
  new Set(denied.map(tellOf)).forEach((text) => context.reporter.progress(text));
  const unused = unusedByAll(used);
  const unexplained = unused.filter((right) => whyGiven(right) === '');
  unused.forEach((right) => context.reporter.progress(`unused: ${right}${whyGiven(right)}`));
  const asked = used.reduce((total, { entries }) => total + entries.length, 0);
  return { value: unexplained.length, errors: denied.length, note: `${asked} requests` };
}

function whyGiven(right: string): string {
  const known = EXPLAINED.find((each) => each.right.test(right));
  return known ? ` (${known.because})` : '';
}

/** A right that one of the clusters needed is needed. */
function unusedByAll(used: readonly Used[]): string[] {
  const unused = used.map(({ account, entries }) => ({
    kind: kindOf(account),
    rights: unusedRights(account.rules, entries).map((right) => `${kindOf(account)}: ${generic(right, account)}`),
  }));
  const everywhere = unused.flatMap(({ kind, rights: own }) => own.filter((right) =>
    unused.every((other) => other.kind !== kind || other.rights.includes(right))));
  return [...new Set(everywhere)];
}

/** ServiceAccounts with the rules of all Roles that are bound to them. */
function accountsOf(fixture: Fixture): Account[] {
  const objects = fixture.manifests() as RightsObject[];
  return objects.filter((object) => object.kind === 'ServiceAccount').map(({ metadata: { name } }) => ({
    name,
    namespace: fixture.namespace,
    rules: objects.filter((object) => object.kind === 'RoleBinding' && object.subjects?.some((subject) => subject.name === name))
      .flatMap((binding) => objects.find((object) => object.kind === 'Role' && object.metadata.name === binding.roleRef?.name)?.rules ?? []),
  }));
}

function isBy({ user }: AuditEntry, { namespace, name }: Account): boolean {
  return user.username === `system:serviceaccount:${namespace}:${name}`;
}

function kindOf({ name }: Account): string {
  return name === 'everest-agent' ? 'agent' : 'member';
}

/** Without the random name of the run's cluster. */
function generic(right: string, { namespace }: Account): string {
  return right.replaceAll(`pg-${namespace.split('-').pop()!}`, 'CLUSTER');
}
