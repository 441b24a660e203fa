import { Duration } from 'cdk8s';
import { memberContainer, memberPodVolumes } from '../../../src/parts/member-container';
import { resolved } from '../../support/cluster';

function container(props = {}) {
  const cluster = resolved(props);
  return memberContainer(cluster, cluster.groups[0]!);
}

function volumes(props = {}) {
  const cluster = resolved(props);
  return memberPodVolumes(cluster, cluster.groups[0]!, 'orders-1');
}

describe('memberContainer', () => {
  it('starts under tini -s, so that PostgreSQL ends when Patroni does and never runs without a leader lock', () => {
    expect((container().command as string[]).slice(0, 3)).toEqual(['/usr/bin/tini', '-s', '--']);
  });

  it('is restarted only when Patroni stands still for the whole lease, because recovery must not be cut short', () => {
    expect(container({ timing: { ttl: Duration.seconds(60), loopWait: Duration.seconds(20) } }).livenessProbe).toMatchObject({
      httpGet: { path: '/liveness' }, periodSeconds: 20, failureThreshold: 3, timeoutSeconds: 10,
    });
  });

  it('has an hour to start, because crash recovery and copies of the data take long', () => {
    expect(container().startupProbe).toMatchObject({ periodSeconds: 1, failureThreshold: 3600 });
  });

  it('writes nothing outside of its volumes and runs as nobody in particular', () => {
    expect(container().securityContext).toMatchObject({
      readOnlyRootFilesystem: true, runAsNonRoot: true, allowPrivilegeEscalation: false, runAsUser: 10026, capabilities: { drop: ['ALL'] },
    });
  });

  it('takes the user of the image', () => {
    const image = { image: 'r.example/pg:16.4', version: '16.4', uid: 26, tini: '/sbin/tini' };
    expect(container({ image })).toMatchObject({ image: 'r.example/pg:16.4', securityContext: { runAsUser: 26, runAsGroup: 26 } });
    expect((container({ image }).command as string[])[0]).toBe('/sbin/tini');
  });

  it('limits memory but not CPU unless told to, because throttling delays failover', () => {
    expect(container().resources).toMatchObject({ limits: { memory: '1Gi' } });
    expect((container().resources as { limits: object }).limits).not.toHaveProperty('cpu');
  });
});

describe('memberPodVolumes', () => {
  it('has /dev/shm in memory with a limit, because parallel queries fill the default of 64 MiB', () => {
    expect(volumes({ resources: { requests: { memory: '10Gi' } } }).find(({ name }) => name === 'shm')).toEqual({
      name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '1280Mi' },
    });
  });

  it('mounts the write-ahead log only where it has a volume', () => {
    expect(volumes().map(({ name }) => name)).not.toContain('wal');
    expect(volumes({ storage: { size: '1Gi', walSize: '1Gi' } })).toContainEqual({ name: 'wal', persistentVolumeClaim: { claimName: 'orders-1-wal' } });
  });
});
