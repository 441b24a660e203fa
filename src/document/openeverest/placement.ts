import type { Affinity, PolicyDocument } from './shape';
import type { Finding } from '../../errors';
import { AntiAffinity, type Placement } from '../../placement';
import { findingOf } from '../../rules/run';
import { SHAPE_TEXTS } from '../../rules/shape-texts';

/*
 * A PodSchedulingPolicy holds Kubernetes' whole Affinity. What `Placement` can say is read; the rest is refused by
 * name.
 */

type Path = Array<string | number>;
type AntiAffinityTerm = NonNullable<NonNullable<Affinity['podAntiAffinity']>['requiredDuringSchedulingIgnoredDuringExecution']>[number];

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

function refuse(path: Path, problem: string, fix: string): Finding[] {
  return [findingOf(SHAPE_TEXTS.noCounterpart, { path, problem, fix })];
}

function unread(path: Path, fields: Readonly<Record<string, unknown>>): Finding[] {
  return Object.entries(fields).filter(([, value]) => value !== undefined).flatMap(([name]) =>
    refuse([...path, name], `${name} cannot be said here`, 'Leave it out; docs/guide/placement.md says what there is'));
}

function antiAffinityFindings(path: Path, given: Affinity['podAntiAffinity']): Finding[] {
  const required = (given?.[REQUIRED] ?? []).map((term, index) => ({ term, at: [...path, REQUIRED, index] }));
  const preferred = (given?.[PREFERRED] ?? []).map(({ podAffinityTerm: term }, index) => ({ term, at: [...path, PREFERRED, index, 'podAffinityTerm'] }));
  const terms: Array<{ term: AntiAffinityTerm; at: Path }> = [...required, ...preferred];
  return terms.flatMap(({ term, at }, index) => {
    const { topologyKey, ...others } = term;
    return [
      ...unread(at, others),
      ...(index === 0 ? [] : refuse(at, `a second term of anti-affinity (${topologyKey}) stands beside the first`, 'Keep one of them')),
    ];
  });
}

function nodeFindings(path: Path, given: Affinity['nodeAffinity']): Finding[] {
  const at = [...path, REQUIRED, 'nodeSelectorTerms'];
  const terms = given?.[REQUIRED]?.nodeSelectorTerms ?? [];
  return [
    ...unread(path, { [PREFERRED]: given?.[PREFERRED] }),
    ...(terms.length > 1 ? refuse([...at, 1], 'a second term means "or", and labels here all have to fit', 'Keep one term') : []),
    ...terms.flatMap(({ matchFields, matchExpressions = [] }, index) => [
      ...unread([...at, index], { matchFields }),
      ...matchExpressions.flatMap(({ key, operator, values = [] }, number) => (operator === 'In' && values.length === 1 ? []
        : refuse([...at, index, 'matchExpressions', number], `${key} ${operator} [${values.join(', ')}]: only In with one value can be said here`,
          'Give the nodes a label of their own for it'))),
    ]),
  ];
}

function findingsOf(path: Path, affinity: Affinity | undefined): Finding[] {
  if (!affinity) return [];
  return [
    ...unread(path, { podAffinity: affinity.podAffinity }),
    ...antiAffinityFindings([...path, 'podAntiAffinity'], affinity.podAntiAffinity),
    ...nodeFindings([...path, 'nodeAffinity'], affinity.nodeAffinity),
  ];
}

/** What a policy asks for and `Placement` cannot say. */
export function checkPolicy({ spec: { engineType, affinityConfig = {} } }: PolicyDocument): Finding[] {
  const base = ['spec', 'affinityConfig'];
  if (engineType === 'psmdb') return refuse(['spec', 'engineType'], 'psmdb is MongoDB, which is not supported', 'Leave the policy out');
  const own = affinityConfig[engineType] ?? {};
  const others = Object.fromEntries(Object.entries(affinityConfig).filter(([engine]) => engine !== engineType));
  return [
    ...unread(base, others),
    ...findingsOf([...base, engineType, 'engine'], own.engine),
    ...findingsOf([...base, engineType, 'proxy'], own.proxy),
  ];
}

function toAntiAffinity(given: Affinity['podAntiAffinity']): AntiAffinity | undefined {
  const required = given?.[REQUIRED]?.[0];
  if (required) return AntiAffinity.required(required.topologyKey);
  const preferred = given?.[PREFERRED]?.[0];
  return preferred && AntiAffinity.preferred(preferred.podAffinityTerm.topologyKey);
}

function toPlacement(affinity: Affinity | undefined): Placement | undefined {
  if (!affinity) return undefined;
  const antiAffinity = toAntiAffinity(affinity.podAntiAffinity);
  const labels = affinity.nodeAffinity?.[REQUIRED]?.nodeSelectorTerms[0]?.matchExpressions ?? [];
  const nodeSelector = Object.fromEntries(labels.map(({ key, values }) => [key, values![0]!]));
  return { ...(antiAffinity ? { antiAffinity } : {}), ...(labels.length > 0 ? { nodeSelector } : {}) };
}

/** Where members and proxies run, as a policy says it. */
export interface SchedulingPolicy {
  readonly engineType: string;
  readonly engine?: Placement;
  readonly proxy?: Placement;
}

/** A policy in which nothing is refused. */
export function toPolicy({ spec: { engineType, affinityConfig = {} } }: PolicyDocument): SchedulingPolicy {
  const own = engineType === 'psmdb' ? {} : affinityConfig[engineType] ?? {};
  return { engineType, engine: toPlacement(own.engine), proxy: toPlacement(own.proxy) };
}
