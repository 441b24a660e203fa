/** What a namespace needs to use the testbed's object storage. */
import type { Obj } from './cluster-api';
import { BackupStorage, CertificateAuthority, StorageAccess } from '../../../lib';

export const ARCHIVE_ENDPOINT = 's3.test';
export const ARCHIVE_KEYS = 'object-storage';
const ARCHIVE_AUTHORITY = 'object-storage-ca';

/** A bucket of it, as the library takes it; a prefix of a run's own where the bucket outlives the run. */
export function storageIn(bucket: string, prefix?: string): BackupStorage {
  return BackupStorage.s3({
    bucket, endpoint: ARCHIVE_ENDPOINT, access: StorageAccess.secret(ARCHIVE_KEYS),
    certificateAuthority: CertificateAuthority.fromConfigMap(ARCHIVE_AUTHORITY),
    ...(prefix === undefined ? {} : { prefix }),
  });
}

/** Part of the Secret: a test may put a wrong one in its place for a while. */
export const RIGHT_KEY = { AWS_SECRET_ACCESS_KEY: process.env.TESTBED_S3_SECRET ?? 'testbed-secret' };

export function storageSecret(): Obj {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: ARCHIVE_KEYS } } as Obj;
}

/** Secret with the keys that the testbed's README tells, ConfigMap with the authority behind the certificate. */
export function storageObjects(authority: string): Obj[] {
  return [
    { ...storageSecret(), stringData: { AWS_ACCESS_KEY_ID: process.env.TESTBED_S3_KEY ?? 'testbed', ...RIGHT_KEY } } as Obj,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: ARCHIVE_AUTHORITY }, data: { 'ca.crt': authority } } as Obj,
  ];
}
