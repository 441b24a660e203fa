import type { z } from 'zod';
import { suggestion } from '../closest';
import type { Finding } from '../errors';
import type { RuleText } from '../rules/rule';
import { findingOf } from '../rules/run';
import { SHAPE_TEXTS } from '../rules/shape-texts';

type Path = Array<string | number>;
type Issue = z.core.$ZodIssue;
type Schema = z.core.$ZodType;

interface Definition {
  readonly type: string;
  readonly innerType?: Schema;
  readonly out?: Schema;
  readonly element?: Schema;
  readonly valueType?: Schema;
  readonly options?: Schema[];
}

function definitionOf(schema: Schema): Definition {
  return schema._zod.def as unknown as Definition;
}

/** Takes `optional` and the like off, and the class off the content of an instance. */
function unwrap(schema: Schema): Schema {
  const { innerType, out } = definitionOf(schema);
  const inner = innerType ?? out;
  return inner ? unwrap(inner) : schema;
}

function child(schema: Schema, key: string | number): Schema | undefined {
  const plain = unwrap(schema);
  const { shape } = plain._zod.def as unknown as { shape?: Record<string, Schema> };
  const { element, valueType } = definitionOf(plain);
  return shape && typeof key === 'string' && Object.hasOwn(shape, key) ? shape[key] : element ?? valueType;
}

/** The part of a schema that a path leads to. */
export function schemaAt(schema: Schema, path: readonly PropertyKey[]): Schema | undefined {
  return path.reduce<Schema | undefined>((at, key) => at && child(at, key as string | number), schema);
}

/** Names of the types that a value may have there: `string`, `number` … */
export function typesAt(schema: Schema, path: readonly PropertyKey[]): string[] {
  const at = schemaAt(schema, path);
  if (!at) return [];
  const plain = unwrap(at);
  const { type, options } = definitionOf(plain);
  return options ? options.map((option) => definitionOf(unwrap(option)).type) : [type];
}

function knownFields(schema: Schema, path: readonly PropertyKey[]): string[] {
  const at = schemaAt(schema, path);
  const { shape } = (at ? unwrap(at)._zod.def : {}) as { shape?: Record<string, Schema> };
  return Object.keys(shape ?? {});
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text', number: 'a number', int: 'a whole number', boolean: 'true or false', array: 'a list', object: 'a map', record: 'a map',
};

function describe(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 80))}`;
  return typeof value === 'function' ? 'a function' : `${typeof value} ${String(value)}`;
}

function finding(text: RuleText, path: Path, problem: string, fix?: string): Finding {
  return findingOf(text, { path, problem, ...(fix ? { fix } : {}) });
}

function unknownFields(schema: Schema, path: Path, keys: string[]): Finding[] {
  const known = knownFields(schema, path);
  return keys.map((key) => finding(
    SHAPE_TEXTS.unknownField, [...path, key], `there is no field ${JSON.stringify(key)}${suggestion(key, known)}`,
  ));
}

/** A number where text belongs is mostly a version or an amount that YAML took for a number. */
function quoteHint(expected: string, given: unknown): string | undefined {
  return expected === 'text' && typeof given === 'number' ? `Put it in quotes: "${given}"` : undefined;
}

function typeFinding(expected: string, path: Path, given: unknown): Finding {
  if (given === undefined) {
    return finding(SHAPE_TEXTS.missingField, path, `${path.length > 0 ? String(path.at(-1)) : 'everything'} is missing; it is ${expected}`);
  }
  return finding(SHAPE_TEXTS.wrongType, path, `${describe(given)} stands where ${expected} belongs`, quoteHint(expected, given));
}

function findingsOfIssue(schema: Schema, issue: Issue): Finding[] {
  const path = issue.path as Path;
  switch (issue.code) {
    case 'unrecognized_keys':
      return unknownFields(schema, path, issue.keys);
    case 'invalid_value': {
      if (issue.input === undefined) return [typeFinding(`one of ${issue.values.join(', ')}`, path, undefined)];
      const hint = typeof issue.input === 'string' ? suggestion(issue.input, issue.values.map(String)) : '';
      return [finding(SHAPE_TEXTS.wrongChoice, path, `${describe(issue.input)} is none of ${issue.values.join(', ')}${hint}`)];
    }
    case 'invalid_type':
      return [typeFinding(TYPE_NAMES[issue.expected] ?? issue.expected, path, issue.input)];
    case 'invalid_union':
      return [typeFinding(typesAt(schema, path).map((type) => TYPE_NAMES[type] ?? type).join(' or '), path, issue.input)];
    case 'custom':
      return [typeFinding(issue.message, path, issue.input)];
    default:
      return [finding(SHAPE_TEXTS.wrongType, path, `${describe(issue.input)} does not fit: ${issue.message}`)];
  }
}

/** Everything about a value that does not have the shape of the schema. */
export function checkShape(schema: z.ZodType, value: unknown): Finding[] {
  const result = schema.safeParse(value, { reportInput: true });
  return result.success ? [] : result.error.issues.flatMap((issue) => findingsOfIssue(schema, issue));
}
