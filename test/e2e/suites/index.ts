/** Every suite by its name; later parts of the project add theirs here. */
import { backupSuite } from './backup';
import { failoverSuite } from './failover';
import { galeraSuite } from './galera';
import { manifestsSuite } from './manifests';
import { smokeSuite } from './smoke';
import type { ManifestSource } from '../kit/manifests';
import type { Suite } from '../kit/suite';

export const SUITES: Readonly<Record<string, (manifests: ManifestSource) => Suite>> = {
  smoke: smokeSuite,
  manifests: manifestsSuite,
  failover: failoverSuite,
  backup: backupSuite,
  galera: galeraSuite,
};
