/** One value of a Secret, read once and kept: what needs it must not wait for the API. */
import type { Kube } from './ports/kube.js';

export interface SecretPlace {
  readonly secret: string;
  readonly key: string;
}

export function secretValue(kube: Kube, place: () => SecretPlace | undefined): () => Promise<string> {
  let known: { readonly of: string; readonly value: string } | undefined;
  return async () => {
    const wanted = place();
    if (!wanted) throw new Error('the contract is not readable, so the Secret is not known');
    const of = `${wanted.secret}/${wanted.key}`;
    if (known?.of === of) return known.value;
    const { data = {} } = await kube.get('secrets', wanted.secret) as { data?: Record<string, string> };
    if (!data[wanted.key]) throw new Error(`Secret ${wanted.secret} has no value for key ${wanted.key}`);
    known = { of, value: Buffer.from(data[wanted.key]!, 'base64').toString('utf8') };
    return known.value;
  };
}
