import { Protection } from '../../../src';
import { memberVolumes } from '../../../src/parts/volumes';
import { resolved, type TestManifest } from '../../support/cluster';

function volumes(props = {}): TestManifest[] {
  const cluster = resolved(props);
  return memberVolumes(cluster, cluster.groups[0]!, 'orders-1') as unknown as TestManifest[];
}

describe('memberVolumes', () => {
  it('are claims of their own with the size that is asked for', () => {
    expect(volumes({ storage: { size: '7Gi' } })[0]).toMatchObject({
      metadata: { name: 'orders-1-data' }, spec: { resources: { requests: { storage: '7Gi' } }, accessModes: ['ReadWriteOnce'] },
    });
  });

  it('leave the class to Kubernetes where none is named, because "" would mean something else', () => {
    expect(volumes()[0]!.spec).not.toHaveProperty('storageClassName');
    expect(volumes({ storage: { size: '1Gi', storageClassName: 'fast' } })[0]!.spec.storageClassName).toBe('fast');
  });

  it('put the write-ahead log into the class of the data, unless it has its own', () => {
    const classes = (storage: object) => volumes({ storage }).map(({ spec }) => spec.storageClassName);
    expect(classes({ size: '1Gi', walSize: '1Gi', storageClassName: 'fast' })).toEqual(['fast', 'fast']);
    expect(classes({ size: '1Gi', walSize: '1Gi', storageClassName: 'fast', walStorageClassName: 'faster' })).toEqual(['fast', 'faster']);
  });

  it('stay when the manifests go, because only a person deletes data', () => {
    const { annotations, finalizers } = volumes()[0]!.metadata;
    expect(finalizers).toEqual(['everest.io/retain-data']);
    expect(annotations).toMatchObject({ 'argocd.argoproj.io/sync-options': 'Prune=false,Delete=false', 'helm.sh/resource-policy': 'keep' });
  });

  it('go with the manifests where that is asked for', () => {
    const { metadata } = volumes({ protection: Protection.deleteWithCluster() })[0]!;
    expect(metadata.finalizers).toBeUndefined();
    expect(metadata.annotations).toBeUndefined();
  });
});
