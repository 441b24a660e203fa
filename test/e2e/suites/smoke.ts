/** From manifests to a running PostgreSQL cluster that stays right through the failures that come first. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import type { Obj } from '../kit/cluster-api';
import { isReady, parseManifests } from '../kit/cluster-api';
import { POSTGRES_IMAGE, ensureImage } from '../kit/images';
import type { ManifestSource } from '../kit/manifests';
import { clusterNameOf, isData } from '../kit/manifests';
import { PostgresUnderTest, nameOf, nodeOf, restartsOf } from '../kit/postgres';
import { median } from '../kit/statistics';
import type { Goal, Measure, Sample, Suite, SuiteContext } from '../kit/suite';
import { Skip } from '../kit/suite';
import { waitFor } from '../kit/wait';
import { Writer } from '../kit/writer';

const MEMBERS = 3;
const MORE_MEMBERS = 5;
/**
 * A cluster that is to be up in seconds is waited for in minutes, so that a slow machine tells its figure, not a
 * failure.
 */
const PATIENCE_S = 180;
/** What a hand-written minimal set may take longer before ours counts as slow. */
const BASELINE_FACTOR = 1.5;
/** What most events measure. */
const GAP: Measure = { what: 'longest time without an acknowledged write' };
const READY: Measure = { what: 'from the first applied object to all members Ready' };
const BASELINE = join(__dirname, '../baseline/patroni.yaml');

export function smokeSuite(manifests: ManifestSource): Suite {
  const smoke = new Smoke(manifests);
  return {
    name: 'smoke',
    setUp: (context) => smoke.setUp(context),
    tearDown: () => smoke.tearDown(),
    events: [
      { name: 'apply-to-ready', measure: { ...READY, goal: () => smoke.applyGoal() }, run: (context, run) => smoke.applyToReady(context, run) },
      { name: 'pod-deleted', measure: GAP, run: () => smoke.podDeleted() },
      { name: 'container-killed', measure: GAP, mayLose: true, run: () => smoke.containerKilled() },
      { name: 'node-lost', measure: GAP, mayLose: true, run: (context) => smoke.nodeLost(context) },
      { name: 'scale-3-5-3', measure: { what: 'three members to five and back' }, run: (context) => smoke.scale(context) },
      { name: 'reapply-keeps-data', measure: READY, run: (context) => smoke.reapply(context) },
    ],
  };
}

class Smoke {
  private context!: SuiteContext;
  private namespace = '';
  private storageClass = '';
  private objects: Obj[] = [];
  private cluster!: PostgresUnderTest;
  private writer!: Writer;
  private readonly baselines: Sample[] = [];
  private readonly namespaces: string[] = [];

  constructor(private readonly manifests: ManifestSource) {}

  async setUp(context: SuiteContext): Promise<void> {
    this.context = context;
    await ensureImage(POSTGRES_IMAGE, context.api, context.faults, context.reporter);
    this.storageClass = process.env.E2E_STORAGE_CLASS ?? (await context.api.defaultStorageClass()) ?? '';
  }

  async tearDown(): Promise<void> {
    await Promise.all(this.namespaces.map((name) => this.context.api.deleteNamespace(name)));
  }

  applyGoal(): Goal | undefined {
    const baseline = median(this.baselines.map((sample) => sample.value));
    return baseline === null ? undefined : { p50: baseline * BASELINE_FACTOR };
  }

  /** Measured in turns with the yardstick, so that both meet the same machine in the same mood. */
  async applyToReady({ api, reporter, runs }: SuiteContext, run: number): Promise<Sample> {
    if (run === 1) await this.baselineToReady(); // not counted: the first Pods on a node read the image from disk
    this.baselines.push({ value: await this.baselineToReady() });
    if (run === runs) reporter.figure('apply-to-ready-baseline', READY, this.baselines);
    await this.createCluster();
    const start = performance.now();
    await api.apply(this.objects, this.namespace);
    await this.cluster.untilReady(MEMBERS, PATIENCE_S);
    const seconds = (performance.now() - start) / 1000;
    const streaming = await this.cluster.untilSettled(MEMBERS, PATIENCE_S);
    if (run < runs) await api.deleteNamespace(this.namespace);
    return { value: seconds, note: `all streaming after ${streaming.toFixed(1)} s more` };
  }

  async podDeleted(): Promise<Sample> {
    await this.ready();
    const primary = await this.cluster.primary();
    await this.writer.mark();
    await this.context.api.core.deleteNamespacedPod({ namespace: this.namespace, name: nameOf(primary) });
    await this.untilReplaced(primary.metadata?.uid);
    return this.outcome();
  }

  async containerKilled(): Promise<Sample> {
    await this.ready();
    const primary = await this.primaryWithoutBackoff();
    const restarts = restartsOf(await this.cluster.members());
    await this.writer.mark();
    await this.cluster.killContainer(primary);
    await waitFor({ what: `${nameOf(primary)} to restart`, seconds: 60 }, async () => {
      return restartsOf(await this.cluster.members()) > restarts ? undefined : 'no restart counted';
    });
    return this.outcome();
  }

  async nodeLost({ faults, reporter }: SuiteContext): Promise<Sample> {
    if (!faults.available) throw new Skip(faults.whyNot);
    await this.ready();
    const primary = await this.cluster.primary();
    await this.restartWriterAwayFrom(nodeOf(primary));
    await this.writer.mark();
    await faults.node('kill', nodeOf(primary));
    try {
      const seconds = await this.writer.untilWriting(PATIENCE_S);
      reporter.progress(`node ${nodeOf(primary)} has lost its power; writes go on after ${seconds.toFixed(1)} s`);
    } finally {
      await faults.node('start', nodeOf(primary));
    }
    return this.outcome();
  }

  /** What a GitOps tool does: apply the new set, then prune what it no longer has, but never a volume. */
  async scale({ api }: SuiteContext): Promise<Sample> {
    await this.ready();
    await this.writer.mark();
    const start = performance.now();
    const more = await this.read(MORE_MEMBERS);
    await api.apply(more, this.namespace);
    await this.cluster.untilSettled(MORE_MEMBERS, PATIENCE_S);
    await api.apply(this.objects, this.namespace);
    await api.delete(more.filter((object) => !isData(object) && !this.objects.some((kept) => same(kept, object))),
      this.namespace);
    await this.cluster.untilSettled(MEMBERS, PATIENCE_S);
    await this.expectVolumes(more);
    const { value, ...rest } = await this.outcome();
    return { ...rest, value: (performance.now() - start) / 1000, note: `longest write gap ${value.toFixed(2)} s` };
  }

  /** Twice: with Patroni's own ConfigMaps left behind (kubectl delete, GitOps prune), and with them gone too. */
  async reapply({ reporter }: SuiteContext): Promise<Sample> {
    const samples: Sample[] = [];
    for (const alsoPatroni of [false, true]) {
      samples.push(await this.deleteAndApply(alsoPatroni));
      reporter.progress(`Patroni's ConfigMaps ${alsoPatroni ? 'deleted' : 'left'}: Ready again after ${samples.at(-1)!.value.toFixed(1)} s`);
    }
    return {
      value: Math.max(...samples.map((sample) => sample.value)), lost: samples.at(-1)!.lost ?? 0,
      errors: 0,
    };
  }

  private async deleteAndApply(alsoPatroni: boolean): Promise<Sample> {
    const { api } = this.context;
    await this.ready();
    // The writer goes on until the last member is down: what was acknowledged at the very end must be there as well.
    await api.delete(this.objects.filter((object) => !isData(object)), this.namespace);
    await waitFor({ what: 'all members to be gone', seconds: PATIENCE_S }, async () => `${(await this.cluster.members()).length || ''}` || undefined);
    if (alsoPatroni) await this.deletePatroniConfigMaps();
    await this.writer.stop();
    const start = performance.now();
    await api.apply(this.objects, this.namespace);
    await this.cluster.untilReady(MEMBERS, PATIENCE_S);
    const seconds = (performance.now() - start) / 1000;
    await this.cluster.untilSettled(MEMBERS, PATIENCE_S);
    await this.startWriter();
    return { ...(await this.outcome()), value: seconds };
  }

  private async deletePatroniConfigMaps(): Promise<void> {
    const labelSelector = `everest.io/cluster=${this.cluster.name}`;
    await this.context.api.core.deleteCollectionNamespacedConfigMap({ namespace: this.namespace, labelSelector });
  }

  private async baselineToReady(): Promise<number> {
    const { api } = this.context;
    const namespace = await this.createNamespace('baseline');
    const objects = parseManifests(readFileSync(BASELINE, 'utf8'));
    const start = performance.now();
    await api.apply(objects, namespace);
    await waitFor({ what: 'the baseline', seconds: PATIENCE_S, everyMs: 100 }, async () => {
      const ready = (await api.pods(namespace, 'app=baseline')).filter(isReady).length;
      return ready === MEMBERS ? undefined : `${ready} are Ready`;
    });
    const seconds = (performance.now() - start) / 1000;
    await api.core.deleteCollectionNamespacedPod({ namespace, gracePeriodSeconds: 0 });
    await api.deleteNamespace(namespace);
    return seconds;
  }

  private async createNamespace(suffix: string): Promise<string> {
    const name = `e2e-smoke-${suffix}-${randomBytes(3).toString('hex')}`;
    this.namespaces.push(name);
    await this.context.api.createNamespace(name);
    return name;
  }

  private async createCluster(): Promise<void> {
    this.namespace = await this.createNamespace('pg');
    this.objects = await this.read(MEMBERS);
    const name = clusterNameOf(this.objects);
    this.cluster = new PostgresUnderTest(this.context.api, this.namespace, name);
    this.writer = new Writer(this.context.api, { namespace: this.namespace, cluster: name, secret: `${name}-app` });
  }

  private async read(instances: number): Promise<Obj[]> {
    return this.manifests.read({ namespace: this.namespace, instances, storageClass: this.storageClass });
  }

  /** Any event may be run alone (--only), so each makes what it needs. */
  private async ready(): Promise<void> {
    if (!this.cluster) {
      await this.createCluster();
      await this.context.api.apply(this.objects, this.namespace);
    }
    await this.cluster.untilSettled(MEMBERS, PATIENCE_S);
    if ((await this.writer.node()) === undefined) await this.startWriter();
  }

  private async startWriter(): Promise<void> {
    await this.writer.start();
    await this.writer.untilWriting(PATIENCE_S);
  }

  private async restartWriterAwayFrom(node: string): Promise<void> {
    if ((await this.writer.node()) !== node) return;
    await this.writer.stop();
    await this.writer.start({ awayFrom: node });
    await this.writer.untilWriting(PATIENCE_S);
  }

  /** The kubelet lets a container that was restarted before wait 10 s and more: a new Pod makes the runs alike. */
  private async primaryWithoutBackoff(): Promise<V1Pod> {
    const primary = await this.cluster.primary();
    if (restartsOf([primary]) === 0) return primary;
    await this.context.api.core.deleteNamespacedPod({ namespace: this.namespace, name: nameOf(primary) });
    await this.untilReplaced(primary.metadata?.uid);
    await this.cluster.untilSettled(MEMBERS, PATIENCE_S);
    return this.primaryWithoutBackoff();
  }

  private async untilReplaced(uid: string | undefined): Promise<void> {
    await waitFor({ what: 'the deleted Pod to be gone', seconds: PATIENCE_S }, async () => {
      return (await this.cluster.members()).some((pod) => pod.metadata?.uid === uid) ? 'it is there' : undefined;
    });
  }

  /** After every event: writing again, whole again, and every acknowledged row in its place. */
  private async outcome(): Promise<Sample> {
    await this.writer.untilWriting(PATIENCE_S);
    const whole = await this.cluster.untilSettled(MEMBERS, PATIENCE_S);
    const { longestGap, errors } = await this.writer.status();
    const { lost, acked } = await this.writer.verify();
    return { value: longestGap, acked, lost, errors, note: `whole after ${whole.toFixed(1)} s, ${lost} of ${acked} rows lost` };
  }

  private async expectVolumes(objects: readonly Obj[]): Promise<void> {
    for (const claim of objects.filter(isData)) {
      if (!(await this.context.api.read(claim, this.namespace))) throw new Error(`volume ${claim.metadata.name} did not survive scaling down`);
    }
  }
}

function same(a: Obj, b: Obj): boolean {
  return a.kind === b.kind && a.metadata.name === b.metadata.name;
}
