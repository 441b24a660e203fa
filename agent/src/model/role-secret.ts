/** The Secret of a role: the connection that an application is given. */
import { Buffer } from 'node:buffer';
import type { DeclaredSecret } from '../../../src/contract/declared-sql.js';
import type { KubeObject } from '../ports/kube.js';

type Connection = DeclaredSecret['connection'];

export type SecretValues = Readonly<Record<string, string>>;

export interface RoleSecret {
  readonly name: string;
  readonly resourceVersion: string;
  readonly values: SecretValues;
  readonly annotations: Readonly<Record<string, string>>;
}

export function roleSecret(object: KubeObject): RoleSecret {
  const data = Object.entries((object as { data?: Record<string, string> }).data ?? {});
  return {
    name: object.metadata.name,
    resourceVersion: object.metadata.resourceVersion ?? '',
    values: Object.fromEntries(data.map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')])),
    annotations: object.metadata.annotations ?? {},
  };
}

export function encoded(values: SecretValues): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value, 'utf8').toString('base64')]));
}

/** `encodeURIComponent` leaves some characters as they are that mean something in a URI or a shell. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Both kinds of URI, from the single values. */
function uris({ host, port, dbname, user, password }: SecretValues): SecretValues {
  const [name, secret] = [escaped(user!), escaped(password!)];
  const address = `${host}:${port}/${escaped(dbname!)}`;
  return {
    'uri': `postgresql://${name}:${secret}@${address}`,
    'jdbc-uri': `jdbc:postgresql://${address}?user=${name}&password=${secret}`,
  };
}

/** What is not there yet. Values that are there stay: whoever set them first decides. */
export function missingValues(user: string, connection: Connection, have: SecretValues,
  password: () => string): SecretValues {
  const kept = Object.fromEntries(Object.entries(have).filter(([, value]) => value !== ''));
  const single: SecretValues = { user, ...connection, password: kept.password ?? password(), ...kept };
  const full = { ...uris(single), ...single };
  return Object.fromEntries(Object.entries(full).filter(([key]) => kept[key] === undefined));
}

/** Another login of the same connection; where it leads to (`host`, `port`, `dbname`) stays as it is. */
export function withLogin(connection: Connection, have: SecretValues, user: string, password: string): SecretValues {
  const single = { ...connection, ...have, user, password };
  return { user, password, ...uris(single) };
}
