import type { PostgresRule } from './rule';

export const groupNames: PostgresRule = {
  code: 'EV1502',
  title: 'Member groups that cannot be told apart',
  cause: 'A group has the name of another one, the name "default", or one that is no DNS label or reads like a member\'s number.',
  consequence: 'Two members would share a name, and so a volume',
  fix: 'Give each group a name of its own, in lower-case letters, digits and "-", starting with a letter',
  check: ({ props }) => (props.memberGroups ?? []).flatMap((group, index, groups) => {
    const path = ['memberGroups', index, 'name'];
    const first = groups.findIndex((other) => other.name === group.name);
    if (first !== index) return [{ path, problem: `the name ${JSON.stringify(group.name)} is that of memberGroups[${first}]` }];
    const valid = /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(group.name) && group.name !== 'default';
    return valid ? [] : [{ path, problem: `the name is ${JSON.stringify(group.name)}` }];
  }),
};
