/** What a namespace needs to use the testbed's object storage. */
import type { Obj } from './cluster-api';

export const ARCHIVE_ENDPOINT = 's3.test';
export const ARCHIVE_KEYS = 'object-storage';
export const ARCHIVE_AUTHORITY = 'object-storage-ca';

/** Secret with the keys that the testbed's README tells, ConfigMap with the authority behind the certificate. */
export function storageObjects(authority: string): Obj[] {
  return [
    {
      apiVersion: 'v1', kind: 'Secret', metadata: { name: ARCHIVE_KEYS },
      stringData: {
        AWS_ACCESS_KEY_ID: process.env.TESTBED_S3_KEY ?? 'testbed',
        AWS_SECRET_ACCESS_KEY: process.env.TESTBED_S3_SECRET ?? 'testbed-secret',
      },
    } as Obj,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: ARCHIVE_AUTHORITY }, data: { 'ca.crt': authority } } as Obj,
  ];
}
