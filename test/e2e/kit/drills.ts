/** Restore drills of a cluster of any engine: run now, and what they have told. */
import type { ClusterApi, Obj } from './cluster-api';
import { startJob, untilEnded } from './jobs';
import type { Sample } from './suite';

export interface DrillResult {
  readonly done: boolean;
  readonly endedAt: string;
  readonly rtoSeconds?: number;
  readonly rpoSeconds?: number;
  readonly checks: Readonly<Record<string, string>>;
  readonly failure?: { readonly kind: string; readonly detail: string };
}

/** Which drill, and how it has to end. */
interface Wanted {
  readonly namespace: string;
  readonly cluster: string;
  readonly end?: 'Complete' | 'Failed';
  readonly seconds: number;
}

/** Runs the drill's Job now, to the end that is expected, and gives what stands in the status afterwards. */
export async function runDrill(api: ClusterApi, { namespace, cluster, end = 'Complete', seconds }: Wanted): Promise<DrillResult> {
  const name = await startJob(api, namespace, `${cluster}-drill`);
  const result = async () => {
    const status = await api.read<Obj & { data?: Record<string, string> }>(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${cluster}-status` } }, namespace);
    return (JSON.parse(status?.data?.['drill.json'] ?? '{"drills":{}}') as { drills: Record<string, DrillResult> }).drills.default!;
  };
  await untilEnded(api, namespace, name, { wanted: end, seconds })
    .catch(async (problem: unknown) => { throw new Error(`${String(problem)}; it says ${JSON.stringify(await result())}`); });
  return result();
}

export const DRILL_FIGURES = { rto: { what: 'RTO that the drill measured' }, rpo: { what: 'RPO that the drill measured' } };

/** A drill that has to pass. */
export async function goodDrill(api: ClusterApi, wanted: Omit<Wanted, 'end'>): Promise<Sample> {
  const started = Date.now();
  const result = await runDrill(api, wanted);
  if (!result.done) throw new Error(`the drill failed: ${JSON.stringify(result)}`);
  const figures = { rto: result.rtoSeconds!, rpo: result.rpoSeconds! };
  return { value: (Date.now() - started) / 1000, figures, note: JSON.stringify(result.checks) };
}

/** A drill that has to fail, and to say why. */
export async function badDrill(api: ClusterApi, wanted: Omit<Wanted, 'end'>, { kind, says = /./ }: { kind: string; says?: RegExp }): Promise<Sample> {
  const started = Date.now();
  const { done, failure } = await runDrill(api, { ...wanted, end: 'Failed' });
  if (done || failure?.kind !== kind || !says.test(failure.detail)) throw new Error(`not told as ${kind}: ${JSON.stringify(failure)}`);
  return { value: (Date.now() - started) / 1000, note: failure.detail };
}
