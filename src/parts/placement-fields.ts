import { AntiAffinity, type Placement, type TopologySpread } from '../placement';
import { optional } from './manifest';

/** A Pod that holds nothing is made anew elsewhere 10 s after its node is given up, not after 5 minutes. */
export const LOST_NODE = ['unreachable', 'not-ready'].map((taint) => ({
  key: `node.kubernetes.io/${taint}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 10,
}));

const HOSTNAME = 'kubernetes.io/hostname';
const ZONE = 'topology.kubernetes.io/zone';

type Labels = Readonly<Record<string, string>>;

function spread(selector: Labels, rule: TopologySpread): Record<string, unknown> {
  return {
    topologyKey: rule.topologyKey,
    maxSkew: rule.maxSkew ?? 1,
    whenUnsatisfiable: rule.required ? 'DoNotSchedule' : 'ScheduleAnyway',
    labelSelector: { matchLabels: selector },
    // Nodes that members cannot use (tainted, cordoned) must not count as empty domains.
    nodeTaintsPolicy: 'Honor',
  };
}

function podAntiAffinity(selector: Labels, antiAffinity: AntiAffinity): Record<string, unknown> {
  const { mode, topologyKey } = antiAffinity;
  const term = { labelSelector: { matchLabels: selector }, topologyKey };
  if (mode === 'none') return {};
  if (mode === 'required') return { requiredDuringSchedulingIgnoredDuringExecution: [term] };
  return { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] };
}

/**
 * `even` is a hard rule over nodes that still has room for more members than nodes; a preference rides along for zones.
 * A hard rule over nodes of the user's own stands in its place: Kubernetes refuses two of them.
 */
function spreadRules(placement: Placement, antiAffinity: AntiAffinity): TopologySpread[] {
  const own = placement.topologySpread?.some((rule) => rule.topologyKey === HOSTNAME && rule.required);
  const nodes = antiAffinity.mode === 'even' && !own ? [{ topologyKey: HOSTNAME, required: true }] : [];
  const zones = antiAffinity.mode === 'none' ? [] : [{ topologyKey: ZONE }];
  return [...nodes, ...(placement.topologySpread ?? zones)];
}

/** Fields of a Pod that say where it may run, and away from which other Pods. */
export function placementFields(placement: Placement, selector: Labels): Record<string, unknown> {
  const antiAffinity = placement.antiAffinity ?? AntiAffinity.even();
  const affinity = podAntiAffinity(selector, antiAffinity);
  const rules = spreadRules(placement, antiAffinity);
  return {
    ...optional('affinity', Object.keys(affinity).length > 0 ? { podAntiAffinity: affinity } : undefined),
    ...optional('nodeSelector', { ...placement.nodeSelector }),
    ...optional('tolerations', placement.tolerations?.map((toleration) => ({ ...toleration }))),
    ...optional('topologySpreadConstraints', rules.map((rule) => spread(selector, rule))),
  };
}
