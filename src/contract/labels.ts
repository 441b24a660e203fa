/**
 * Labels and annotations that the library writes and that people, Patroni and the agent read.
 * They are a contract: a change of one of them orphans the objects of living clusters.
 */
export const LABEL = {
  /** Name of the cluster an object belongs to. Patroni's `scope_label`. */
  cluster: 'everest.io/cluster',
  /** What an object is in its cluster: `member` marks the Pods that Patroni counts, and nothing else may carry it. */
  component: 'everest.io/component',
  /** Name of the member (its StatefulSet), on Pods and volumes. */
  member: 'everest.io/member',
  /** Name of the member group. */
  group: 'everest.io/group',
  /** Name of the pooler, on its Pods. */
  pooler: 'everest.io/pooler',
  /** On Pods of poolers, `true`: the agent pauses their clients while the primary changes. */
  pausable: 'everest.io/pausable',
  /** Name of the restore drill, on its objects. */
  drill: 'everest.io/drill',
  /** Name of the schedule, on the VolumeSnapshots that it made. */
  schedule: 'everest.io/schedule',
  /** Written by Patroni on Pods: `primary`, `replica` or `standby_leader`. */
  role: 'everest.io/role',
  /** On the contract ConfigMap: the version of the document in it. */
  contract: 'everest.io/contract',
  /** There too: the name of the agent that looks after the cluster. */
  agent: 'everest.io/agent',
} as const;

/** Values of the label `everest.io/component`. */
export const COMPONENT = {
  member: 'member', volume: 'volume', pooler: 'pooler', status: 'status', backup: 'backup', drill: 'drill',
  proxy: 'proxy', arbitrator: 'arbitrator', collector: 'collector',
} as const;

/**
 * A person writes it on `<cluster>-status` with the name of a member, or `any`: the agent makes that member the primary
 * once, takes the annotation off, and answers in the status.
 */
export const SWITCHOVER_ANNOTATION = 'everest.io/switchover';

/**
 * A person writes it on the `<cluster>-status` of a Galera cluster that nobody serves: `MEMBER@SEQNO` lets that member
 * begin at the position that the status shows, `MEMBER@new` makes a new, empty cluster. What only others have stays
 * beside on their volumes.
 */
export const BOOTSTRAP_ANNOTATION = 'everest.io/bootstrap';

/**
 * Values that Patroni writes into `everest.io/role`. A standby cluster's leader must not be found by the `-rw`
 * Service.
 */
export const ROLE = { primary: 'primary', replica: 'replica', standbyLeader: 'standby_leader' } as const;

/** On a client's Pod, set to "true": may connect to the cluster of that name in its own namespace. */
export function clientLabel(cluster: string): string {
  return `access.everest.io/${cluster}`;
}

/**
 * Keeps the API server from removing a volume claim until a person takes the finalizer off: data needs a named
 * confirmation.
 */
export const RETAIN_FINALIZER = 'everest.io/retain-data';

/** What Argo CD, Flux and Helm read before they prune, delete or uninstall an object. */
export const KEEP_ANNOTATIONS: Readonly<Record<string, string>> = {
  'argocd.argoproj.io/compare-options': 'IgnoreExtraneous',
  'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false',
  'helm.sh/resource-policy': 'keep',
  'kustomize.toolkit.fluxcd.io/prune': 'disabled',
};

/** Labels of every object of a cluster. */
export function clusterLabels(cluster: string, engine: string): Record<string, string> {
  return {
    'app.kubernetes.io/name': engine,
    'app.kubernetes.io/instance': cluster,
    'app.kubernetes.io/managed-by': 'cdk8s-everest',
    [LABEL.cluster]: cluster,
  };
}

/** Labels of every object of an agent. */
export const AGENT_LABELS: Readonly<Record<string, string>> = {
  'app.kubernetes.io/name': 'everest-agent',
  'app.kubernetes.io/managed-by': 'cdk8s-everest',
};

/** By these labels an agent's Service finds its Pods, and clusters let them in. */
export function agentPodLabels(agent: string): Record<string, string> {
  return { 'app.kubernetes.io/name': 'everest-agent', 'app.kubernetes.io/instance': agent };
}

/**
 * On Patroni's dynamic configuration, by members: the repositories that the cluster has begun, as JSON by key, with
 * `storage`, `begunAt`, and `lostAt` where one was found empty afterwards.
 */
export const REPOSITORIES_ANNOTATION = 'everest.io/repositories';

/** On a member's Pod: why it does not begin, as JSON with `problem`. */
export const WAITING_ANNOTATION = 'everest.io/waiting';
