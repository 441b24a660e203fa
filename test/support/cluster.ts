import { App, Chart, type ApiObject, type ChartProps } from 'cdk8s';
import { PostgresCluster, type PostgresClusterProps } from '../../src';
import { checkPostgres } from '../../src/check-postgres';
import { EverestError, type Finding } from '../../src/errors';
import { resolvePostgres, type ResolvedPostgres } from '../../src/resolve/postgres';

/** One synthesized object, as loosely typed as tests need it. */
export interface TestManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly finalizers?: string[];
  };
  // Tests reach into manifests by path; the schema oracle is what checks their types.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly [field: string]: any;
}

/** An app that writes nowhere: only `app.synth()` would make its folder, and no test calls it. */
export function testApp(): App {
  return new App({ outdir: 'never-written' });
}

export function testChart(props: ChartProps = {}): Chart {
  return new Chart(testApp(), 'chart', props);
}

/** The fewest props, and whatever a test is about. */
export function someProps(props: Partial<PostgresClusterProps> = {}): PostgresClusterProps {
  return { storage: { size: '10Gi' }, ...props };
}

export function aCluster(props: Partial<PostgresClusterProps> = {}, id = 'orders'): PostgresCluster {
  return new PostgresCluster(testChart(), id, someProps(props));
}

/** All manifests of a cluster, as they go into Git. */
export function manifestsOf(cluster: { readonly objects: ApiObject[] }): TestManifest[] {
  return cluster.objects.map((object) => object.toJson() as TestManifest);
}

export function synth(props: Partial<PostgresClusterProps> = {}): TestManifest[] {
  return manifestsOf(aCluster(props));
}

/** The one object of a kind and name. */
export function pick(manifests: readonly TestManifest[], kind: string, name: string): TestManifest {
  const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found.length === 1) return found[0]!;
  throw new Error(`${found.length} objects ${kind}/${name} among ${manifests.map((each) => `${each.kind}/${each.metadata.name}`).join(', ')}`);
}

export function ofKind(manifests: readonly TestManifest[], kind: string): TestManifest[] {
  return manifests.filter((manifest) => manifest.kind === kind);
}

export function resolved(props: Partial<PostgresClusterProps> = {}): ResolvedPostgres {
  return resolvePostgres('orders', 'shop', someProps(props));
}

/** What is wrong with the props; for props of any type, since people also write JavaScript. */
export function findingsOf(props: unknown, clusterName = 'orders', namespace = 'shop'): Finding[] {
  return checkPostgres(clusterName, namespace, props as PostgresClusterProps);
}

/** The EverestError that something throws; any other outcome fails the test. */
export function everestErrorOf(run: () => unknown): EverestError {
  try {
    run();
  } catch (error) {
    if (error instanceof EverestError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
