import { aCluster, manifestsOf, testChart } from './cluster';
import { fileEach } from './example-app';
import { BackupStorage, MariaDbCluster, PxcCluster, StorageAccess, type RestoreDrillOptions } from '../../src';

const BACKUP = { storage: BackupStorage.s3({ bucket: 'backups', access: StorageAccess.secret('s3') }) };
const PROPS = { storage: { size: '10Gi' }, backup: BACKUP };
const WEEKLY: RestoreDrillOptions = { cron: '0 4 * * 0', checks: [{ name: 'rows', sql: 'SELECT COUNT(*) > 0 FROM orders' }] };

/** The objects of one drill of each engine. */
export function synthesizeDrills(): Map<string, string> {
  const clusters = {
    'postgresql': aCluster({ backup: BACKUP }),
    'mariadb': new MariaDbCluster(testChart(), 'orders', PROPS),
    'percona-xtradb-cluster': new PxcCluster(testChart(), 'orders', PROPS),
  };
  return new Map(Object.entries(clusters).flatMap(([engine, cluster]) => {
    const { drillName } = cluster.addRestoreDrill({ ...WEEKLY, name: 'weekly' });
    const objects = manifestsOf(cluster).filter(({ metadata }) => metadata.name === `orders-drill-${drillName}`);
    return fileEach(`drills/${engine}`, objects);
  }));
}
