/**
 * Sees to it that the images of this project are on every node: built and loaded on the testbed, only checked
 * elsewhere.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { ClusterApi } from './cluster-api';
import type { NodeFaults } from './faults';
import type { Reporter } from './suite';
import { waitFor } from './wait';

const exec = promisify(execFile);
const ROOT = resolve(__dirname, '../../..');
const BASE_IMAGES = process.env.E2E_BASE_IMAGES ?? resolve(ROOT, '../shared/testbed/base-images');
/** On the built image: from which files it was made, so that an edit of the Containerfile is noticed. */
const SOURCE_LABEL = 'io.everest.source.sha256';

export interface Image {
  readonly name: string;
  /** Folder with the Containerfile, relative to the project's root. */
  readonly folder: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Another one of these that it starts from. */
  readonly from?: Image;
  /** Folder whose files go into the image where it is not `folder`, and the script that fills it. */
  readonly content?: { readonly folder: string; readonly script: string };
}

export const POSTGRES_IMAGE: Image = { name: 'cdk8s-everest/postgres:17.11', folder: 'images/postgres', buildArgs: { PG_MAJOR: '17' } };
/** A member whose time of day can be set. */
export const CLOCK_IMAGE: Image = { name: 'cdk8s-everest/postgres-clock:17.11', folder: 'test/e2e/kit/clock', from: POSTGRES_IMAGE };
export const POOLER_IMAGE: Image = { name: 'cdk8s-everest/pgbouncer:1.24', folder: 'images/pgbouncer' };
export const MARIADB_IMAGE: Image = { name: 'cdk8s-everest/mariadb:11.8', folder: 'images/mariadb' };
export const HAPROXY_IMAGE: Image = { name: 'cdk8s-everest/haproxy:3.0', folder: 'images/haproxy' };
/** E2E_AGENT_IMAGE: a name of your own, so that several people can try their agents on one testbed. */
export const AGENT_IMAGE: Image = {
  name: process.env.E2E_AGENT_IMAGE ?? 'cdk8s-everest/agent:0.0.0',
  folder: 'images/agent',
  content: { folder: 'agent/dist', script: 'agent/tools/build.mjs' },
};

export async function ensureImage(image: Image, api: ClusterApi, testbed: NodeFaults,
  reporter: Reporter): Promise<void> {
  const built = testbed.available && await buildIfChanged(image, reporter);
  const without = await nodesWithout(image, api);
  if (!built && without.length === 0) return;
  if (!testbed.available) throw new Error(`${adviceFor(image)} Nodes without it: ${without.join(', ')}.`);
  await load(image, testbed, reporter);
  await waitFor({ what: `${image.name} on every node`, seconds: 60 }, async () => (await nodesWithout(image, api)).join(', ') || undefined);
}

function adviceFor(image: Image): string {
  return `Image ${image.name} is not on every node: build it (buildah bud -t ${image.name} ${image.folder}) and load it into your cluster, ` +
    `for instance with "kind load docker-image ${image.name}".`;
}

async function nodesWithout(image: Image, api: ClusterApi): Promise<string[]> {
  const has = (names: readonly string[] | undefined) => names?.some((name) => name === image.name || name.endsWith(`/${image.name}`));
  return (await api.nodes())
    .filter((node) => !node.status?.images?.some((item) => has(item.names)))
    .map((node) => node.metadata?.name ?? '?');
}

async function buildIfChanged(image: Image, reporter: Reporter): Promise<boolean> {
  if (image.content) await exec(process.execPath, [join(ROOT, image.content.script)]);
  const context = join(ROOT, image.content?.folder ?? image.folder);
  const folders = [image.folder, ...(image.from ? [image.from.folder] : [])].map((folder) => join(ROOT, folder));
  const source = hashOf([...new Set([...folders, context])]);
  if (await sourceOf(image) === source) return false;
  if (existsSync(BASE_IMAGES)) await exec(BASE_IMAGES, [], { maxBuffer: 64_000_000 });
  reporter.progress(`building ${image.name}`);
  const args = Object.entries(image.buildArgs ?? {}).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
  const containerfile = ['-f', join(ROOT, image.folder, 'Containerfile')];
  await exec('buildah', ['bud', '--layers=false', '--label', `${SOURCE_LABEL}=${source}`, ...args, ...containerfile, '-t', image.name, context],
    { maxBuffer: 64_000_000, env: { ...process.env, BUILDAH_ISOLATION: 'chroot' } });
  return true;
}

async function sourceOf(image: Image): Promise<string | undefined> {
  const { stdout } = await exec('buildah', ['inspect', '--type', 'image', image.name], { maxBuffer: 64_000_000 }).catch(() => ({ stdout: '{}' }));
  const described = JSON.parse(stdout) as { OCIv1?: { config?: { Labels?: Record<string, string> } } };
  return described.OCIv1?.config?.Labels?.[SOURCE_LABEL];
}

async function load(image: Image, testbed: NodeFaults, reporter: Reporter): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'e2e-image-'));
  const archive = join(folder, 'image.tar');
  try {
    reporter.progress(`loading ${image.name}`);
    await exec('buildah', ['push', '--quiet', image.name, `docker-archive:${archive}:${image.name}`], { maxBuffer: 64_000_000 });
    await testbed.loadImage(archive);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function hashOf(folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    for (const file of readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile() && !name.endsWith('.md')).sort()) {
      hash.update(`${file}\0`).update(readFileSync(join(folder, file)));
    }
  }
  return hash.digest('hex');
}
