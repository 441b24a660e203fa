import { Duration } from 'cdk8s';
import { Credentials, DatabaseAccess, PasswordRotation } from '../../../src';
import { agentAccess } from '../../../src/parts/agent-access';
import { loginCount } from '../../../src/resolve/pooler';
import { resolved } from '../../support/cluster';

const AGENT = { agentName: 'everest-agent' } as never;

describe('resolveRoles', () => {
  it('has every owner once, with what roles say about it, and then the others', () => {
    const { roles } = resolved({
      agent: AGENT, databases: [{ name: 'app' }, { name: 'crm', owner: 'app' }],
      roles: [{ name: 'bi' }, { name: 'app', connectionLimit: 5 }],
    });
    expect(roles.map(({ name, connectionLimit }) => [name, connectionLimit])).toEqual([['app', 5], ['bi', undefined]]);
  });

  it('lets a connection lead to the own database, else to the first that is granted, else to the first of the cluster', () => {
    const grants = [{ database: 'crm', access: DatabaseAccess.readOnly() }];
    const { roles } = resolved({ agent: AGENT, databases: [{ name: 'app' }, { name: 'crm' }], roles: [{ name: 'bi', grants }, { name: 'ci' }] });
    expect(roles.map(({ secret }) => secret!.connection.dbname)).toEqual(['app', 'crm', 'crm', 'app']);
  });

  it('gives rotations in seconds', () => {
    const rotation = PasswordRotation.every(Duration.days(2), { oldValidFor: Duration.hours(1) });
    expect(resolved({ agent: AGENT, roles: [{ name: 'app', rotation }] }).roles[0]!.rotation).toEqual({ everySeconds: 172_800, oldValidForSeconds: 3600 });
  });

  it('counts both logins of a rotation, because both hold connections while it is new', () => {
    const roles = [{ name: 'app', rotation: PasswordRotation.onRequest() }, { name: 'bi' }, { name: 'team', login: false }];
    expect(loginCount(resolved({ agent: AGENT, roles }))).toBe(3);
  });

  it('lets the agent fill exactly the Secrets of roles, and read those of somebody else', () => {
    const [role] = agentAccess(resolved({ agent: AGENT, roles: [{ name: 'bi' }, { name: 'ci', secretName: 'ci-login' }] }));
    const rules = role!.rules as Array<{ resources: string[]; resourceNames: string[]; verbs: string[] }>;
    expect(rules.filter(({ resources }) => resources.includes('secrets'))).toEqual([
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['orders-credentials', 'ci-login'], verbs: ['get'] },
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['orders-app', 'orders-bi'], verbs: ['get', 'patch'] },
    ]);
  });

  it('fills nothing where the credentials exist already', () => {
    expect(resolved({ credentials: Credentials.existing('vault') }).roles.map(({ secret }) => secret!.fill)).toEqual([false]);
  });
});
