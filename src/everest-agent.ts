import { ApiObject, Chart } from 'cdk8s';
import { Construct, type IConstruct } from 'constructs';
import { EverestError } from './errors';
import { claimObjects, objectName } from './object-registry';
import { agentManifests } from './parts/agent';
import type { Placement } from './placement';
import { resolveAgent } from './resolve/agent';
import type { Resources } from './resources';
import { agentValid } from './rules/agent-valid';
import { runRules } from './rules/run';
import { agentPropsShape } from './shape/agent-props';
import { checkShape } from './shape/findings';

/** Properties of an `EverestAgent`. */
export interface EverestAgentProps {
  /**
   * Name of the agent and of all of its objects.
   *
   * @default everest-agent
   */
  readonly agentName?: string;

  /**
   * Namespace whose clusters it looks after.
   *
   * @default - the namespace of the chart, else `default`
   */
  readonly namespace?: string;

  /**
   * Image of the agent. A change replaces its Pods one after the other and no member.
   *
   * @default - cdk8s-everest/agent in the version of this package
   */
  readonly image?: string;

  /**
   * CPU and memory of one Pod.
   *
   * @default - CPU 50m, memory 96Mi requested and 192Mi at the most
   */
  readonly resources?: Resources;

  /**
   * Whether the agent watches the nodes: it then hands a primary over when its node is cordoned, before anybody drains
   * it. Reading nodes is a right on the whole Kubernetes cluster, so it takes a ClusterRole and a ClusterRoleBinding,
   * called `<namespace>-<agentName>-nodes`. A change replaces the agent's Pods and no member.
   *
   * @default false
   */
  readonly watchNodes?: boolean;

  /** @default - different nodes */
  readonly placement?: Placement;
}

/** An agent, made here or elsewhere. */
export interface IEverestAgent extends IConstruct {
  /** Name of the agent and of its ServiceAccount. */
  readonly agentName: string;
}

class ImportedAgent extends Construct implements IEverestAgent {
  public constructor(scope: Construct, id: string, public readonly agentName: string) {
    super(scope, id);
  }
}

/**
 * The agent of a namespace: it shortens failovers on proof, replaces members on changed templates one after the other,
 * and tells how its clusters are. Databases go on without it.
 *
 * Creates a Deployment of two Pods on different nodes, a ServiceAccount with a Role, a Service for metrics, a
 * PodDisruptionBudget and a NetworkPolicy. It has no right on a cluster until that cluster names it (`agent`).
 */
export class EverestAgent extends Construct implements IEverestAgent {
  /** An agent that another chart or app has made in the same namespace. */
  public static fromAgentName(scope: Construct, id: string, agentName: string): IEverestAgent {
    return new ImportedAgent(scope, id, agentName);
  }

  public readonly agentName: string;

  /** All Kubernetes objects of the agent. Patch any field with `addJsonPatch`. */
  public readonly objects: ApiObject[];

  public constructor(scope: Construct, id: string, props: EverestAgentProps = {}) {
    super(scope, id);
    const shape = checkShape(agentPropsShape, props);
    const agent = shape.length > 0 ? undefined : resolveAgent(props, Chart.of(this).namespace);
    const findings = agent ? runRules([agentValid], agent) : shape;
    if (!agent || findings.length > 0) throw new EverestError(findings, this.node.path);

    const manifests = agentManifests(agent);
    claimObjects(this, agent.namespace, manifests.map(objectName));
    this.agentName = agent.name;
    this.objects = manifests.map((manifest) => new ApiObject(this, objectName(manifest).replace('/', '-'), manifest));
  }
}
