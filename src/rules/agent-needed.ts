import type { PostgresRule, Violation } from './rule';

export const agentNeeded: PostgresRule = {
  code: 'EV1310',
  title: 'Something is declared that only an agent does, and there is none',
  cause: 'roles, extensions, schemas or preferAvailability are declared, and the cluster names no agent. Members make databases and their owners only, once.',
  consequence: 'Nobody would do it',
  fix: 'Add an EverestAgent and name it (agent), or take it out of here',
  check: ({ props: { agent, databases = [], roles = [], replication } }) => {
    if (agent !== undefined) return [];
    const parts = databases.flatMap((database, index) => (['extensions', 'schemas'] as const).flatMap((part): Violation[] =>
      ((database[part] ?? []).length > 0 ? [{ path: ['databases', index, part], problem: `the database ${database.name} has ${part}` }] : [])));
    return [
      ...parts,
      ...(roles.length > 0 ? [{ path: ['roles'], problem: `${roles.length} role(s) are declared` }] : []),
      ...(replication?.preferAvailability ? [{ path: ['replication', 'preferAvailability'], problem: 'preferAvailability is true' }] : []),
    ];
  },
};
