import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Ajv, { type AnySchema, type ValidateFunction } from 'ajv';

/*
 * Checks manifests strictly against the real schemas of Kubernetes: no cluster, no network.
 * Stricter than the schemas themselves: no unknown field, whole numbers within their format, quantities that parse.
 */

/** Kubernetes versions whose schemas there are. The manifests must fit all of them. */
export const MINORS = ['1.27', '1.30', '1.33', '1.36'] as const;
export type Minor = typeof MINORS[number];

interface Definition {
  'properties'?: { kind?: { enum?: string[] }; [name: string]: unknown };
  'additionalProperties'?: boolean;
  'x-kubernetes-group-version-kind'?: Array<{ group: string; version: string; kind: string }>;
  [keyword: string]: unknown;
}

const FOLDER = resolve(process.env.EVEREST_SCHEMAS ?? join(__dirname, '..', '..', '..', 'shared', 'schemas'));
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
/** As the API server's own parser takes it. */
const QUANTITY_PATTERN = '^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$';

function schemaFile(minor: Minor): string {
  return join(FOLDER, `k8s-${minor}.json.gz`);
}

/** Why nothing can be checked here, or undefined. */
export const schemasMissing: string | undefined = MINORS.every((minor) => existsSync(schemaFile(minor)))
  ? undefined
  : 'skipped: the Kubernetes schemas are not beside the project; name their folder in EVEREST_SCHEMAS';

function within(bits: number): (value: number) => boolean {
  return (value) => Number.isInteger(value)
    && Math.abs(value) <= Math.min(2 ** (bits - 1) - 1, Number.MAX_SAFE_INTEGER);
}

class Oracle {
  private readonly ajv = new Ajv({ strict: false, allErrors: true, inlineRefs: false });
  private readonly kinds = new Map<string, string>();
  private readonly checks = new Map<string, ValidateFunction>();

  public constructor(minor: Minor) {
    const document = JSON.parse(gunzipSync(readFileSync(schemaFile(minor))).toString('utf8')) as { definitions: Record<string, Definition> };
    for (const [name, definition] of Object.entries(document.definitions)) {
      if (definition.properties) definition.additionalProperties = false;
      for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
        this.kinds.set(`${group ? `${group}/` : ''}${version}/${kind}`, name);
      }
    }
    document.definitions[QUANTITY] = { oneOf: [{ type: 'string', pattern: QUANTITY_PATTERN }, { type: 'number' }] };
    this.ajv.addFormat('int32', { type: 'number', validate: within(32) });
    this.ajv.addFormat('int64', { type: 'number', validate: within(64) });
    this.ajv.addFormat('double', true).addFormat('byte', true).addFormat('date-time', true);
    this.ajv.addSchema(document as AnySchema, 'k8s');
  }

  public errors(manifest: unknown): string[] {
    const {
      apiVersion, kind,
      metadata,
    } = manifest as { apiVersion: string; kind: string; metadata?: { name?: string } };
    const key = `${apiVersion}/${kind}`;
    const name = this.kinds.get(key);
    if (name === undefined) return [`${key}: no such kind`];
    const check = this.checks.get(key) ?? this.ajv.compile({ $ref: `k8s#/definitions/${name}` });
    this.checks.set(key, check);
    if (check(manifest)) return [];
    return (check.errors ?? []).map((error) => `${key} ${metadata?.name}: ${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`);
  }
}

const oracles = new Map<Minor, Oracle>();

/** What a version of Kubernetes has against some manifests; empty where it takes them all. */
export function schemaErrors(minor: Minor, manifests: readonly unknown[]): string[] {
  const oracle = oracles.get(minor) ?? new Oracle(minor);
  oracles.set(minor, oracle);
  return manifests.flatMap((manifest) => oracle.errors(manifest));
}

/** A test that needs the schemas. Without them it counts as skipped and says why. */
export function itWithSchemas(name: string, run: () => void, timeout?: number): void {
  if (schemasMissing === undefined) {
    it(name, run, timeout);
    return;
  }
  process.stderr.write(`${name}: ${schemasMissing}\n`);
  it.skip(`${name} (${schemasMissing})`, run);
}
