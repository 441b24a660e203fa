/**
 * What to change in Patroni's dynamic configuration so that it is as the contract says. Keys that neither the contract
 * names nor the agent has set belong to somebody else and stay.
 */
import { isDeepStrictEqual } from 'node:util';
import type { PatroniDynamicConfiguration } from '../../../src/contract/document.js';
import type { DynamicConfig, OperationsMemory } from '../model/operations.js';

type Section = Readonly<Record<string, unknown>>;

const section = (value: unknown): Section => (typeof value === 'object' && value !== null ? (value as Section) : {});

function changes(live: Section, wanted: Section): Record<string, unknown> {
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => !isDeepStrictEqual(live[key], value)));
}

/** Parameters are texts in the contract; Patroni may hold a number. */
function parameterChanges(
  live: Section, wanted: Readonly<Record<string, string>>, memory: OperationsMemory,
): Record<string, string | null> {
  const changed: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(wanted)) {
    const refused = memory.refused?.[name] === value;
    if (!refused && (live[name] === undefined || String(live[name]) !== value)) changed[name] = value;
  }
  for (const name of memory.managedParameters ?? []) {
    if (!(name in wanted) && live[name] !== undefined && live[name] !== null) changed[name] = null;
  }
  return changed;
}

/** Undefined: nothing to change. */
export function diffConfig(
  live: DynamicConfig, wanted: PatroniDynamicConfiguration, memory: OperationsMemory,
): Section | undefined {
  const { postgresql, ...top } = wanted;
  const { parameters, ...settings } = postgresql;
  const livePostgres = section(live.postgresql);
  const parameterPatch = parameterChanges(section(livePostgres.parameters), parameters, memory);
  const postgresPatch = {
    ...changes(livePostgres, settings),
    ...(Object.keys(parameterPatch).length > 0 ? { parameters: parameterPatch } : {}),
  };
  const patch = { ...changes(live, top), ...(Object.keys(postgresPatch).length > 0 ? { postgresql: postgresPatch } : {}) };
  return Object.keys(patch).length > 0 ? patch : undefined;
}

/** The parameters that a patch touches, as they are now: the way back. */
export function valuesBefore(live: DynamicConfig, patch: Section): Record<string, string | null> {
  const now = section(section(live.postgresql).parameters);
  const touched = Object.keys(section(section(patch.postgresql).parameters));
  return Object.fromEntries(touched.map((name) => [name, now[name] === undefined ? null : String(now[name])]));
}
