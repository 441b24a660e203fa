import { AntiAffinity, type Placement } from '../../../src';
import { memberStatefulSet } from '../../../src/parts/member-stateful-set';
import { resolved, type TestManifest } from '../../support/cluster';

type Spread = { topologyKey: string; whenUnsatisfiable: string; maxSkew: number };

/** The Pod of a member, where the fields of its placement stand. */
function pod(placement?: Placement): Record<string, object> {
  const cluster = resolved(placement ? { placement } : {});
  return (memberStatefulSet(cluster, cluster.groups[0]!, 'orders-1') as unknown as TestManifest).spec.template.spec;
}

function spreads(placement?: Placement): string[] {
  return ((pod(placement).topologySpreadConstraints ?? []) as Spread[])
    .map((rule) => `${rule.topologyKey} ${rule.maxSkew} ${rule.whenUnsatisfiable}`);
}

describe('placement of a member', () => {
  it('is even over nodes by default, and rather over zones, because one node\'s loss must cost one member', () => {
    expect(spreads()).toEqual(['kubernetes.io/hostname 1 DoNotSchedule', 'topology.kubernetes.io/zone 1 ScheduleAnyway']);
  });

  it('gives way to a hard rule over nodes of the user\'s own, because Kubernetes refuses two of them', () => {
    expect(spreads({ topologySpread: [{ topologyKey: 'kubernetes.io/hostname', maxSkew: 2, required: true }] })).toEqual([
      'kubernetes.io/hostname 2 DoNotSchedule',
    ]);
  });

  it('keeps its own hard rule beside a preference of the user\'s', () => {
    expect(spreads({ topologySpread: [{ topologyKey: 'rack' }] })).toEqual([
      'kubernetes.io/hostname 1 DoNotSchedule', 'rack 1 ScheduleAnyway',
    ]);
  });

  it.each([
    [AntiAffinity.required('rack'), 'requiredDuringSchedulingIgnoredDuringExecution'],
    [AntiAffinity.preferred('rack'), 'preferredDuringSchedulingIgnoredDuringExecution'],
    [AntiAffinity.even(), 'preferredDuringSchedulingIgnoredDuringExecution'],
  ])('turns %j into %s', (antiAffinity, field) => {
    expect(pod({ antiAffinity }).affinity).toHaveProperty(['podAntiAffinity', field]);
  });

  it('says nothing at all with none, because then the scheduler decides', () => {
    expect(pod({ antiAffinity: AntiAffinity.none() })).not.toHaveProperty('affinity');
    expect(spreads({ antiAffinity: AntiAffinity.none() })).toEqual([]);
  });

  it('passes tolerations and node labels on as they are', () => {
    expect(pod({ tolerations: [{ key: 'spot', operator: 'Exists' }], nodeSelector: { pool: 'db' } })).toMatchObject({
      tolerations: [{ key: 'spot', operator: 'Exists' }], nodeSelector: { pool: 'db' },
    });
  });
});
