/* What is measured, on the compiled library: that is what users load. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ApiObject, App, Chart, type ApiObjectProps } from 'cdk8s';
import type * as Library from '../../src';

/** The compiled library's entry. */
export const LIBRARY = join(__dirname, '..', '..', 'lib', 'index.js');

/** The compiled library. */
export function loadLibrary(): typeof Library {
  if (!existsSync(LIBRARY)) throw new Error('the library is not compiled; run: npx projen compile');
  // What is measured is the compiled code, loaded when asked.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require(LIBRARY) as typeof Library;
}

/** Where the clusters stand. */
export interface Layout {
  readonly clusters: number;
  /** All in one chart, or a chart for each. */
  readonly oneChart: boolean;
}

function chartsFor(app: App, { clusters, oneChart }: Layout): Chart[] {
  const make = (id: string) => new Chart(app, id, { namespace: 'shop' });
  if (!oneChart) return Array.from({ length: clusters }, (_, index) => make(`chart-${index}`));
  const only = make('chart');
  return Array.from({ length: clusters }, () => only);
}

/** Constructors, validation and the text: everything that a user waits for. */
export function synthesizeClusters(library: typeof Library, layout: Layout): string {
  const app = new App({ outdir: 'never-written' });
  chartsFor(app, layout).forEach((chart, index) => {
    new library.PostgresCluster(chart, `db-${index}`, { storage: { size: '100Gi' } });
  });
  return app.synthYaml() as string;
}

/** Manifests of each cluster, as the library makes them. */
export function manifestsOf(library: typeof Library, clusters: number): ApiObjectProps[][] {
  const chart = new Chart(new App({ outdir: 'never-written' }), 'chart', { namespace: 'shop' });
  return Array.from({ length: clusters }, (_, index) => new library.PostgresCluster(chart, `db-${index}`, { storage: { size: '100Gi' } })
    .objects.map((object) => object.toJson() as ApiObjectProps));
}

/** The same objects without the library: the least that cdk8s can take for this output. */
export function synthesizePlain(manifests: readonly ApiObjectProps[][], layout: Layout): string {
  const app = new App({ outdir: 'never-written' });
  chartsFor(app, layout).forEach((chart, index) => {
    manifests[index]!.forEach((manifest) => new ApiObject(chart, `${manifest.kind}-${manifest.metadata?.name}`, manifest));
  });
  return app.synthYaml() as string;
}
