import { Duration } from 'cdk8s';
import type { BackupStorage } from '../backup-storage';
import { Credentials } from '../credentials';
import type { GaleraClusterProps } from '../galera-cluster-props';
import { PodDisruption } from '../pod-disruption';
import { toBackup } from './backup';
import { toBootstrap } from './bootstrap';
import { present } from './present';
import type { GaleraDocument, GaleraSpec } from './shape';
import { map, placementOf, PROTECTION, toAgent, toNetwork, toParameters, toResources, toRole, volumeStorage } from './to-props';
import type { GaleraInput } from '../resolve/galera';

/* A DatabaseCluster with an engine that replicates by Galera, in the props of its construct. */

function storageOf({ storage, volumeSpec }: GaleraSpec): GaleraClusterProps['storage'] {
  if (!storage) return volumeStorage(volumeSpec!);
  return present({ size: String(storage.size), storageClassName: storage.class });
}

function pmmOf({ monitoring }: GaleraSpec): GaleraClusterProps['pmm'] {
  const { enabled = true, ...options } = monitoring?.pmm ?? { enabled: false, url: '' };
  return enabled ? present(options) : undefined;
}

/** Fields whose meaning needs a conversion. */
function convertedFields(spec: GaleraSpec): Partial<GaleraClusterProps> {
  return {
    instances: spec.instances ?? spec.replicas,
    resources: toResources(spec.resources),
    placement: placementOf(spec),
    parameters: map(spec.parameters, toParameters),
    maintenanceWindow: map(spec.maintenanceWindowMinutes, (minutes) => Duration.seconds(minutes * 60)),
    credentials: map(spec.credentials, ({ existingSecret }) => Credentials.existing(existingSecret)),
    tlsSecretName: spec.tls?.secretName,
    podDisruption: map(spec.podDisruption, ({ maxUnavailable }) => PodDisruption.maxUnavailable(maxUnavailable)),
    proxy: map(spec.proxy, (proxy) => present({ ...proxy, resources: toResources(proxy.resources) })),
    network: map(spec.network, toNetwork),
    roles: spec.roles?.map(toRole),
    agent: map(spec.agent, toAgent),
    pmm: pmmOf(spec),
    protection: map(spec.protection, (protection) => PROTECTION[protection]()),
  };
}

/** The construct's props, with the engine that says which construct. */
export function toGaleraInput({ metadata, spec }: GaleraDocument,
  storages: ReadonlyMap<string, BackupStorage>): GaleraInput {
  const { version, image, scriptImage, arbitrator, imagePullSecrets, databases, kubernetesVersion } = spec;
  const props = present({
    version, image, arbitrator, imagePullSecrets, databases, kubernetesVersion,
    serviceAnnotations: spec.serviceAnnotations,
    replicaServiceAnnotations: spec.replicaServiceAnnotations,
    clusterName: metadata.name,
    namespace: metadata.namespace,
    labels: metadata.labels,
    annotations: metadata.annotations,
    ...convertedFields(spec),
    storage: storageOf(spec),
  });
  // A field that only the other engine has is refused by the shape of the props.
  const own = present({
    scriptImage,
    backup: map(spec.backup, (backup) => toBackup(backup, storages)),
    bootstrap: map(spec.bootstrap, (bootstrap) => toBootstrap(bootstrap, storages)),
  });
  return { engine: spec.engine, props: { ...props, ...own } } as GaleraInput;
}
