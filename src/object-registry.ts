import type { IConstruct } from 'constructs';
import { EverestError } from './errors';
import type { Manifest } from './parts/manifest';
import type { ResolvedBackup } from './resolve/backup';
import { repositoryTaken } from './rules/backup-valid';
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

/** One sentence for all that two constructs would both make: the owner is the news, not the length of the list. */
function clash(registry: Map<string, string>, namespace: string, taken: readonly string[]): string {
  const others = taken.length > 1 ? ` and ${taken.length - 1} more` : '';
  return `${taken[0]}${others} in the namespace ${namespace} already belong to ${registry.get(`${namespace}/${taken[0]}`)}`;
}

/**
 * Which construct of an app writes to which repository: two clusters of one path would write over each other's archive.
 */
export function claimRepositories(scope: IConstruct, { backup }: { readonly backup?: ResolvedBackup }): void {
  const registry = registryOf(scope);
  const findings = (backup?.repositories ?? []).flatMap(({ key, identity, url }) => {
    const owner = registry.get(identity);
    registry.set(identity, scope.node.path);
    return owner === undefined ? [] : [findingOf(repositoryTaken, {
      path: ['backup', ...(key === 1 ? [] : ['secondary']), 'storage'],
      problem: owner === scope.node.path ? `both repositories are ${url}` : `${url} already belongs to ${owner}`,
    })];
  });
  if (findings.length > 0) throw new EverestError(findings, scope.node.path);
}

/** Takes `Kind/name` in a namespace for this construct; refuses what another one of the app has already. */
export function claimObjects(scope: IConstruct, namespace: string, objects: readonly string[]): void {
  const registry = registryOf(scope);
  const taken = objects.filter((object) => registry.has(`${namespace}/${object}`));
  if (taken.length > 0) {
    const problem = clash(registry, namespace, taken);
    throw new EverestError([findingOf(SHAPE_TEXTS.duplicateObject, { path: [], problem })], scope.node.path);
  }
  for (const object of objects) registry.set(`${namespace}/${object}`, scope.node.path);
}

export function objectName(manifest: Manifest): string {
  return `${manifest.kind}/${manifest.metadata.name}`;
}
