/** What members note of the repositories that they have begun. */
import { parseJson, textOrNothing } from './objects.js';
import { REPOSITORIES_ANNOTATION } from '../../../src/contract/labels.js';
import type { KubeObject } from '../ports/kube.js';

/** A repository that was found empty although the cluster had begun it. */
export interface Loss {
  /** Its key. */
  readonly repository: number;
  readonly storage: string;
  readonly at: string;
}

export function lossesIn(dynamicConfig: KubeObject | undefined): Loss[] {
  const notes = parseJson(dynamicConfig?.metadata.annotations?.[REPOSITORIES_ANNOTATION]) ?? {};
  return Object.entries(notes).flatMap(([key, value]): Loss[] => {
    const note = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
    const [storage, at] = [textOrNothing(note.storage), textOrNothing(note.lostAt)];
    return storage === undefined || at === undefined ? [] : [{ repository: Number(key), storage, at }];
  });
}
