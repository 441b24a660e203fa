import type { MonitoringDocument, OpenEverestStorage } from './shape';
import { BackupStorage } from '../../backup-storage';
import type { Finding } from '../../errors';
import { findingOf } from '../../rules/run';
import { SHAPE_TEXTS } from '../../rules/shape-texts';
import { StorageAccess } from '../../storage-access';
import { present } from '../present';

function allowed({ spec }: OpenEverestStorage | MonitoringDocument): Finding[] {
  return (spec.allowedNamespaces ?? []).length === 0 ? [] : [findingOf(SHAPE_TEXTS.noCounterpart, {
    path: ['spec', 'allowedNamespaces'],
    problem: 'allowedNamespaces: OpenEverest has given it up; the clusters of one call may all name this document',
    fix: 'Leave it out',
  })];
}

function azure({ spec }: OpenEverestStorage): Finding[] {
  return spec.type === 'azure' ? [findingOf(SHAPE_TEXTS.noCounterpart, {
    path: ['spec', 'type'],
    problem: 'azure: the name of the account stands in a Secret, and manifests need it',
    fix: 'Describe the cluster in code, with BackupStorage.azure()',
  })] : [];
}

/** What a BackupStorage or a MonitoringConfig asks for and cannot get. */
export function checkStorage(document: OpenEverestStorage | MonitoringDocument): Finding[] {
  return [...allowed(document), ...(document.spec.type === 'pmm' ? [] : azure(document as OpenEverestStorage))];
}

/** A BackupStorage as the class of the same name. Path style is off unless it is asked for, as OpenEverest has it. */
export function toOpenEverestStorage({ spec }: OpenEverestStorage): BackupStorage {
  return BackupStorage.s3(present({
    bucket: spec.bucket,
    region: spec.region || undefined,
    access: StorageAccess.secret(spec.credentialsSecretName),
    endpoint: spec.endpointURL?.replace(/^https:\/\//, '').replace(/\/$/, '') || undefined,
    pathStyle: spec.forcePathStyle ?? false,
    insecureSkipTlsVerify: spec.verifyTLS === false ? true : undefined,
  }));
}
