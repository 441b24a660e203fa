/**
 * The manifests under test: the CLI's output for an example document, or a folder of YAML.
 * With a folder (--manifests DIR or E2E_MANIFESTS), DIR/<instances>/*.yaml is read, so a set of 5 lies in DIR/5.
 */
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Obj } from './cluster-api';
import { parseManifests } from './cluster-api';

const exec = promisify(execFile);
const ROOT = resolve(__dirname, '../../..');
const CLI = join(ROOT, 'lib/cli/main.js');
const CLUSTER_LABEL = 'everest.io/cluster';

export interface Wanted {
  readonly namespace: string;
  readonly instances: number;
  readonly storageClass: string;
}

export interface ManifestSource {
  read(wanted: Wanted): Promise<Obj[]>;
}

/** A document of the front end with its sizes set down to what a test machine has. */
export class CliManifests implements ManifestSource {
  constructor(private readonly document: string, private readonly overrides: Readonly<Record<string, string>>) {}

  async read(wanted: Wanted): Promise<Obj[]> {
    const set = {
      ...this.overrides,
      'metadata.namespace': wanted.namespace,
      'spec.instances': String(wanted.instances),
      'spec.storage.class': wanted.storageClass,
    };
    const args = Object.entries(set).flatMap(([path, value]) => ['--set', `${path}=${value}`]);
    const { stdout } = await exec(process.execPath, [CLI, 'synth', join(ROOT, this.document), ...args], { maxBuffer: 64_000_000 });
    return parseManifests(stdout);
  }
}

export class FolderManifests implements ManifestSource {
  constructor(private readonly folder: string) {}

  async read(wanted: Wanted): Promise<Obj[]> {
    const folder = join(this.folder, String(wanted.instances));
    const files = readdirSync(folder).filter((name) => name.endsWith('.yaml')).sort();
    return files.flatMap((name) => parseManifests(readFileSync(join(folder, name), 'utf8')));
  }
}

export function clusterNameOf(objects: readonly Obj[]): string {
  const names = new Set(objects.map((object) => object.metadata.labels?.[CLUSTER_LABEL])
    .filter((name) => name !== undefined));
  const [name] = names;
  if (names.size !== 1 || !name) throw new Error(`expected one cluster in the manifests, found: ${[...names].join(', ') || 'none'}`);
  return name;
}

/** Deleting everything spares the data, as Argo CD, Flux and Helm do by the keep annotations. */
export function isData(object: Obj): boolean {
  return object.kind === 'PersistentVolumeClaim';
}
