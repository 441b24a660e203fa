import { MIB, parseQuantity, readableBytes } from '../quantity';
import type { PostgresStorage } from '../storage';
import type { PostgresRule, Violation } from './rule';

/**
 * An empty cluster takes about 40 MiB, its first write-ahead log 64 to 128 MiB, a file system's own log up to 64 MiB.
 */
const LEAST_STORAGE = 512 * MIB;

function tooSmall(path: Array<string | number>, storage: PostgresStorage): Violation[] {
  return (['size', 'walSize'] as const).flatMap((name) => {
    const bytes = parseQuantity(storage[name] ?? '');
    if (bytes === undefined || bytes >= LEAST_STORAGE) return [];
    return [{ path: [...path, name], problem: `${name} is ${storage[name]}`, fix: `Use ${readableBytes(LEAST_STORAGE)} or more` }];
  });
}

function walEverywhere(base: PostgresStorage, path: Array<string | number>, storage: PostgresStorage): Violation[] {
  if (Boolean(base.walSize) === Boolean(storage.walSize)) return [];
  return [{
    path: [...path, 'walSize'],
    problem: 'some members have a volume for the write-ahead log and others have none',
    consequence: 'A member without it could not be rebuilt from one with it',
    fix: 'Set walSize for all groups or for none',
  }];
}

export const storageSize: PostgresRule = {
  code: 'EV1208',
  title: 'A volume that PostgreSQL cannot live on',
  cause: 'A volume is smaller than 512Mi, or only some of the groups have a volume for the write-ahead log.',
  consequence: 'The volume would be full before the first table is made',
  fix: 'Ask for more storage',
  check: ({ props }) => [
    ...tooSmall(['storage'], props.storage),
    ...(props.memberGroups ?? []).flatMap((group, index) => {
      const path = ['memberGroups', index, 'storage'];
      return group.storage ? [...tooSmall(path, group.storage),
        ...walEverywhere(props.storage, path, group.storage)] : [];
    }),
  ],
};
