import { isScalar } from 'yaml';
import type { Finding } from '../errors';
import { isOpenEverest } from './kinds';
import { clusterShape } from './openeverest/shape';
import { documentShape } from './shape';
import type { Override, YamlSource } from './yaml-source';
import { findingOf } from '../rules/run';
import { SHAPE_TEXTS } from '../rules/shape-texts';
import { typesAt } from '../shape/findings';

/** `spec.databases[0].name=orders` or `spec.databases.0.name=orders`. */
export function parseOverride(text: string): Override | undefined {
  const match = /^([^=\s]+)=([\s\S]*)$/.exec(text);
  if (!match) return undefined;
  const parts = match[1]!.replace(/\[(\d+)\]/g, '.$1').split('.');
  if (parts.some((part) => part === '')) return undefined;
  return { path: parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part)), value: match[2]! };
}

/** A word in the type that the field takes; what fits no type stays text, for the shape check to name. */
function typed(source: YamlSource, override: Override): string | number | boolean {
  const { value } = override;
  const shape = isOpenEverest({ apiVersion: source.document.get('apiVersion') }) ? clusterShape : documentShape;
  const types = typesAt(shape, override.path);
  if (types.includes('string')) return value;
  if (types.includes('number') && value.trim() !== '' && !Number.isNaN(Number(value))) return Number(value);
  return types.includes('boolean') && /^(true|false)$/.test(value) ? value === 'true' : value;
}

/** Puts the value into the document. A part of the path that is no map or list yet becomes one. */
export function applyOverride(source: YamlSource, override: Override): Finding[] {
  try {
    const node = source.document.getIn(override.path, true);
    if (isScalar(node)) source.document.deleteIn(override.path);
    source.document.setIn(override.path, typed(source, override));
    return [];
  } catch {
    const problem = `--set ${override.path.join('.')}: the path leads through something that is neither a map nor a list`;
    return [findingOf(SHAPE_TEXTS.badInvocation, { path: [], problem })];
  }
}
