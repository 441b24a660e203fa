/** A Pod like the primary's that stands ready with an empty volume: where a person would restore by hand. */
import type { V1Pod, V1PodSpec, V1Volume } from '@kubernetes/client-node';
import type { BackupFixture } from './fixture';
import { PATIENCE_S } from './fixture';
import type { Obj } from '../../kit/cluster-api';
import { nameOf } from '../../kit/postgres';
import type { SuiteContext } from '../../kit/suite';
import { waitFor } from '../../kit/wait';

const NAME = 'by-hand';
const CONTAINER = 'postgres';

/** Only the volume of the data is its own; without labels no Service and no policy knows it. */
function specOf(pod: V1Pod, claim: string): V1PodSpec {
  const { serviceAccountName, securityContext, volumes = [], containers } = pod.spec!;
  const { image, env, volumeMounts, securityContext: rights } = containers.find(({ name }) => name === CONTAINER)!;
  const persistentVolumeClaim = { claimName: claim };
  const own = (volume: V1Volume) => (volume.persistentVolumeClaim ? { ...volume, persistentVolumeClaim } : volume);
  const command = ['sleep', 'infinity'];
  return {
    serviceAccountName, securityContext, terminationGracePeriodSeconds: 0, volumes: volumes.map(own),
    containers: [{ name: CONTAINER, image, env, volumeMounts, securityContext: rights, command }],
  } as V1PodSpec;
}

function objectsFor(pod: V1Pod, size: string): Obj[] {
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } } };
  return [
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: NAME }, spec: claim },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: NAME }, spec: specOf(pod, NAME) },
  ] as unknown as Obj[];
}

/** `work` gets what runs a command there; the Pod and its volume are thrown away afterwards. */
export async function withEmptyMember<T>({ api }: SuiteContext, fixture: BackupFixture, size: string,
  work: (run: (script: string, seconds: number, ...args: string[]) => Promise<void>) => Promise<T>): Promise<T> {
  const { namespace } = fixture;
  const objects = objectsFor(await fixture.cluster.primary(), size);
  const run = async (script: string, seconds: number, ...args: string[]) => {
    const done = await api.exec({ namespace, pod: NAME, container: CONTAINER }, ['sh', '-euc', script, ...args], seconds);
    if (!done.ok) throw new Error(`${script}: ${done.stdout}${done.stderr}`.slice(0, 2000));
  };
  try {
    await api.apply(objects, namespace);
    await waitFor({ what: 'the Pod for what is done by hand', seconds: PATIENCE_S, everyMs: 500 }, async () => {
      const pod = await api.read<Obj & V1Pod>(objects[1] as Obj & V1Pod, namespace);
      const phase = pod?.status?.phase ?? 'unknown';
      return phase === 'Running' ? undefined : `it is ${phase}`;
    });
    return await work(run);
  } finally {
    await api.delete(objects.reverse(), namespace);
    await waitFor({ what: `${nameOf(objects[0] as V1Pod)} to be gone`, seconds: PATIENCE_S, everyMs: 500 }, async () => (
      await api.read(objects[0]!, namespace) ? 'it is there' : undefined));
  }
}
