/**
 * What to change in Patroni's dynamic configuration so that it is as the contract says. Keys that neither the contract
 * names nor the agent has set belong to somebody else and stay.
 */
import { isDeepStrictEqual } from 'node:util';
import type { PatroniDynamicConfiguration } from '../../../src/contract/document.js';
import type { DynamicConfig, OperationsMemory } from '../model/operations.js';

type Section = Readonly<Record<string, unknown>>;

const section = (value: unknown): Section => (typeof value === 'object' && value !== null ? (value as Section) : {});

const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

function changes(live: Section, wanted: Section): Record<string, unknown> {
  // Null takes a key out, so where there is none nothing is to be done.
  const differs = ([key, value]: [string, unknown]) => !isDeepStrictEqual(live[key] ?? null, value);
  return Object.fromEntries(Object.entries(wanted).filter(differs));
}

/** Parameters are texts in the contract; Patroni may hold a number, or null for one that is taken out. */
function textIn(live: Section, name: string): string | undefined {
  return live[name] === undefined || live[name] === null ? undefined : String(live[name]);
}

function parameterChanges(
  live: Section, wanted: Readonly<Record<string, string>>, memory: OperationsMemory,
): Record<string, string | null> {
  const { refused = {}, managedParameters = [] } = memory;
  const isNew = ([name, value]: [string, string]) => refused[name] !== value && textIn(live, name) !== value;
  const left = managedParameters.filter((name) => !(name in wanted) && textIn(live, name) !== undefined);
  return Object.fromEntries([...Object.entries(wanted).filter(isNew), ...left.map((name) => [name, null])]);
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
    ...(isEmpty(parameterPatch) ? {} : { parameters: parameterPatch }),
  };
  const patch = { ...changes(live, top), ...(isEmpty(postgresPatch) ? {} : { postgresql: postgresPatch }) };
  return isEmpty(patch) ? undefined : patch;
}

/** The parameters that a patch touches, as they are now: the way back. */
export function valuesBefore(live: DynamicConfig, patch: Section): Record<string, string | null> {
  const now = section(section(live.postgresql).parameters);
  const touched = Object.keys(section(section(patch.postgresql).parameters));
  return Object.fromEntries(touched.map((name) => [name, now[name] === undefined ? null : String(now[name])]));
}
