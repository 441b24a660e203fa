import type { GaleraRule, Violation } from './rule';
import { GIB, parseQuantity, readableBytes } from '../quantity';
import { DEFAULT_INSTANCES } from '../resolve/groups';

const COUNTS = [1, 3, 5];

export const galeraMembers: GaleraRule = {
  code: 'EV2001',
  title: 'A number of members that makes no majority',
  cause: 'instances is 2 without arbitrator, another even number, 0 or less, or more than 5; or arbitrator stands beside another number than 2.',
  consequence: 'With an even number a cut network leaves two halves without a majority, and both stand still; with more than five every commit waits for more members',
  fix: 'Use 3 or 5, or 2 with arbitrator: true; 1 for a database without high availability',
  check: ({ props }) => {
    const count = props.instances ?? DEFAULT_INSTANCES;
    const arbitrator = props.arbitrator ?? false;
    if (arbitrator ? count === 2 : COUNTS.includes(count)) return [];
    const problem = `instances is ${count}${arbitrator ? ' with an arbitrator' : ''}`;
    return [{ path: [arbitrator ? 'arbitrator' : 'instances'], problem }];
  },
};

export const galeraStorage: GaleraRule = {
  code: 'EV2002',
  title: 'A volume that a member cannot live on',
  cause: 'storage.size is below 1Gi.',
  consequence: 'Write-set cache, redo log and system tables take 500 MiB before the first row, and a full volume ends the server',
  fix: 'Use 1Gi or more',
  check: ({ props }) => {
    const bytes = parseQuantity(props.storage.size);
    return bytes === undefined || bytes >= GIB ? [] : [{ path: ['storage', 'size'], problem: `size is ${readableBytes(bytes)}` }];
  },
};

function windowProblem(seconds: number | undefined): Violation[] {
  if (seconds === undefined || (seconds > 0 && seconds <= 86_400)) return [];
  return [{
    path: ['maintenanceWindow'], problem: `maintenanceWindow is ${seconds} seconds`,
    consequence: 'The write-set cache would have no size that makes sense', fix: 'Use up to a day',
  }];
}

export const galeraProxy: GaleraRule = {
  code: 'EV2003',
  title: 'A number that HAProxy or the maintenance window cannot have',
  cause: 'proxy.instances or proxy.maxConnections is no whole number from 1 on, or maintenanceWindow is negative, 0 or longer than a day.',
  consequence: 'Clients would find nobody, or members would have no cache for their return',
  fix: 'Use 2 Pods or more for high availability',
  check: ({ props }) => {
    const numbers = { instances: props.proxy?.instances, maxConnections: props.proxy?.maxConnections };
    const valid = (value = 1) => Number.isInteger(value) && value >= 1 && value <= 100_000;
    const broken = Object.entries(numbers).filter(([, value]) => !valid(value));
    return [
      ...broken.map(([name, value]) => ({ path: ['proxy', name], problem: `${name} is ${value}` })),
      ...windowProblem(props.maintenanceWindow?.toSeconds({ integral: false })),
    ];
  },
};
