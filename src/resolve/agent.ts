import { DEFAULT_NAMESPACE } from '../contract/names';
import type { EverestAgentProps } from '../everest-agent';
import { AntiAffinity, type Placement } from '../placement';
import { resolveResources, type ResolvedResources } from './groups';

/** Name of the agent where none is given. */
export const DEFAULT_AGENT = 'everest-agent';
/** User of images/agent. */
export const AGENT_UID = 10027;

/** The agent's image; Jobs run it too. */
export const DEFAULT_AGENT_IMAGE = 'cdk8s-everest/agent:0.0.0';
/** 63 to 87 MiB were measured for a bundled Node.js controller with a hundred Pods in its watch. */
export const DEFAULT_AGENT_RESOURCES = { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '192Mi' } };

export interface ResolvedAgent {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  readonly resources: ResolvedResources;
  readonly watchNodes: boolean;
  readonly placement: Placement;
}

/** An agent, decided. */
export function resolveAgent(props: EverestAgentProps, chartNamespace: string | undefined): ResolvedAgent {
  return {
    name: props.agentName ?? DEFAULT_AGENT,
    namespace: props.namespace ?? chartNamespace ?? DEFAULT_NAMESPACE,
    image: props.image ?? DEFAULT_AGENT_IMAGE,
    resources: resolveResources(props.resources ?? DEFAULT_AGENT_RESOURCES),
    watchNodes: props.watchNodes ?? false,
    placement: { antiAffinity: AntiAffinity.even(), ...props.placement },
  };
}
