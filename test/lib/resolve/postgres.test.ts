import { Duration } from 'cdk8s';
import { Credentials, ImageCatalog, PodDisruption, Protection, Replication } from '../../../src';
import { resolved } from '../../support/cluster';

describe('resolvePostgres', () => {
  it.each([[1, 0, false], [2, 1, true], [3, 1, 'quorum'], [4, 1, true], [5, 1, 'quorum']])(
    'with %d members waits for one standby wherever there is one, because acknowledged data must outlive a member', (instances, _, mode) => {
      expect(resolved({ instances }).patroni.synchronous_mode).toBe(mode);
    });

  it('counts only members that may become primary for that', () => {
    expect(resolved({ instances: 1, memberGroups: [{ name: 'spot', instances: 2, promotable: false }] }).patroni.synchronous_mode).toBe(false);
  });

  it('passes replication on in Patroni\'s words', () => {
    expect(resolved({ instances: 5, replication: Replication.quorum({ standbys: 2, strict: true }) }).patroni).toMatchObject({
      synchronous_mode: 'quorum', synchronous_mode_strict: true, synchronous_node_count: 2,
    });
    expect(resolved({ replication: Replication.asynchronous({ maximumLagOnFailover: '16Mi' }) }).patroni).toMatchObject({
      synchronous_mode: false, maximum_lag_on_failover: 16 * 2 ** 20,
    });
  });

  it('keeps the primary writing while the API server is gone, because members can still see each other', () => {
    expect(resolved().patroni.failsafe_mode).toBe(true);
  });

  it('passes the lease on in seconds', () => {
    expect(resolved({ timing: { ttl: Duration.minutes(1) } }).patroni).toMatchObject({ ttl: 60, loop_wait: 10, retry_timeout: 10 });
  });

  it('puts the lines that the cluster needs before the user\'s, because the first match counts', () => {
    const lines = resolved({ pgHba: ['host all all 10.0.0.0/8 scram-sha-256'] }).patroni.postgresql.pg_hba;
    expect(lines.at(-1)).toBe('host all all 10.0.0.0/8 scram-sha-256');
    expect(lines.indexOf('host all postgres all reject')).toBeLessThan(lines.length - 1);
  });

  it.each([
    [{}, 'cdk8s-everest/postgres:17.11', '17'],
    [{ version: '14' }, 'cdk8s-everest/postgres:14.5', '14'],
    [{ image: { image: 'r.example/pg:16.4', version: '16.4', digest: `sha256:${'a'.repeat(64)}` } }, `r.example/pg:16.4@sha256:${'a'.repeat(64)}`, '16'],
    [{ imageCatalog: ImageCatalog.standard().withRegistry('r.example/') }, 'r.example/cdk8s-everest/postgres:17.11', '17'],
  ])('chooses for %j the image %s', (props, reference, major) => {
    expect(resolved(props).image).toMatchObject({ reference, major, binDirectory: `/usr/lib/postgresql/${major}/bin` });
  });

  it('makes database app with owner app where nothing is said', () => {
    expect(resolved()).toMatchObject({
      databases: [{ name: 'app', owner: 'app' }], owners: [{ role: 'app', secret: 'orders-app', database: 'app' }], host: 'orders-rw.shop.svc',
    });
  });

  it('has one Secret for an owner of two databases, whose connection names the first', () => {
    expect(resolved({ databases: [{ name: 'a', owner: 'x_y' }, { name: 'b', owner: 'x_y' }] }).owners).toEqual([
      { role: 'x_y', secret: 'orders-x-y', database: 'a' },
    ]);
  });

  it.each([
    [{}, 1], [{ instances: 1 }, undefined], [{ podDisruption: PodDisruption.maxUnavailable(2) }, 2], [{ podDisruption: PodDisruption.unprotected() }, undefined],
  ])('with %j lets %s members go at a time', (props, members) => {
    expect(resolved(props).disruption).toBe(members);
  });

  it('keeps data unless told otherwise, because nobody deletes a database by mistake and is glad', () => {
    expect(resolved().retainsData).toBe(true);
    expect(resolved({ protection: Protection.deleteWithCluster() }).retainsData).toBe(false);
  });

  it('reads passwords from the Secret that exists, and then fills none', () => {
    expect(resolved({ credentials: Credentials.existing('vault') })).toMatchObject({ credentialsSecret: 'vault', generatesCredentials: false });
    expect(resolved()).toMatchObject({ credentialsSecret: 'orders-credentials', generatesCredentials: true });
  });

  it('gives a large shared_buffers more time to shut down, because its checkpoint writes all of it', () => {
    const grace = (memory: string) => resolved({ resources: { requests: { memory } } }).terminationGraceSeconds;
    expect(grace('1Gi')).toBe(86);
    expect(grace('64Gi')).toBeGreaterThan(300);
  });

  it('gives parallel queries an eighth of the memory to share', () => {
    expect(resolved({ resources: { requests: { memory: '16Gi' } } }).sharedMemoryBytes).toBe(2 * 2 ** 30);
  });
});
