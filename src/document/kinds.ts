import { OPENEVEREST_KINDS, OPENEVEREST_VERSION, refusedKind } from './openeverest/kinds';
import type { YamlSource } from './yaml-source';
import { closest } from '../closest';
import type { Finding } from '../errors';
import { findingOf } from '../rules/run';
import { SHAPE_TEXTS } from '../rules/shape-texts';

/* What sort of document a text is, before anything else about it is asked. */

/** apiVersion of this project's own documents. */
export const API_VERSION = 'everest.io/v1alpha1';
/** Kind of a document that becomes a cluster. */
export const CLUSTER_KIND = 'DatabaseCluster';

/** A field of a value that may be anything. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Whether the document is one of OpenEverest's own. */
export function isOpenEverest(value: unknown): boolean {
  return field(value, 'apiVersion') === OPENEVEREST_VERSION;
}

/** Whether the document is one of ours at all: everything else about another kind would be noise. */
export function checkKind(value: unknown, kind: string, apiVersion: string = API_VERSION): Finding[] {
  const given = { apiVersion: field(value, 'apiVersion'), kind: field(value, 'kind') };
  const wanted = { apiVersion, kind };
  return (['apiVersion', 'kind'] as const).filter((name) => given[name] !== wanted[name]).map((name) => {
    const shown = given[name] === undefined ? `${name} is missing` : `${name} is ${JSON.stringify(given[name])}`;
    const meant = typeof given[name] === 'string' && closest(given[name], [wanted[name]]) ? `; did you mean ${wanted[name]}?` : '';
    return findingOf(SHAPE_TEXTS.unknownKind, { path: [name], problem: shown + meant });
  });
}

/** The same for OpenEverest's documents, some of whose kinds are refused by name. */
export function checkOpenEverestKind(value: unknown): Finding[] {
  const refused = refusedKind(field(value, 'kind'));
  if (refused.length > 0) return refused;
  const kind = field(value, 'kind');
  const meant = typeof kind === 'string' ? closest(kind, OPENEVEREST_KINDS) : undefined;
  return checkKind(value, meant ?? CLUSTER_KIND, OPENEVEREST_VERSION);
}

/** The document's value, or the reason why it has none (an alias without an anchor, too many aliases). */
export function valueOf(source: YamlSource): { value?: unknown; findings: Finding[] } {
  try {
    return { value: source.document.toJS({ maxAliasCount: 50 }), findings: [] };
  } catch (error) {
    const problem = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    return { findings: [findingOf(SHAPE_TEXTS.notYaml, { path: [], problem })] };
  }
}

/** The first stage that finds something ends the check: later ones would only repeat it. */
export function firstFindings(...stages: Array<() => Finding[]>): Finding[] {
  for (const stage of stages) {
    const findings = stage();
    if (findings.length > 0) return findings;
  }
  return [];
}
