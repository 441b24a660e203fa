/** What the objects of every engine's clusters have in common: whose they are. Holds no construct. */
export interface ClusterIdentity {
  readonly name: string;
  readonly namespace: string;
  /** Value of the label `app.kubernetes.io/name`. */
  readonly engine: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  /** Volumes and Secrets outlive their manifests. */
  readonly retainsData: boolean;
}
