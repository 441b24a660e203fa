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
  readonly dataSource?: { readonly name?: string };
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

function sizeFindings(name: string, before: string, after: string): Finding[] {
  const [old, now] = [parseQuantity(before), parseQuantity(after)];
  return old === undefined || now === undefined || now >= old ? [] : [findingOf(SHAPE_TEXTS.volumeShrinks, {
    path: [], problem: `the volume ${name} has ${before}, and ${after} is asked for`, fix: `Set storage.size to ${before} or more`,
  })];
}

function classFindings(name: string, before: string | undefined, after: string | undefined): Finding[] {
  const words = (value: string | undefined) => value ?? 'the default class';
  return before === after ? [] : [findingOf(SHAPE_TEXTS.volumeClassChanges, {
    path: [], problem: `the volume ${name} is of ${words(before)}, and ${words(after)} is asked for`,
  })];
}

function sourceFindings(name: string, before: string | undefined, after: string | undefined): Finding[] {
  const words = (value: string | undefined) => (value === undefined ? 'no snapshot' : `the snapshot ${value}`);
  return before === after ? [] : [findingOf(SHAPE_TEXTS.volumeSourceChanges, {
    path: [], problem: `the volume ${name} was made of ${words(before)}, and ${words(after)} is asked for`,
  })];
}

function claimFindings(before: Manifest, after: Manifest): Finding[] {
  const [old, now] = [before, after].map((manifest) => manifest.spec as ClaimSpec | undefined);
  const sizeOf = (spec: ClaimSpec | undefined) => spec?.resources?.requests?.storage ?? '';
  const { name } = after.metadata;
  return [...sizeFindings(name, sizeOf(old), sizeOf(now)),
    ...classFindings(name, old?.storageClassName, now?.storageClassName),
    ...sourceFindings(name, old?.dataSource?.name, now?.dataSource?.name)];
}

interface Engine {
  readonly name: string;
  /** What cannot change in place: the major version of PostgreSQL, the series of the others. */
  readonly series: string;
}

function engineOf(manifest: Manifest): Engine | undefined {
  const text = (manifest.data as Record<string, string> | undefined)?.['contract.json'];
  const name = text && /"engine":\s*"([a-z-]+)"/.exec(text)?.[1];
  const version = text && /"engineVersion":\s*"([0-9.]+)/.exec(text)?.[1];
  if (!name || !version) return undefined;
  return { name, series: version.split('.').slice(0, name === 'postgresql' ? 1 : 2).join('.') };
}

function engineFindings(before: Manifest, after: Manifest): Finding[] {
  const [old, now] = [engineOf(before), engineOf(after)];
  if (!old || !now || (old.name === now.name && old.series === now.series)) return [];
  const words = ({ name, series }: Engine) => `${name} ${series}`;
  return [findingOf(SHAPE_TEXTS.engineChanges, {
    path: [], problem: `${after.metadata.name.replace(/-contract$/, '')} runs ${words(old)}, and ${words(now)} is asked for`,
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
