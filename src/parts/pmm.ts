import { restrictedContainer, withEphemeral } from './container';
import { MYSQL_PORT } from '../contract/ports';
import type { ResolvedGalera, ResolvedPmm } from '../resolve/galera';

const LISTEN = 7777;

/**
 * The client speaks TLS and nothing else: of an address with `http:` it takes the host, as the vendor's operators do,
 * and does not ask who has signed the certificate, since nobody has asked for it.
 */
function server({ url }: ResolvedPmm): { address: string; port: number; plain: boolean } {
  const { hostname, port, protocol } = new URL(url);
  const number = port === '' ? 443 : Number(port);
  return { address: `${hostname}:${number}`, port: number, plain: protocol === 'http:' };
}

/** Ports that the client needs. Behind a Service of the usual port the server's Pods listen on 8443. */
export function pmmPorts(pmm: ResolvedPmm): number[] {
  const { port } = server(pmm);
  return port === 443 ? [443, 8443] : [port];
}

/** The vendor's variables; `$(POD_NAME)` is the kubelet's to fill in. */
function environment(cluster: ResolvedGalera, pmm: ResolvedPmm): Array<Record<string, unknown>> {
  const { address, plain } = server(pmm);
  const values: Record<string, string> = {
    PMM_AGENT_SERVER_ADDRESS: address, PMM_AGENT_SERVER_USERNAME: 'service_token', PMM_AGENT_SETUP: '1', PMM_AGENT_SETUP_FORCE: '1',
    PMM_AGENT_SETUP_NODE_NAME: `${cluster.namespace}-$(POD_NAME)`, PMM_AGENT_SETUP_NODE_TYPE: 'container',
    PMM_AGENT_SETUP_METRICS_MODE: 'push', PMM_AGENT_LISTEN_PORT: String(LISTEN), PMM_AGENT_PORTS_MIN: '30100', PMM_AGENT_PORTS_MAX: '30105',
    PMM_AGENT_CONFIG_FILE: '/usr/local/percona/pmm/config/pmm-agent.yaml', PMM_AGENT_SIDECAR: 'true', PMM_AGENT_SIDECAR_SLEEP: '5',
    PMM_AGENT_TMP_DIR: '/tmp', DB_TYPE: 'mysql', DB_USER: 'everest_monitor', DB_PORT: String(MYSQL_PORT), CLUSTER_NAME: cluster.name,
    PMM_AGENT_PRERUN_SCRIPT: 'pmm-admin status --wait=10s; pmm-admin add mysql --skip-connection-check --metrics-mode=push --username=$(DB_USER) '
      + '--password=$(DB_PASSWORD) --cluster=$(CLUSTER_NAME) --query-source=perfschema --host=127.0.0.1 --port=$(DB_PORT) $(POD_NAME)',
    ...(pmm.insecureSkipTlsVerify || plain ? { PMM_AGENT_SERVER_INSECURE_TLS: '1' } : {}),
  };
  const secret = (name: string, secretKeyRef: Record<string, unknown>) => ({ name, valueFrom: { secretKeyRef } });
  return [
    { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
    // A database never waits for its monitoring: without a token the client runs and finds no server.
    secret('PMM_AGENT_SERVER_PASSWORD', { name: pmm.secretName, key: pmm.secretKey, optional: true }),
    // Filled by the first member a moment after the Pods have begun.
    secret('DB_PASSWORD', { name: cluster.credentialsSecret, key: 'monitor' }),
    ...Object.entries(values).map(([name, value]) => ({ name, value })),
  ];
}

/** The client of Percona Monitoring and Management. */
export function pmmContainer(cluster: ResolvedGalera, pmm: ResolvedPmm): Record<string, unknown> {
  return {
    name: 'pmm-client',
    image: pmm.image,
    imagePullPolicy: 'IfNotPresent',
    env: environment(cluster, pmm),
    ports: [{ name: 'pmm', containerPort: LISTEN, protocol: 'TCP' }],
    lifecycle: { preStop: { exec: { command: ['bash', '-c', 'pmm-admin unregister --force'] } } },
    resources: withEphemeral(pmm.resources, '16Mi', '256Mi'),
    securityContext: restrictedContainer(1002),
    volumeMounts: [{ name: 'pmm', mountPath: '/usr/local/percona/pmm/config' }, { name: 'tmp', mountPath: '/tmp' }],
  };
}
