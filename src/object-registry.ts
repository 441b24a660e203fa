import type { IConstruct } from 'constructs';
import { EverestError } from './errors';
import type { Manifest } from './parts/manifest';
import { findingOf } from './rules/run';
import { SHAPE_TEXTS } from './rules/shape-texts';

/** Which construct of an app makes which object: cdk8s itself does not notice two objects of one name. */
const registries = new WeakMap<IConstruct, Map<string, string>>();

function registryOf(scope: IConstruct): Map<string, string> {
  const root = scope.node.root;
  const registry = registries.get(root) ?? new Map<string, string>();
  registries.set(root, registry);
  return registry;
}

/** Takes `Kind/name` in a namespace for this construct; refuses what another one of the app has already. */
export function claimObjects(scope: IConstruct, namespace: string, objects: readonly string[]): void {
  const registry = registryOf(scope);
  const taken = objects.filter((object) => registry.has(`${namespace}/${object}`));
  if (taken.length > 0) {
    throw new EverestError(taken.map((object) => findingOf(SHAPE_TEXTS.duplicateObject, {
      path: [],
      problem: `${object} in the namespace ${namespace} belongs to ${registry.get(`${namespace}/${object}`)} already`,
    })), scope.node.path);
  }
  for (const object of objects) registry.set(`${namespace}/${object}`, scope.node.path);
}

export function objectName(manifest: Manifest): string {
  return `${manifest.kind}/${manifest.metadata.name}`;
}
