/** Changes Patroni's dynamic configuration. Void when it is no longer the one that the change was made for. */
import { isDeepStrictEqual } from 'node:util';
import type { Hands, Outcome } from './executor.js';
import { parseJson, podFacts } from '../model/objects.js';
import type { PatchConfig } from '../model/operations.js';

const ANSWER_TIMEOUT_MS = 15_000;

export async function patchConfig(hands: Hands, action: PatchConfig): Promise<Outcome> {
  const ip = hands.pods(action.cluster).map(podFacts).find((pod) => pod.name === action.via)?.ip;
  if (!ip) return { done: false, detail: `the address of ${action.via} is unknown` };
  const now = await hands.patroni.get(ip, '/config', ANSWER_TIMEOUT_MS);
  if (now.status !== 200 || !isDeepStrictEqual(parseJson(now.body), action.expected)) {
    return { done: false, detail: 'Patroni\'s configuration was changed meanwhile' };
  }
  const answer = await hands.patroni.send(ip, { method: 'PATCH', path: '/config', body: action.patch }, ANSWER_TIMEOUT_MS);
  if (answer.status !== 200) return { done: false, detail: `Patroni refused the configuration (${answer.status}): ${answer.body.slice(0, 200)}` };
  return { done: true, detail: `changed ${changedKeys(action.patch).join(', ')}` };
}

/** `postgresql.parameters.work_mem` and the like. */
export function changedKeys(patch: Readonly<Record<string, unknown>>, prefix = ''): string[] {
  return Object.entries(patch).flatMap(([key, value]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    const isSection = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isSection ? changedKeys(value as Record<string, unknown>, path) : [path];
  });
}
