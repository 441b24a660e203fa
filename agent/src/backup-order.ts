/** The order of a backup, from the arguments that a CronJob gives. */
import { parseArgs } from 'node:util';
import { EXIT } from './backup-job.js';
import type { BackupOrder } from './backup-work.js';
import type { BackupType } from './model/pgbackrest.js';
import type { ContractSchedule } from '../../src/contract/document.js';

export const TYPES: readonly BackupType[] = ['full', 'differential', 'incremental'];
const TARGETS: ReadonlyArray<ContractSchedule['target']> = ['standby', 'primary'];

/** Trying again is of no use. */
export class OrderError extends Error {
  readonly exitCode = EXIT.refused;
}

function oneOf<T extends string>(option: string, given: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === given);
  if (found === undefined) throw new OrderError(`--${option} is ${JSON.stringify(given)}; it takes ${allowed.join(', ')}`);
  return found;
}

function parsed(args: readonly string[]): Record<string, string | undefined> {
  const text = { type: 'string' } as const;
  const options = { cluster: text, schedule: text, type: text, repository: text, target: text };
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (problem) {
    throw new OrderError((problem as Error).message, { cause: problem });
  }
}

export function readOrder(args: readonly string[]): BackupOrder {
  const values = parsed(args);
  const given = (name: string) => {
    const value = values[name];
    if (!value) throw new OrderError(`--${name} is missing; the CronJob of the schedule gives it`);
    return value;
  };
  const repository = Number(given('repository'));
  if (!Number.isInteger(repository) || repository < 1) throw new OrderError(`--repository is ${JSON.stringify(given('repository'))}; it takes the number of a repository, from 1`);
  return {
    cluster: given('cluster'), schedule: given('schedule'), repository,
    type: oneOf('type', given('type'), TYPES), target: oneOf('target', given('target'), TARGETS),
  };
}
