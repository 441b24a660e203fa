import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

interface Definition {
  'properties'?: Record<string, unknown>;
  'additionalProperties'?: boolean;
  'x-kubernetes-group-version-kind'?: Array<{ group: string; version: string; kind: string }>;
}

/** What kubeconform's `-schema-location` needs to find a kind's file. */
export const SCHEMA_TEMPLATE = '{{.ResourceKind}}{{.KindSuffix}}.json';

/** kubeconform's name of a kind's file: the kind, the group's first word, the version. */
function fileName({ group, version, kind }: { group: string; version: string; kind: string }): string {
  return `${[kind, group.split('.')[0], version].filter(Boolean).join('-').toLowerCase()}.json`;
}

/** Turns one of the gzipped definition sets into a folder of files for kubeconform, strict about unknown fields. */
export function writeSchemaFolder(source: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const text = gunzipSync(readFileSync(source)).toString('utf8');
  const { definitions } = JSON.parse(text) as { definitions: Record<string, Definition> };
  for (const definition of Object.values(definitions)) {
    if (definition.properties) definition.additionalProperties = false;
  }
  definitions['io.k8s.apimachinery.pkg.api.resource.Quantity'] = { anyOf: [{ type: 'string' }, { type: 'number' }] } as Definition;
  definitions['io.k8s.apimachinery.pkg.util.intstr.IntOrString'] = { anyOf: [{ type: 'string' }, { type: 'number' }] } as Definition;
  writeFileSync(join(folder, '_definitions.json'), JSON.stringify({ definitions }));
  for (const [name, definition] of Object.entries(definitions)) {
    for (const kind of definition['x-kubernetes-group-version-kind'] ?? []) {
      writeFileSync(join(folder, fileName(kind)), JSON.stringify({ $ref: `_definitions.json#/definitions/${name}` }));
    }
  }
}
