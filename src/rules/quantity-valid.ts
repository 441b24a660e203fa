import type { PostgresClusterProps } from '../postgres-cluster-props';
import { parseQuantity } from '../quantity';
import type { Resources } from '../resources';
import type { PostgresStorage } from '../storage';
import type { PostgresRule, Violation } from './rule';

type Path = Array<string | number>;
type Located = readonly [path: Path, text: string | undefined];

function ofResources(path: Path, resources: Resources = {}): Located[] {
  return (['requests', 'limits'] as const).flatMap((kind) =>
    (['cpu', 'memory'] as const).map((name): Located => [[...path, kind, name], resources[kind]?.[name]]));
}

function ofStorage(path: Path, storage: PostgresStorage): Located[] {
  return [[[...path, 'size'], storage.size], [[...path, 'walSize'], storage.walSize]];
}

function quantities(props: PostgresClusterProps): Located[] {
  return [
    ...ofResources(['resources'], props.resources),
    ...ofStorage(['storage'], props.storage),
    [['replication', 'maximumLagOnFailover'], props.replication?.maximumLagOnFailover],
    ...(props.memberGroups ?? []).flatMap((group, index) => [
      ...ofResources(['memberGroups', index, 'resources'], group.resources),
      ...(group.storage ? ofStorage(['memberGroups', index, 'storage'], group.storage) : []),
    ]),
  ];
}

function check([path, text]: Located): Violation[] {
  if (text === undefined || parseQuantity(text) !== undefined) return [];
  const guess = /^\s*(\d+(?:\.\d+)?)\s*([kmgtp])i?b?\s*$/i.exec(text);
  const hint = guess ? `; did you mean ${guess[1]}${guess[2]!.toUpperCase()}i?` : '';
  return [{ path, problem: `${JSON.stringify(text)} is not a quantity${hint}` }];
}

/** Amounts that do not parse, of whatever has resources. */
export function amountViolations(path: Path, resources?: Resources): Violation[] {
  return ofResources(path, resources).flatMap(check);
}

/** A single amount that does not parse. */
export function quantityViolations(path: Path, text: string | undefined): Violation[] {
  return check([path, text]);
}

export const quantityValid: PostgresRule = {
  code: 'EV1205',
  title: 'A quantity that does not parse',
  cause: 'A size, a CPU or a memory amount is not a positive quantity as Kubernetes writes them.',
  consequence: 'Kubernetes would refuse the object, or read another amount than was meant',
  fix: 'Write a number with Ki, Mi, Gi, Ti (powers of 1024), k, M, G, T (powers of 1000), or for CPU cores or millicores: 100Gi, 500m, 2',
  check: ({ props }) => quantities(props).flatMap(check),
};
