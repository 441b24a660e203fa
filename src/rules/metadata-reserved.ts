import type { PostgresRule, Violation } from './rule';

const RESERVED_PREFIX = /^([a-z0-9-]+\.)?everest\.io\//;
const RESERVED_LABELS = new Set(['name', 'instance', 'managed-by'].map((name) => `app.kubernetes.io/${name}`));
const FORCE = /\b(Force|Replace)=true\b/;

function reservedKeys(field: string, map: { readonly [key: string]: string } = {}): Violation[] {
  return Object.keys(map)
    .filter((key) => RESERVED_PREFIX.test(key) || (field === 'labels' && RESERVED_LABELS.has(key)))
    .map((key) => ({ path: [field, key], problem: `the key ${JSON.stringify(key)} belongs to the library` }));
}

function forcing(map: { readonly [key: string]: string } = {}): Violation[] {
  const dangerous = (key: string, value: string) =>
    (key === 'argocd.argoproj.io/sync-options' && FORCE.test(value)) || key === 'kustomize.toolkit.fluxcd.io/force';
  return Object.entries(map).filter(([key, value]) => dangerous(key, value)).map(([key, value]) => ({
    path: ['annotations', key],
    problem: `${JSON.stringify(`${key}: ${value}`)} makes the GitOps tool delete and create objects that it cannot change`,
    consequence: 'All members would go at once, with open transactions, on the first change of an immutable field',
    fix: 'Leave it out for databases',
  }));
}

export const metadataReserved: PostgresRule = {
  code: 'EV1106',
  title: 'A label or annotation that the library needs for itself, or that endangers the data',
  cause: 'labels or annotations set a key of the library (everest.io/…, app.kubernetes.io/name …) or make a GitOps tool replace objects by force.',
  consequence: 'Services, budgets and Patroni find the members by these labels; another value would take members out of the cluster',
  fix: 'Use another key',
  check: ({ props }) => [
    ...reservedKeys('labels', props.labels), ...reservedKeys('annotations', props.annotations), ...forcing(props.annotations),
  ],
};
