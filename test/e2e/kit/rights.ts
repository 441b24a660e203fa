/** After all the rest: nobody was refused anything, and no Role gives what nobody needs. */
import type { AuditEntry, RoleRule } from './audit';
import { parseAudit, refused, requests, rightOf, unusedRights } from './audit';
import type { Obj } from './cluster-api';
import type { Sample, SuiteContext, SuiteEvent } from './suite';
import { Skip } from './suite';

/** A cluster that events have used; none of them: its namespace is empty. */
export interface Audited {
  readonly namespace: string;
  readonly cluster: { readonly name: string };
  manifests(): Obj[];
}

/** A right that a run of all events does not use, and why it is given all the same. `CLUSTER` is the cluster's name. */
export interface Explained {
  readonly right: RegExp;
  readonly because: string;
}

interface Account {
  readonly name: string;
  readonly cluster: string;
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

export function rightsEvent(fixtures: readonly Audited[], explained: readonly Explained[] = []): SuiteEvent {
  return {
    name: 'rights',
    measure: { what: 'rights of agent and members that no request of all events before needed', unit: 'rights', goal: { max: 0 } },
    noErrors: true,
    once: true,
    run: (context) => rights(context, fixtures, explained),
  };
}

async function rights(
  context: SuiteContext, fixtures: readonly Audited[], explained: readonly Explained[],
): Promise<Sample> {
  const whyGiven = (right: string) => {
    const known = explained.find((each) => each.right.test(right));
    return known ? ` (${known.because})` : '';
  };
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
function accountsOf(fixture: Audited): Account[] {
  const objects = fixture.manifests() as RightsObject[];
  return objects.filter((object) => object.kind === 'ServiceAccount').map(({ metadata: { name } }) => ({
    name,
    cluster: fixture.cluster.name,
    namespace: fixture.namespace,
    rules: objects.filter((object) => object.kind === 'RoleBinding' && object.subjects?.some((subject) => subject.name === name))
      .flatMap((binding) => objects.find((object) => object.kind === 'Role' && object.metadata.name === binding.roleRef?.name)?.rules ?? []),
  }));
}

function isBy({ user }: AuditEntry, { namespace, name }: Account): boolean {
  return user.username === `system:serviceaccount:${namespace}:${name}`;
}

/** `agent`, `member` or what else the cluster has an account for: `backup`. */
function kindOf({ name, cluster }: Account): string {
  if (name === 'everest-agent') return 'agent';
  return name === cluster ? 'member' : name.replace(`${cluster}-`, '');
}

/** Without the random name of the run's cluster. */
function generic(right: string, { cluster }: Account): string {
  return right.replaceAll(cluster, 'CLUSTER');
}
