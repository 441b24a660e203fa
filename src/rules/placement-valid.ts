import type { Placement, Toleration, TopologySpread } from '../placement';
import { isLabelValue, isQualifiedName } from './names';
import type { PostgresRule, Violation } from './rule';

type Path = Array<string | number>;

const OPERATORS = ['Equal', 'Exists'];
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
/** Kubernetes keeps these numbers in 32 and 64 bits; more members or seconds than this make no sense anyway. */
const MOST = 2 ** 31 - 1;

function isWhole(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least && value <= MOST;
}

function notLabel(path: Path, key: string | undefined): Violation[] {
  return key === undefined || isQualifiedName(key) ? [] : [{ path, problem: `${JSON.stringify(key)} is not a node label` }];
}

function spreadProblems(path: Path, spread: TopologySpread): Violation[] {
  const skew = spread.maxSkew ?? 1;
  return [
    ...notLabel([...path, 'topologyKey'], spread.topologyKey),
    ...(isWhole(skew, 1) ? [] : [{ path: [...path, 'maxSkew'], problem: `maxSkew is ${skew}`, fix: 'Use a whole number from 1 on' }]),
  ];
}

function tolerationProblem(toleration: Toleration): string | undefined {
  const { key, operator = 'Equal', value = '' } = toleration;
  if (!OPERATORS.includes(operator)) return `operator is ${JSON.stringify(operator)}; it is ${OPERATORS.join(' or ')}`;
  if (key === undefined ? operator !== 'Exists' : !isQualifiedName(key)) return 'without a valid key, operator must be Exists';
  if (operator === 'Exists' && value) return 'operator Exists takes no value';
  return isLabelValue(value) ? undefined : `the value ${JSON.stringify(value)} is not one that a taint can have`;
}

function effectProblem({ effect, tolerationSeconds }: Toleration): string | undefined {
  if (effect !== undefined && !EFFECTS.includes(effect)) return `effect is ${JSON.stringify(effect)}; it is ${EFFECTS.join(', ')}`;
  if (tolerationSeconds === undefined) return undefined;
  if (effect !== 'NoExecute') return 'tolerationSeconds needs the effect NoExecute';
  return isWhole(tolerationSeconds, 0) ? undefined : `tolerationSeconds is ${tolerationSeconds}; it is a whole number from 0 on`;
}

function selectorProblems(path: Path, selector: { readonly [key: string]: string } = {}): Violation[] {
  return Object.entries(selector).filter(([key, value]) => !isQualifiedName(key) || !isLabelValue(value))
    .map(([key, value]) => ({ path: [...path, key], problem: `${JSON.stringify(`${key}: ${value}`)} is not a label that a node can have` }));
}

function repeatedSpreads(path: Path, spreads: readonly TopologySpread[] = []): Violation[] {
  const keys = spreads.map(({ topologyKey, required }) => `${topologyKey} ${required ?? false}`);
  return spreads.flatMap(({ topologyKey }, index) => (keys.indexOf(keys[index]!) === index ? [] : [{
    path: [...path, index], problem: `the rule for ${JSON.stringify(topologyKey)} stands twice`,
  }]));
}

/** What is malformed in a placement, of whatever has one. */
export function placementViolations(path: Path, placement: Placement = {}): Violation[] {
  return [
    ...notLabel([...path, 'antiAffinity', 'topologyKey'], placement.antiAffinity?.topologyKey),
    ...(placement.topologySpread ?? []).flatMap((spread, index) => spreadProblems([...path, 'topologySpread', index], spread)),
    ...repeatedSpreads([...path, 'topologySpread'], placement.topologySpread),
    ...(placement.tolerations ?? []).flatMap((toleration, index) => {
      const problem = tolerationProblem(toleration) ?? effectProblem(toleration);
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
    ...placementViolations(['placement'], props.placement),
    ...(props.memberGroups ?? []).flatMap((group, index) => placementViolations(['memberGroups', index, 'placement'], group.placement)),
  ],
};
