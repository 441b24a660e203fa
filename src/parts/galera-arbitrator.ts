import { restrictedContainer, withEphemeral } from './container';
import { arbitratorSelector } from './galera-network';
import { metadata, optional, type Manifest } from './manifest';
import { placementFields } from './placement-fields';
import { clusterLabels } from '../contract/labels';
import { arbitratorName, membersServiceName, podName } from '../contract/names';
import { GALERA_GROUP_PORT, GALERA_MEMBER_PORT } from '../contract/ports';
import type { ResolvedGalera } from '../resolve/galera';

const TLS = '/etc/tls';
const RESOURCES = { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '128Mi' } };

/** The members' own timings, so that the group has one idea of who is dead; no cache, since it keeps no data. */
function options({ providerOptions }: ResolvedGalera): string {
  const timings = Object.entries(providerOptions).filter(([name]) => name.startsWith('evs.'));
  const tls = Object.entries({ ca: 'ca.crt', cert: 'tls.crt', key: 'tls.key' }).map(([name, file]) => [`socket.ssl_${name}`, `${TLS}/${file}`]);
  return [...timings, ...tls].map(([name, value]) => `${name}=${value}`).join(';');
}

/**
 * garbd knows no other group than the one that it has joined: after a full stop of the members it would wait in the old
 * one for ever. It is restarted where a member serves and does not list it.
 */
function livenessProbe({ group }: ResolvedGalera, name: string, domain: string): Record<string, unknown> {
  const program = [
    'import json, sys, urllib.request',
    'for member in sys.argv[2:]:',
    '    try:',
    `        state = json.load(urllib.request.urlopen(f"http://{member}:${GALERA_MEMBER_PORT}/state", timeout=2))`,
    '    except (OSError, ValueError):',
    '        continue',
    '    names = [item["name"] for item in (state["wsrep"] or {}).get("members", [])]',
    '    if state["phase"] in ("synced", "donor") and sys.argv[1] not in names:',
    '        sys.exit(f"{member} serves without the arbitrator")',
    '',
  ].join('\n');
  const hosts = group.members.map((member) => `${podName(member)}.${domain}`);
  return {
    exec: { command: ['python3', '-c', program, name, ...hosts] },
    initialDelaySeconds: 20, periodSeconds: 10, timeoutSeconds: 8, failureThreshold: 2, successThreshold: 1,
  };
}

/** garbd: votes, and keeps no data. It is made anew wherever it ends. */
export function galeraArbitrator(cluster: ResolvedGalera): Manifest[] {
  if (!cluster.arbitrator) return [];
  const selector = arbitratorSelector(cluster);
  const name = arbitratorName(cluster.name);
  const domain = `${membersServiceName(cluster.name)}.${cluster.namespace}.svc`;
  const addresses = cluster.group.members.map((member) => `${podName(member)}.${domain}:${GALERA_GROUP_PORT}`);
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
            livenessProbe: livenessProbe(cluster, name, domain),
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
