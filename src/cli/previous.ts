import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Finding } from '../errors';
import type { Manifest } from '../parts/manifest';
import { parseQuantity } from '../quantity';
import { findingOf } from '../rules/run';
import { SHAPE_TEXTS } from '../rules/shape-texts';

interface ClaimSpec {
  readonly storageClassName?: string;
  readonly resources?: { readonly requests?: { readonly storage?: string } };
}

function yamlFiles(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).filter((name) => /\.ya?ml$/.test(name)).sort().map((name) => join(path, name));
}

/** Objects of an earlier synthesis: of one file, or of all YAML files of a folder. What is no object is left out. */
export function readManifests(path: string): Manifest[] {
  return yamlFiles(path)
    .flatMap((file) => parseAllDocuments(readFileSync(file, 'utf8')))
    .map((document) => document.toJS() as Manifest | null)
    .filter((value): value is Manifest => typeof value?.kind === 'string' && typeof value?.metadata?.name === 'string');
}

function key({ kind, metadata }: Manifest): string {
  return `${kind}/${metadata.namespace}/${metadata.name}`;
}

function claimFindings(before: Manifest, after: Manifest): Finding[] {
  const [old, now] = [before.spec as ClaimSpec, after.spec as ClaimSpec];
  const sizes = [old, now].map((spec) => spec?.resources?.requests?.storage ?? '');
  const [oldBytes, nowBytes] = sizes.map(parseQuantity);
  const name = after.metadata.name;
  const shrinks = oldBytes !== undefined && nowBytes !== undefined && nowBytes < oldBytes;
  return [
    ...(shrinks ? [findingOf(SHAPE_TEXTS.volumeShrinks, {
      path: [], problem: `the volume ${name} has ${sizes[0]}, and ${sizes[1]} is asked for`, fix: `Set storage.size to ${sizes[0]} or more`,
    })] : []),
    ...(old?.storageClassName === now?.storageClassName ? [] : [findingOf(SHAPE_TEXTS.volumeClassChanges, {
      path: [], problem: `the volume ${name} is of ${old?.storageClassName ?? 'the default class'}, and ${now?.storageClassName ?? 'the default class'} is asked for`,
    })]),
  ];
}

function majorVersion(manifest: Manifest): string | undefined {
  const text = (manifest.data as Record<string, string> | undefined)?.['contract.json'];
  return text && /"engineVersion":\s*"(\d+)/.exec(text)?.[1];
}

function engineFindings(before: Manifest, after: Manifest): Finding[] {
  const [old, now] = [majorVersion(before), majorVersion(after)];
  return !old || !now || old === now ? [] : [findingOf(SHAPE_TEXTS.engineChanges, {
    path: [], problem: `${after.metadata.name.replace(/-contract$/, '')} runs PostgreSQL ${old}, and ${now} is asked for`,
  })];
}

/** What must not happen between two syntheses of the same clusters. */
export function checkChanges(before: readonly Manifest[], after: readonly Manifest[]): Finding[] {
  const old = new Map(before.map((manifest) => [key(manifest), manifest]));
  return after.flatMap((manifest) => {
    const earlier = old.get(key(manifest));
    if (!earlier) return [];
    if (manifest.kind === 'PersistentVolumeClaim') return claimFindings(earlier, manifest);
    return manifest.kind === 'ConfigMap' ? engineFindings(earlier, manifest) : [];
  });
}
