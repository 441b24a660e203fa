/** The order of a backup, from the arguments that a CronJob gives. */
import { parseArgs } from 'node:util';
import { EXIT } from './backup-job.js';
import type { BackupOrder } from './backup-work.js';
import type { ContractSchedule } from '../../src/contract/document.js';

export const TYPES: ReadonlyArray<ContractSchedule['type']> = ['full', 'differential', 'incremental', 'snapshot'];
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
  const names = ['cluster', 'schedule', 'type', 'repository', 'target', 'keep', 'class'] as const;
  const options = Object.fromEntries(names.map((name) => [name, text]));
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
  const type = oneOf('type', given('type'), TYPES);
  return {
    cluster: given('cluster'), schedule: given('schedule'), repository, type,
    target: oneOf('target', given('target'), TARGETS),
    ...snapshotOrder(type, values),
  };
}

/** Of VolumeSnapshots only. */
function snapshotOrder(type: string, { keep, class: className }: Record<string, string | undefined>): Pick<BackupOrder, 'snapshot'> {
  if (type !== 'snapshot') {
    if (keep !== undefined || className !== undefined) throw new OrderError(`--keep and --class are for snapshots, and --type is ${type}`);
    return {};
  }
  if (!/^[1-9]\d*$/.test(keep ?? '')) throw new OrderError(`--keep is ${JSON.stringify(keep ?? '')}; it takes the number of snapshots that stay, from 1`);
  return { snapshot: { keep: Number(keep), ...(className === undefined ? {} : { className }) } };
}
