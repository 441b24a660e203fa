import { metadata, type Manifest } from './manifest';
import type { DeclaredRole } from '../contract/declared-sql';
import { ownerSecretName } from '../contract/names';
import { AGENT_KEY, POOLER_KEY, POOLER_ROLE, POOLER_USERLIST_KEY, type ResolvedExternalCredentials, type ResolvedPostgres } from '../resolve/postgres';

/** The operator's API group. No CRD of it is needed to synthesize. */
const GROUP = 'external-secrets.io';
/** Argo CD checks an object whose CRD comes with the same sync only when it is there. */
const ANNOTATIONS = { 'argocd.argoproj.io/sync-options': 'SkipDryRunOnMissingResource=true' };

interface Wanted {
  readonly name: string;
  /** Below the prefix of the store's keys. */
  readonly remote: string;
  readonly properties: string[];
  /** Keys that are made from the others. */
  readonly template: Record<string, string>;
}

function remoteKey(store: ResolvedExternalCredentials, wanted: Wanted, property: string): Record<string, unknown> {
  return {
    secretKey: property,
    // The last three are defaults that the API server writes.
    remoteRef: {
      key: `${store.keyPrefix}/${wanted.remote}`, property,
      conversionStrategy: 'Default', decodingStrategy: 'None', metadataPolicy: 'None',
    },
  };
}

function externalSecret(cluster: ResolvedPostgres, store: ResolvedExternalCredentials, wanted: Wanted): Manifest {
  return {
    apiVersion: `${GROUP}/v1`,
    kind: 'ExternalSecret',
    metadata: metadata(cluster, wanted.name, { annotations: ANNOTATIONS }),
    spec: {
      refreshInterval: `${store.refreshSeconds}s`,
      secretStoreRef: { name: store.store, kind: store.kind },
      target: {
        name: wanted.name,
        // As long as the data stays, so do its passwords, whatever becomes of this object.
        creationPolicy: cluster.retainsData ? 'Orphan' : 'Owner',
        deletionPolicy: 'Retain',
        template: { engineVersion: 'v2', mergePolicy: 'Merge', data: wanted.template },
      },
      data: wanted.properties.map((property) => remoteKey(store, wanted, property)),
    },
  };
}

function clusterSecret(cluster: ResolvedPostgres): Wanted {
  return {
    name: cluster.credentialsSecret,
    remote: 'credentials',
    properties: ['superuser', 'replication', 'rewind', POOLER_KEY, ...(cluster.agent === undefined ? [] : [AGENT_KEY])],
    // PgBouncer's auth_file, in which a quote is doubled.
    template: { [POOLER_USERLIST_KEY]: `"${POOLER_ROLE}" "{{ .${POOLER_KEY} | replace "\\"" "\\"\\"" }}"\n` },
  };
}

/** The same keys as in a Secret that is filled by members. The operator's templates escape the password. */
function roleSecret({ name, secret }: DeclaredRole): Wanted {
  const { host, port, dbname } = secret!.connection;
  const address = `${host}:${port}/${dbname}`;
  return {
    name: secret!.name,
    remote: name,
    properties: ['password'],
    template: {
      'host': host, 'port': port, 'dbname': dbname, 'user': name,
      'uri': `postgresql://${name}:{{ .password | urlquery }}@${address}`,
      'jdbc-uri': `jdbc:postgresql://${address}?user=${name}&password={{ .password | urlquery }}`,
    },
  };
}

/** One for each Secret that the cluster would otherwise fill; nothing where no store is named. */
export function externalSecrets(cluster: ResolvedPostgres): Manifest[] {
  const { external } = cluster;
  if (!external) return [];
  // A role with a Secret of its own name is somebody else's.
  const roles = cluster.roles.filter(({ name, secret }) => secret?.name === ownerSecretName(cluster.name, name));
  return [clusterSecret(cluster), ...roles.map(roleSecret)].map((wanted) => externalSecret(cluster, external, wanted));
}
