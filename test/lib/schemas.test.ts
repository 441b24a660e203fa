import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { synth, someProps, manifestsOf, testChart, type TestManifest } from '../support/cluster';
import { parseManifests } from '../support/example-app';
import { itWithSchemas, MINORS, schemaErrors } from '../support/schema-oracle';
import { PostgresCluster } from '../../src';
import { synth as synthDocuments } from '../../src/cli/synth';

/** A change at one place of a manifest, to prove that the oracle sees it. */
function broken(kind: string, change: (manifest: TestManifest) => void): TestManifest[] {
  const manifests = JSON.parse(JSON.stringify(synth())) as TestManifest[];
  change(manifests.find((manifest) => manifest.kind === kind)!);
  return manifests;
}

describe('schemas of Kubernetes', () => {
  for (const minor of MINORS) {
    itWithSchemas(`${minor} takes every object of the smallest cluster, because users apply it as it stands`, () => {
      expect(schemaErrors(minor, synth())).toEqual([]);
    });
  }

  for (const name of ['production-db', 'order-service-db']) {
    const manifests = () => parseManifests(synthDocuments({ files: [join(__dirname, '..', '..', 'examples', `${name}.yaml`)], set: [] }).stdout);

    it(`${name} of the seed is the example, byte for byte, and becomes a whole cluster as it stands`, () => {
      const seed = join(__dirname, '..', '..', '..', 'shared', 'seed', `${name}.yaml`);
      const example = readFileSync(join(__dirname, '..', '..', 'examples', `${name}.yaml`), 'utf8');
      expect(existsSync(seed) ? readFileSync(seed, 'utf8') : example).toBe(example);
      const kinds = manifests().map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === 'StatefulSet')).toHaveLength(3);
      expect(kinds.includes('CronJob')).toBe(name === 'order-service-db');
    });

    for (const minor of MINORS) {
      itWithSchemas(`${minor} takes every object of ${name} of the seed, because users apply it as it stands`, () => {
        expect(schemaErrors(minor, manifests())).toEqual([]);
      });
    }
  }

  itWithSchemas('refuse a field that does not exist, because the API server would drop it in silence', () => {
    const manifests = broken('StatefulSet', ({ spec }) => { spec.template.spec.containers[0].imagePullPolice = 'Always'; });
    expect(schemaErrors('1.36', manifests)).toEqual([expect.stringContaining('imagePullPolice')]);
  });

  itWithSchemas('refuse a field that is missing, because the API server would', () => {
    const manifests = broken('StatefulSet', ({ spec }) => { delete spec.selector; });
    expect(schemaErrors('1.27', manifests)).toEqual([expect.stringContaining('selector')]);
  });

  itWithSchemas('refuse a number that does not fit 32 bits, because the API server decodes into Go types', () => {
    const manifests = broken('StatefulSet', ({ spec }) => { spec.replicas = 2 ** 31; });
    expect(schemaErrors('1.36', manifests)).toEqual([expect.stringContaining('int32')]);
  });

  itWithSchemas('refuse a quantity that does not parse, because the type alone is just text', () => {
    const manifests = broken('PersistentVolumeClaim', ({ spec }) => { spec.resources.requests.storage = '10 Gigs'; });
    expect(schemaErrors('1.30', manifests)).toEqual(expect.arrayContaining([expect.stringContaining('pattern')]));
  });

  itWithSchemas('refuse a kind that is not there, because nothing would take it', () => {
    expect(schemaErrors('1.33', [{ apiVersion: 'v1', kind: 'Nonsense', metadata: { name: 'x' } }])).toHaveLength(1);
  });

  itWithSchemas('show that zone-aware reads need a newer Kubernetes, because 1.27 does not know the field', () => {
    const chart = testChart();
    const cluster = new PostgresCluster(chart, 'orders', someProps({ preferSameZoneReads: true, kubernetesVersion: '1.31' }));
    expect(schemaErrors('1.33', manifestsOf(cluster))).toEqual([]);
    expect(schemaErrors('1.27', manifestsOf(cluster))).toEqual([expect.stringContaining('trafficDistribution')]);
  });
});
