import type { PostgresRule, Violation } from './rule';
import { MEMBER_NAME_LIMIT, memberName } from '../contract/names';
import type { ResolvedGroup } from '../resolve/groups';

/** Longest suffix of an object beside the members: `-credentials`; names end at 63 characters. */
const NAME_LIMIT = 63 - '-credentials'.length;

function longestMember(clusterName: string, group: ResolvedGroup): string {
  return group.members.at(-1) ?? memberName(clusterName, group.name, 1);
}

function tooLong(clusterName: string, group: ResolvedGroup): Violation[] {
  const name = longestMember(clusterName, group);
  if (name.length <= MEMBER_NAME_LIMIT) return [];
  return [{
    path: group.path.length > 0 ? [...group.path, 'name'] : ['clusterName'],
    problem: `the member ${JSON.stringify(name)} has ${name.length} characters; ${MEMBER_NAME_LIMIT} are the most`,
    fix: `Make it shorter by ${name.length - MEMBER_NAME_LIMIT}`,
  }];
}

export const clusterNameLength: PostgresRule = {
  code: 'EV1102',
  title: 'A name is too long for the objects made from it',
  cause: 'The names of the members (cluster, group, number) or of the other objects would pass the limits of Kubernetes.',
  consequence: 'Kubernetes writes a StatefulSet\'s name and an 11-character hash into a label of at most 63 characters; its Pods would never be made',
  fix: 'Choose a shorter clusterName or group name',
  check: ({ clusterName, groups }) => [
    ...(clusterName.length > NAME_LIMIT ? [{
      path: ['clusterName'],
      problem: `clusterName has ${clusterName.length} characters; ${NAME_LIMIT} are the most`,
      fix: `Make it shorter by ${clusterName.length - NAME_LIMIT}`,
    }] : []),
    ...groups.flatMap((group) => tooLong(clusterName, group)),
  ],
};
