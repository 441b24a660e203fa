/** After all the rest: nobody was refused anything, and no Role gives what nobody needs. */
import type { AuditEntry, RoleRule } from '../../kit/audit';
import { parseAudit, refused, requests, rightOf, unusedRights } from '../../kit/audit';
import type { Obj } from '../../kit/cluster-api';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { Skip } from '../../kit/suite';
import type { Fixture } from './fixture';

/** Rights that a run of all events does not use, and why they are given all the same. */
const EXPLAINED: ReadonlyArray<{ right: RegExp; because: string }> = [];

interface Account {
  readonly name: string;
  readonly namespace: string;
  readonly rules: readonly RoleRule[];
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
  const logs = new Map<string, AuditEntry[]>();
  for (const { namespace } of accounts) {
    if (!logs.has(namespace)) logs.set(namespace, requests(parseAudit(await context.faults.auditOf(namespace))));
  }
  const used = accounts.map((account) => ({ account, entries: logs.get(account.namespace)!.filter((entry) => isBy(entry, account)) }));
  const denied = used.flatMap(({ entries }) => entries.filter(refused)).map((entry) => `${entry.user.username}: ${rightOf(entry)} ${entry.objectRef?.name ?? ''}`);
  [...new Set(denied)].forEach((text) => context.reporter.progress(`refused: ${text}`));
  // Two clusters share what is said about the agent: a right that one of them needed is needed.
  const unused = new Set(used.flatMap(({ account, entries }) => unusedRights(account.rules, entries).map((right) => `${kindOf(account)}: ${generic(right, account)}`)));
  for (const { account, entries } of used) {
    const needed = new Set(unusedRights(account.rules, entries).map((right) => `${kindOf(account)}: ${generic(right, account)}`));
    [...unused].filter((right) => right.startsWith(`${kindOf(account)}:`) && !needed.has(right)).forEach((right) => unused.delete(right));
  }
  const unexplained = [...unused].filter((right) => !EXPLAINED.some((known) => known.right.test(right)));
  [...unused].forEach((right) => context.reporter.progress(`unused: ${right}${unexplained.includes(right) ? '' : ' (explained)'}`));
  return { value: unexplained.length, errors: denied.length, note: `${used.reduce((sum, { entries }) => sum + entries.length, 0)} requests` };
}

/** ServiceAccounts with the rules of all Roles that are bound to them. */
function accountsOf(fixture: Fixture): Account[] {
  const objects = fixture.manifests() as Array<Obj & { rules?: RoleRule[]; roleRef?: { name: string }; subjects?: Array<{ name: string }> }>;
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
