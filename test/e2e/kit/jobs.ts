/** Jobs that a CronJob would make at its time, now. */
import { randomBytes } from 'node:crypto';
import type { ClusterApi, Obj } from './cluster-api';
import { waitFor } from './wait';

type Job = Obj & {
  readonly spec: { readonly jobTemplate: { readonly spec: object } };
  readonly status?: { readonly conditions?: ReadonlyArray<{ readonly type: string; readonly status: string }> };
};

const ENDS = ['Complete', 'Failed'];

function objectOf(name: string): Job {
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name } } as Job;
}

/** Gives the name of the Job. */
export async function startJob(api: ClusterApi, namespace: string, cronJob: string): Promise<string> {
  const found = await api.read<Job>({ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: cronJob } }, namespace);
  if (!found) throw new Error(`there is no CronJob ${cronJob}`);
  const name = `${cronJob}-${randomBytes(3).toString('hex')}`;
  await api.apply([{ ...objectOf(name), spec: found.spec.jobTemplate.spec } as unknown as Obj], namespace);
  return name;
}

/** To the end that is expected: `Complete` or `Failed`. */
export async function untilEnded(api: ClusterApi, namespace: string, name: string,
  { wanted = 'Complete', seconds }: { wanted?: string; seconds: number }): Promise<void> {
  let ends: string[] = [];
  await waitFor({ what: `${name} to be ${wanted}`, seconds, everyMs: 500 }, async () => {
    const conditions = (await api.read<Job>(objectOf(name), namespace))?.status?.conditions ?? [];
    ends = conditions.filter(({ status, type }) => status === 'True' && ENDS.includes(type)).map(({ type }) => type);
    return ends.length > 0 ? undefined : 'it runs';
  });
  if (!ends.includes(wanted)) throw new Error(`${name} is ${ends.join(', ')}`);
}
