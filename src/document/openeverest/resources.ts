import type { OpenEverestResources, OpenEverestSpec } from './shape';
import type { Resources } from '../../resources';
import { present } from '../present';

/* Sizes of members and proxies, as OpenEverest writes them. */

type Path = Array<string | number>;
type Amounts = OpenEverestResources['limits'];

/** OpenEverest's own default. */
export const DEFAULT_REPLICAS = 3;

/** In Kubernetes, and so in OpenEverest, what is not requested is requested as it is limited. */
export function toResources(given: OpenEverestResources | undefined): Resources | undefined {
  if (!given) return undefined;
  const text = (value: string | number | undefined) => (value === undefined ? undefined : String(value));
  const limits = { cpu: text(given.limits?.cpu ?? given.cpu), memory: text(given.limits?.memory ?? given.memory) };
  const amounts = (one: Amounts, other: Amounts) => present({
    cpu: text(one?.cpu ?? other?.cpu), memory: text(one?.memory ?? other?.memory),
  });
  return { requests: amounts(given.requests, limits), limits: amounts(limits, undefined) };
}

function resourceRenames({ engine }: OpenEverestSpec): Array<[Path, Path]> {
  const given = engine.resources;
  return (['cpu', 'memory'] as const).flatMap((name): Array<[Path, Path]> => {
    const written: Path = given?.limits?.[name] === undefined ? [name] : ['limits', name];
    const limit: Path = ['spec', 'engine', 'resources', ...written];
    return [
      ...(given?.requests?.[name] === undefined ? [[['resources', 'requests', name], limit] as [Path, Path]] : []),
      [['resources', 'limits', name], limit],
    ];
  });
}

/** Where props of a cluster stand in a document, whatever its engine. */
export function commonRenames(spec: OpenEverestSpec): Array<[Path, Path]> {
  return [
    ...resourceRenames(spec),
    [['parameters'], ['spec', 'engine', 'config']],
    [['placement'], ['spec', 'podSchedulingPolicyName']],
    [['storage', 'storageClassName'], ['spec', 'engine', 'storage', 'class']],
    [['storage'], ['spec', 'engine', 'storage']],
    [['version'], ['spec', 'engine', 'version']],
    [['instances'], ['spec', 'engine', 'replicas']],
    [['resources'], ['spec', 'engine', 'resources']],
    [['clusterName'], ['metadata', 'name']],
    [['namespace'], ['metadata', 'namespace']],
    [['labels'], ['metadata', 'labels']],
    [['annotations'], ['metadata', 'annotations']],
  ];
}

/** The path of a prop in the words of the document. */
export function renamed(renames: ReadonlyArray<[Path, Path]>, path: Path): Path {
  const rename = renames.find(([from]) => from.every((part, index) => path[index] === part));
  return rename ? [...rename[1], ...path.slice(rename[0].length)] : ['spec', ...path];
}
