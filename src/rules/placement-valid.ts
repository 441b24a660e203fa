import type { Placement, Toleration, TopologySpread } from '../placement';
import { isLabelValue, isQualifiedName } from './names';
import type { PostgresRule, Violation } from './rule';

type Path = Array<string | number>;

const OPERATORS = ['Equal', 'Exists'];
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

function spreadProblems(path: Path, spread: TopologySpread): Violation[] {
  const skew = spread.maxSkew ?? 1;
  return [
    ...(isQualifiedName(spread.topologyKey) ? [] : [{ path: [...path, 'topologyKey'], problem: `${JSON.stringify(spread.topologyKey)} is not a node label` }]),
    ...(Number.isInteger(skew) && skew >= 1 ? [] : [{ path: [...path, 'maxSkew'], problem: `maxSkew is ${skew}`, fix: 'Use a whole number from 1 on' }]),
  ];
}

function tolerationProblem({ key, operator = 'Equal', value, effect, tolerationSeconds }: Toleration): string | undefined {
  if (!OPERATORS.includes(operator)) return `operator is ${JSON.stringify(operator)}; it is ${OPERATORS.join(' or ')}`;
  if (effect !== undefined && !EFFECTS.includes(effect)) return `effect is ${JSON.stringify(effect)}; it is ${EFFECTS.join(', ')}`;
  if (key === undefined ? operator !== 'Exists' : !isQualifiedName(key)) return 'without a valid key, operator must be Exists';
  if (operator === 'Exists' && value) return 'operator Exists takes no value';
  if (!isLabelValue(value ?? '')) return `the value ${JSON.stringify(value)} is not one that a taint can have`;
  return tolerationSeconds !== undefined && effect !== 'NoExecute' ? 'tolerationSeconds needs the effect NoExecute' : undefined;
}

function selectorProblems(path: Path, selector: { readonly [key: string]: string } = {}): Violation[] {
  return Object.entries(selector).filter(([key, value]) => !isQualifiedName(key) || !isLabelValue(value))
    .map(([key, value]) => ({ path: [...path, key], problem: `${key}: ${JSON.stringify(value)} is not a label that a node can have` }));
}

function placementProblems(path: Path, placement: Placement = {}): Violation[] {
  const key = placement.antiAffinity?.topologyKey;
  return [
    ...(key === undefined || isQualifiedName(key) ? [] : [{ path: [...path, 'antiAffinity', 'topologyKey'], problem: `${JSON.stringify(key)} is not a node label` }]),
    ...(placement.topologySpread ?? []).flatMap((spread, index) => spreadProblems([...path, 'topologySpread', index], spread)),
    ...(placement.topologySpread ?? []).flatMap((spread, index, all) =>
      (all.findIndex((other) => other.topologyKey === spread.topologyKey && Boolean(other.required) === Boolean(spread.required)) === index ? [] : [{
        path: [...path, 'topologySpread', index], problem: `the rule for ${spread.topologyKey} stands twice`,
      }])),
    ...(placement.tolerations ?? []).flatMap((toleration, index) => {
      const problem = tolerationProblem(toleration);
      return problem ? [{ path: [...path, 'tolerations', index], problem }] : [];
    }),
    ...selectorProblems([...path, 'nodeSelector'], placement.nodeSelector),
  ];
}

export const placementValid: PostgresRule = {
  code: 'EV1501',
  title: 'A placement that Kubernetes would refuse',
  cause: 'A topology key, a spread rule, a toleration or a node selector in placement is malformed.',
  consequence: 'The Pods would be refused, and no member would start',
  fix: 'Write it as Kubernetes has it',
  check: ({ props }) => [
    ...placementProblems(['placement'], props.placement),
    ...(props.memberGroups ?? []).flatMap((group, index) => placementProblems(['memberGroups', index, 'placement'], group.placement)),
  ],
};
