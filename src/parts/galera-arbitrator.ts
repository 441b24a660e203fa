import { restrictedContainer, withEphemeral } from './container';
import { arbitratorSelector } from './galera-network';
import { metadata, optional, type Manifest } from './manifest';
import { placementFields } from './placement-fields';
import { clusterLabels } from '../contract/labels';
import { arbitratorName, membersServiceName, podName } from '../contract/names';
import { GALERA_GROUP_PORT } from '../contract/ports';
import type { ResolvedGalera } from '../resolve/galera';

const TLS = '/etc/tls';
const RESOURCES = { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '128Mi' } };

/** The members' own timings, so that the group has one idea of who is dead; no cache, since it keeps no data. */
function options({ providerOptions }: ResolvedGalera): string {
  const timings = Object.entries(providerOptions).filter(([name]) => name.startsWith('evs.'));
  const tls = Object.entries({ ca: 'ca.crt', cert: 'tls.crt', key: 'tls.key' }).map(([name, file]) => [`socket.ssl_${name}`, `${TLS}/${file}`]);
  return [...timings, ...tls].map(([name, value]) => `${name}=${value}`).join(';');
}

/** garbd: votes, and keeps no data. It is made anew wherever it ends. */
export function galeraArbitrator(cluster: ResolvedGalera): Manifest[] {
  if (!cluster.arbitrator) return [];
  const selector = arbitratorSelector(cluster);
  const name = arbitratorName(cluster.name);
  const addresses = cluster.group.members.map((member) => `${podName(member)}.${membersServiceName(cluster.name)}.${cluster.namespace}.svc:${GALERA_GROUP_PORT}`);
  return [{
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(cluster, name, { labels: selector }),
    spec: {
      replicas: 1,
      selector: { matchLabels: selector },
      strategy: { type: 'Recreate' },
      revisionHistoryLimit: 3,
      template: {
        metadata: { labels: { ...cluster.labels, ...clusterLabels(cluster.name, cluster.engine), ...selector } },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          ...optional('imagePullSecrets', cluster.imagePullSecrets.map((secret) => ({ name: secret }))),
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' }, fsGroup: cluster.image.uid },
          terminationGracePeriodSeconds: 30,
          ...placementFields(cluster.group.placement, selector),
          containers: [{
            name: 'garbd',
            image: cluster.scriptImage ?? cluster.image.reference,
            imagePullPolicy: 'IfNotPresent',
            command: ['garbd', '--name', name, '--group', cluster.name, '--address', `gcomm://${addresses.join(',')}`, '--options', options(cluster)],
            ports: [{ name: 'group', containerPort: GALERA_GROUP_PORT, protocol: 'TCP' }],
            resources: withEphemeral(RESOURCES, '16Mi', '128Mi'),
            securityContext: restrictedContainer(cluster.image.uid),
            volumeMounts: [{ name: 'tls', mountPath: TLS, readOnly: true }, { name: 'tmp', mountPath: '/tmp' }],
            workingDir: '/tmp',
          }],
          volumes: [
            { name: 'tls', secret: { secretName: cluster.tlsSecret, defaultMode: 0o440 } },
            { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
          ],
        },
      },
    },
  }];
}
