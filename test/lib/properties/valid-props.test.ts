import fc from 'fast-check';
import { parse } from 'yaml';
import { PostgresCluster, type PostgresClusterProps } from '../../../src';
import { GIB, MIB, parseQuantity } from '../../../src/quantity';
import { smallestMember } from '../../../src/resolve/groups';
import { memoryNeed, memoryShares } from '../../../src/resolve/parameters';
import { resolvePostgres } from '../../../src/resolve/postgres';
import { DNS_LABEL, DNS_SUBDOMAIN, isLabelValue, isQualifiedName } from '../../../src/rules/names';
import { findingsOf, manifestsOf, ofKind, someProps, testChart, type TestManifest } from '../../support/cluster';
import { memory, plausibleProps, resources, validProps } from '../../support/generated-props';
import { SEED } from '../../support/property-seed';

/* What holds for every cluster, whatever its props: each property is checked on generated props that are right. */

const RUNS = Number(process.env.EVEREST_PROPERTY_RUNS ?? 200);

type PodSpec = {
  containers: Array<{ volumeMounts: Array<{ name: string; mountPath: string }>; securityContext: object; resources: { limits: object } }>;
  initContainers?: object[];
  volumes: Array<{ name: string }>;
  securityContext: object;
  topologySpreadConstraints?: Array<{ topologyKey: string; whenUnsatisfiable: string }>;
};

function podSpecs(manifests: readonly TestManifest[]): PodSpec[] {
  return ofKind(manifests, 'StatefulSet').map(({ spec }) => spec.template.spec as PodSpec);
}

interface Synthesized {
  readonly props: PostgresClusterProps;
  readonly manifests: TestManifest[];
}

/** Synthesized once for all properties: that is what takes the time. */
const clusters: Synthesized[] = fc.sample(validProps(findingsOf), { numRuns: RUNS, seed: SEED })
  .map((props) => ({ props, manifests: manifestsOf(new PostgresCluster(testChart(), 'orders', props)) }));

/** Checks one property on all of them. */
function forAll(check: (manifests: TestManifest[], props: PostgresClusterProps) => void): void {
  for (const { props, manifests } of clusters) {
    try {
      check(manifests, props);
    } catch (error) {
      (error as Error).message += `\n\nprops: ${fc.stringify(props)}\nto repeat: EVEREST_SEED=${SEED}`;
      throw error;
    }
  }
}

function matches(labels: Record<string, string> = {}, selector: Record<string, string>): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

describe('generated props that should be right', () => {
  it('are so nearly always, because the properties below would otherwise be about few clusters', () => {
    const sample = fc.sample(plausibleProps, 500);
    expect(sample.filter((props) => findingsOf(props).length === 0).length).toBeGreaterThan(450);
  });
});

describe('every cluster', () => {
  it('has a volume for each mount and a mount for each volume, because a Pod without one is refused and one too many is a mistake', () => {
    forAll((manifests) => {
      for (const { containers, volumes } of podSpecs(manifests)) {
        const mounted = containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name));
        expect([...mounted].sort()).toEqual(volumes.map(({ name }) => name).sort());
        const paths = containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ mountPath }) => mountPath));
        expect(new Set(paths).size).toBe(paths.length);
      }
    });
  });

  it('has the claims, ConfigMaps with their keys and ServiceAccounts that its Pods name, because a Pod waits for ever for what is not there', () => {
    forAll((manifests) => {
      const names = (kind: string) => ofKind(manifests, kind).map(({ metadata }) => metadata.name);
      const data = new Map(ofKind(manifests, 'ConfigMap').map((each) => [each.metadata.name, Object.keys((each.data ?? {}) as object)]));
      for (const { spec } of ofKind(manifests, 'StatefulSet')) {
        const { volumes, serviceAccountName } = spec.template.spec;
        expect(names('ServiceAccount')).toContain(serviceAccountName);
        expect(names('Service')).toContain(spec.serviceName);
        for (const { persistentVolumeClaim, configMap } of volumes) {
          if (persistentVolumeClaim) expect(names('PersistentVolumeClaim')).toContain(persistentVolumeClaim.claimName);
          if (configMap) expect(data.get(configMap.name)).toEqual(expect.arrayContaining(configMap.items.map(({ key }: { key: string }) => key)));
        }
      }
    });
  });

  it('has no object outside of its namespace and none that needs cluster-admin, because users have rights in one namespace', () => {
    const namespaced = new Set([
      'ConfigMap', 'CronJob', 'Lease', 'NetworkPolicy', 'PersistentVolumeClaim', 'PodDisruptionBudget', 'Role', 'RoleBinding', 'Secret', 'Service', 'ServiceAccount', 'StatefulSet',
    ]);
    forAll((manifests, props) => {
      expect(manifests.map(({ kind }) => kind).filter((kind) => !namespaced.has(kind))).toEqual([]);
      expect(new Set(manifests.map(({ metadata }) => metadata.namespace))).toEqual(new Set([props.namespace ?? 'default']));
    });
  });

  it('has selectors that match its members and nothing else of it, because a Service or budget over others misleads', () => {
    forAll((manifests) => {
      const pods = ofKind(manifests, 'StatefulSet').map(({ spec }) => spec.template.metadata.labels as Record<string, string>);
      const selectors = [
        ...ofKind(manifests, 'PodDisruptionBudget').map(({ spec }) => spec.selector.matchLabels),
        ...ofKind(manifests, 'NetworkPolicy').filter(({ metadata }) => !metadata.name.endsWith('-backup')).map(({ spec }) => spec.podSelector.matchLabels),
        ...ofKind(manifests, 'Service').map(({ spec: { selector: { 'everest.io/role': _, ...rest } } }) => rest),
      ];
      for (const selector of selectors) expect(pods.every((labels) => matches(labels, selector))).toBe(true);
      // Each StatefulSet selects its own Pod alone, or two of them would fight over one.
      for (const { spec } of ofKind(manifests, 'StatefulSet')) {
        expect(pods.filter((labels) => matches(labels, spec.selector.matchLabels))).toHaveLength(1);
      }
      // Patroni counts whatever carries these labels as a member.
      const others = manifests.filter(({ kind }) => kind !== 'StatefulSet');
      expect(others.filter(({ metadata }) => metadata.labels?.['everest.io/component'] === 'member')).toEqual([]);
    });
  });

  it('has no secret in Git', () => {
    forAll((manifests) => {
      for (const secret of ofKind(manifests, 'Secret')) expect(Object.keys(secret).sort()).toEqual(['apiVersion', 'kind', 'metadata', 'type']);
    });
  });

  it('has names and labels that Kubernetes takes, because the schemas do not look at them', () => {
    forAll((manifests) => {
      for (const { kind, metadata } of manifests) {
        expect(metadata.name).toMatch(kind === 'Service' || kind === 'StatefulSet' ? DNS_LABEL : DNS_SUBDOMAIN);
        expect(metadata.name.length).toBeLessThanOrEqual(kind === 'StatefulSet' ? 52 : kind === 'Service' ? 63 : 253);
        expect(Object.entries(metadata.labels ?? {}).filter(([key, value]) => !isQualifiedName(key) || !isLabelValue(value))).toEqual([]);
      }
      const names = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
      expect(new Set(names).size).toBe(names.length);
    });
  });

  it('passes Pod Security restricted, because the namespaces of careful people enforce it', () => {
    const volumeTypes = new Set(['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret', 'name']);
    forAll((manifests) => {
      for (const pod of podSpecs(manifests)) {
        expect(pod).not.toMatchObject({ hostNetwork: true });
        expect(Object.keys(pod).filter((key) => key.startsWith('host'))).toEqual([]);
        expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
        expect(pod.volumes.flatMap((volume) => Object.keys(volume)).filter((type) => !volumeTypes.has(type))).toEqual([]);
        for (const container of [...pod.containers, ...pod.initContainers ?? []]) {
          expect(container).toMatchObject({
            securityContext: { allowPrivilegeEscalation: false, privileged: false, runAsNonRoot: true, capabilities: { drop: ['ALL'] } },
          });
          expect((container as { securityContext: { runAsUser: number } }).securityContext.runAsUser).toBeGreaterThan(0);
        }
      }
    });
  });

  it('spreads by rules that do not contradict each other, because Kubernetes refuses two with one key and one effect', () => {
    forAll((manifests) => {
      for (const { topologySpreadConstraints: rules = [] } of podSpecs(manifests)) {
        const keys = rules.map((rule) => `${rule.topologyKey} ${rule.whenUnsatisfiable}`);
        expect(new Set(keys).size).toBe(keys.length);
      }
    });
  });

  it('has requests that are not above the limits, because Kubernetes refuses the Pods', () => {
    forAll((manifests) => {
      for (const { containers } of podSpecs(manifests)) {
        const { requests, limits } = containers[0]!.resources as unknown as Record<'requests' | 'limits', Record<string, string>>;
        for (const [name, limit] of Object.entries(limits)) {
          expect(parseQuantity(requests[name] ?? limit)!).toBeLessThanOrEqual(parseQuantity(limit)!);
        }
      }
    });
  });

  it('is described by its contract exactly, because whoever works on it reads nothing else', () => {
    forAll((manifests) => {
      const document = JSON.parse(ofKind(manifests, 'ConfigMap').find(({ data }) => 'contract.json' in data)!.data['contract.json']) as {
        members: Array<{ name: string; volumes: string[] }>; patroni: object;
      };
      const names = (kind: string) => ofKind(manifests, kind).map(({ metadata }) => metadata.name).sort();
      expect(document.members.map(({ name }) => name).sort()).toEqual(names('StatefulSet'));
      expect(document.members.flatMap(({ volumes }) => volumes).sort()).toEqual(names('PersistentVolumeClaim'));
      const patroni = ofKind(manifests, 'ConfigMap').find(({ data }) => 'patroni.yml' in data)!.data['patroni.yml'] as string;
      expect(parse(patroni, { version: '1.1' }).bootstrap.dcs).toEqual(document.patroni);
    });
  });
});

describe('memory', () => {
  const anyMemory = fc.oneof(resources, memory.map((amount) => ({ limits: { memory: amount } })), memory.map((amount) => ({ requests: { memory: amount } })));

  it('fits the limit for any resources from 512Mi to 1Ti, because the kernel kills what does not', () => {
    fc.assert(fc.property(anyMemory, fc.integer({ min: 1, max: 9 }), (given, instances) => {
      const { groups, memberCount, patroni } = resolvePostgres('orders', 'shop', someProps({ resources: given, instances }));
      const facts = { ...smallestMember(groups), members: memberCount };
      expect(memoryNeed(memoryShares(facts))).toBeLessThanOrEqual(facts.memoryBytes);
      expect(findingsOf(someProps({ resources: given, instances }))).toEqual([]);
      // The sum that the rule checks is the sum of what is written.
      expect(memoryNeed(memoryShares(facts, patroni.postgresql.parameters))).toBeLessThanOrEqual(facts.memoryBytes);
    }), { numRuns: 2000 });
  });

  it('gives more of everything to a larger member, because a step up must never cost connections or buffers', () => {
    fc.assert(fc.property(fc.integer({ min: 512, max: 2 ** 20 }), fc.integer({ min: 1, max: 4096 }), (mebibytes, more) => {
      const facts = (amount: number) => ({ memoryBytes: amount * MIB, cpus: 2, walBytes: 10 * GIB, members: 3 });
      const [small, large] = [memoryShares(facts(mebibytes)), memoryShares(facts(mebibytes + more))];
      expect(large.sharedBuffers).toBeGreaterThanOrEqual(small.sharedBuffers);
      expect(large.maxConnections).toBeGreaterThanOrEqual(small.maxConnections);
    }), { numRuns: 2000 });
  });
});

describe('derived settings', () => {
  it('are ones that PostgreSQL takes, however large or small a member is, because nobody would find the mistake', () => {
    const amount = (unit: string) => fc.integer({ min: 1, max: 5000 }).map((count) => `${count}${unit}`);
    const sizes = fc.oneof(amount('Gi'), amount('Ti'), amount('Pi'), fc.constantFrom('512Mi', '16E'));
    const memories = fc.oneof(memory, amount('Ti'), amount('Pi'));
    const cpus = fc.oneof(fc.integer({ min: 1, max: 100_000 }).map(String), fc.constantFrom('10m', '1e9'));
    fc.assert(fc.property(sizes, memories, cpus, (size, bytes, cpu) => {
      const props = someProps({ storage: { size }, resources: { requests: { cpu, memory: bytes } } });
      const { patroni } = resolvePostgres('orders', 'shop', props);
      const owned = new Set(['hot_standby', 'wal_log_hints']);
      const parameters = Object.fromEntries(Object.entries(patroni.postgresql.parameters).filter(([name]) => !owned.has(name)));
      expect(findingsOf({ ...props, parameters })).toEqual([]);
    }), { numRuns: 1000 });
  });
});
