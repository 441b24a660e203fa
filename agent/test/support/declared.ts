/** Builders of declarations. */
import type { DeclaredDatabase, DeclaredRole } from '../../../src/contract/declared-sql.js';

export const CONNECTION = { host: 'orders-rw.shop.svc', port: '5432', dbname: 'app' };

export function database(name: string, change: Partial<DeclaredDatabase> = {}): DeclaredDatabase {
  return { name, owner: name, extensions: [], schemas: [], ...change };
}

export function role(name: string, change: Partial<DeclaredRole> = {}): DeclaredRole {
  const secret = { name: `orders-${name}`, fill: true, connection: CONNECTION };
  return { name, login: true, inRoles: [], grants: [], ...(change.login === false ? {} : { secret }), ...change };
}
