import { App, Chart, Duration, JsonPatch } from 'cdk8s';
import {
  AntiAffinity, BackupRetention, BackupStorage, BackupType, NetworkPeer, PodDisruption, PostgresCluster, Replication,
  StorageAccess,
} from 'cdk8s-everest';
import type { Construct } from 'constructs';

/** The smallest cluster: three members, one database `app`, all else derived. */
class Billing extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'billing' });
    new PostgresCluster(this, 'billing', { storage: { size: '20Gi' } });
  }
}

/** A larger one, with most of what can be said about a cluster. */
class Orders extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'shop', labels: { team: 'checkout' } });

    const orders = new PostgresCluster(this, 'orders', {
      version: '17',
      instances: 3,
      kubernetesVersion: '1.31',
      storage: { size: '500Gi', storageClassName: 'fast', walSize: '50Gi' },
      resources: { requests: { cpu: '4', memory: '16Gi' } },
      // PostgreSQL's memory is derived from the limit; these go before what is derived.
      parameters: { max_connections: '300', random_page_cost: '1.1', log_min_duration_statement: '500ms' },
      pgHba: ['host orders,reports all 10.0.0.0/8 scram-sha-256'],
      // Every commit is on two members before it is acknowledged; with too few of them, writes wait.
      replication: Replication.quorum({ standbys: 1, strict: true }),
      timing: { ttl: Duration.seconds(30), loopWait: Duration.seconds(10), retryTimeout: Duration.seconds(10) },
      databases: [{ name: 'orders', owner: 'shop' }, { name: 'reports', owner: 'analyst' }],
      placement: {
        antiAffinity: AntiAffinity.required(),
        topologySpread: [{ topologyKey: 'topology.kubernetes.io/zone', required: true }],
        tolerations: [{ key: 'dedicated', value: 'databases', effect: 'NoSchedule' }],
        nodeSelector: { 'example.com/pool': 'databases' },
      },
      // Cheap members for reads, never primary, on nodes that may vanish.
      memberGroups: [{
        name: 'spot',
        instances: 2,
        promotable: false,
        resources: { requests: { cpu: '1', memory: '16Gi' } },
        placement: { tolerations: [{ key: 'spot', operator: 'Exists' }] },
      }],
      podDisruption: PodDisruption.maxUnavailable(1),
      network: { dns: [NetworkPeer.podsInNamespace('kube-system', { 'k8s-app': 'kube-dns' })] },
      serviceAnnotations: { 'external-dns.alpha.kubernetes.io/hostname': 'orders.db.example.com' },
      preferSameZoneReads: true,
      // The write-ahead log goes there all the time: any second of the last 30 days can be restored.
      backup: {
        storage: BackupStorage.s3({
          bucket: 'company-backups',
          prefix: 'prod',
          region: 'eu-central-1',
          access: StorageAccess.secret('s3-backups'),
        }),
        retention: BackupRetention.days(30),
      },
    });

    orders.addBackupSchedule({ name: 'weekly', cron: '0 1 * * 0', timeZone: 'Europe/Berlin' });
    orders.addBackupSchedule({ name: 'hourly', cron: '15 * * * *', type: BackupType.incremental() });

    orders.allowFrom(NetworkPeer.podsWithLabels({ app: 'shop' }));
    orders.allowFrom(NetworkPeer.podsInNamespace('reporting'));

    // A field that has no prop: any object of the cluster can be patched.
    orders.apiObject('StatefulSet', 'orders-1')
      .addJsonPatch(JsonPatch.add('/spec/template/spec/priorityClassName', 'databases'));
  }
}

const app = new App();
new Billing(app, 'billing');
new Orders(app, 'orders');
app.synth();
