import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { PAGES, ROOT } from './pages';
import * as openEverest from '../../src/document/openeverest/shape';
import { documentShape } from '../../src/document/shape';
import { aCluster } from '../support/cluster';

/* What pages promise to list completely. */

type Schema = z.core.$ZodType;
interface Definition { readonly innerType?: Schema; readonly element?: Schema; readonly shape?: Record<string, Schema> }

/** `storage.size`, `databases[].name`: every field of a schema that holds no fields of its own. */
function fieldsOf(schema: Schema, path: string): string[] {
  const { innerType, element, shape } = schema._zod.def as unknown as Definition;
  if (innerType) return fieldsOf(innerType, path);
  if (element) return fieldsOf(element, `${path}[]`);
  if (!shape) return [path];
  return Object.entries(shape).flatMap(([name, field]) => fieldsOf(field, path === '' ? name : `${path}.${name}`));
}

/** Every field of OpenEverest's kinds, also those that are refused; a cluster's without `spec.`, as on the page. */
function openEverestFields(): string[] {
  const fields = fieldsOf(openEverest.clusterShape, '').map((name) => name.replace(/^spec\./, ''));
  const others = [openEverest.storageShape, openEverest.monitoringShape].flatMap((shape) => fieldsOf(shape, ''));
  // An apiVersion and a kind are what the page is about.
  return [...fields, ...others].filter((name) => !/^(apiVersion|kind)$/.test(name));
}

function isCovered(field: string, page: string): boolean {
  // A group has the fields of the cluster: named once as a whole.
  const group = /^memberGroups\[\]\.(placement|resources|storage)/.exec(field)?.[0];
  return page.includes(`\`${group ?? field}\``);
}

describe('pages that list everything', () => {
  it('README names each object of its first example', () => {
    const table = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const rows = table.split('\n').filter((line) => line.startsWith('| '));
    const missing = aCluster().objects.filter(({ kind, name }) =>
      !rows.some((row) => row.split('|')[1]!.includes(kind) && row.includes(`\`${name}\``)));
    expect(missing.map(({ kind, name }) => `${kind} ${name}`)).toEqual([]);
  });

  it('the page of the document names each field that is read', () => {
    const page = readFileSync(join(ROOT, 'docs/guide/database-cluster-yaml.md'), 'utf8');
    const fields = fieldsOf(documentShape, '').filter((field) => field.startsWith('spec.')).map((field) => field.slice('spec.'.length));
    expect(fields.length).toBeGreaterThan(40);
    expect(fields.filter((field) => !isCovered(field, page))).toEqual([]);
  });

  it('the page of OpenEverest names each field that its kinds have, because a field without a row would be ignored in silence', () => {
    const page = readFileSync(join(ROOT, 'docs/guide/openeverest-yaml.md'), 'utf8');
    const fields = openEverestFields();
    expect(fields.length).toBeGreaterThan(70);
    expect(fields.filter((field) => !page.includes(`\`${field}\``))).toEqual([]);
  });

  it('the page of dependencies has a line for each package', () => {
    const page = readFileSync(join(ROOT, 'docs/adr/0002-dependencies.md'), 'utf8');
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, Record<string, string>>;
    const names = ['dependencies', 'peerDependencies', 'devDependencies'].flatMap((kind) => Object.keys(manifest[kind] ?? {}));
    expect(names.filter((name) => !/eslint/.test(name) && !page.includes(name))).toEqual([]);
  });
});

it.each([['README.md', 200], ['ARCHITECTURE.md', 200]])('%s stays within %d lines, so that it is read', (path, most) => {
  expect(PAGES.find((page) => page.path === path)!.lines.length).toBeLessThanOrEqual(most);
});
