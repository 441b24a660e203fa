/** Users of a group of three: their rights on every member, and passwords that are replaced under clients. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fixture } from './fixture';
import { PATIENCE_S } from './fixture';
import { DatabaseAccess, PasswordRotation, type GaleraRole } from '../../../../lib';
import type { Obj } from '../../kit/cluster-api';
import { MARIADB_IMAGE } from '../../kit/images';
import type { Sample, SuiteContext, SuiteEvent } from '../../kit/suite';
import { since, waitFor } from '../../kit/wait';

const CLIENT = 'e2e-logins';
const ROTATIONS = 3;

/** `shop` writes and rotates, `looker` only looks. */
const ROLES: GaleraRole[] = [
  { name: 'shop', grants: [{ database: 'app', access: DatabaseAccess.readWrite() }], rotation: PasswordRotation.onRequest() },
  { name: 'looker', grants: [{ database: 'app', access: DatabaseAccess.readOnly() }] },
];

interface Logins {
  readonly logins: number;
  readonly refused: number;
  readonly broken: number;
  readonly last: string;
  readonly user: string;
}

interface Login {
  readonly user: string;
  readonly password: string;
}

export function userEvents(fixture: Fixture): SuiteEvent[] {
  return [{
    name: 'password-rotated', once: true,
    measure: { what: 'from the request of a rotation until the Secret has the new login, the longest of three' },
    figures: {
      refused: { what: 'logins that a server refused', unit: 'logins', goal: { max: 0 } },
      declared: { what: 'from apply until the new users are in every member' },
    },
    run: (context) => rotated(context, fixture),
  }];
}

async function rotated(context: SuiteContext, fixture: Fixture): Promise<Sample> {
  await fixture.ready(context, 'safe');
  const started = performance.now();
  await fixture.apply(context, { roles: ROLES });
  await untilRights(context, fixture);
  const declared = since(started);
  await startClient(context, fixture);
  try {
    const times: number[] = [];
    for (let turn = 0; turn < ROTATIONS; turn++) times.push(await rotate(context, fixture));
    const { logins, refused, broken, last } = await seen(context, fixture);
    const { value: stall, ...counted } = await fixture.outcome(context, 'safe');
    const note = `${logins} logins, ${refused} refused, ${broken} broken ${last}; the writer waited ${stall?.toFixed(2)} s at the most`;
    return { ...counted, value: Math.max(...times), figures: { refused, declared }, note };
  } finally {
    await context.api.delete(clientObjects(fixture), fixture.namespace, 0);
  }
}

function secretOf(fixture: Fixture, role: string): Obj {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: `${fixture.cluster.name}-${role}` } } as Obj;
}

async function login({ api }: SuiteContext, fixture: Fixture, role: string): Promise<Login> {
  const secret = await api.read<Obj & { data?: Record<string, string> }>(secretOf(fixture, role), fixture.namespace);
  const data = secret?.data ?? {};
  const text = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
  return { user: text('user'), password: text('password') };
}

/** Each member lets both in, and `looker` change nothing. */
async function untilRights(context: SuiteContext, fixture: Fixture): Promise<void> {
  await waitFor({ what: 'both users to have their rights on every member', seconds: PATIENCE_S, everyMs: 1000 }, async () => {
    const [shop, looker] = await Promise.all([login(context, fixture, 'shop'), login(context, fixture, 'looker')]);
    if (!shop.password || !looker.password) return 'their Secrets are empty';
    for (const pod of await fixture.cluster.members()) {
      const said = await Promise.all([
        fixture.cluster.sqlAs(pod, shop, 'SELECT count(*) FROM app.e2e_writes'),
        fixture.cluster.sqlAs(pod, looker, 'SELECT count(*) FROM app.e2e_writes'),
        fixture.cluster.sqlAs(pod, shop, "DELETE FROM app.e2e_writes WHERE client = 'nobody'"),
      ]);
      const failed = said.find(({ ok }) => !ok);
      if (failed) return failed.stderr;
      const changed = await fixture.cluster.sqlAs(pod, looker, "DELETE FROM app.e2e_writes WHERE client = 'nobody'");
      if (changed.ok) throw new Error('looker may delete');
    }
    return undefined;
  });
}

/** And the client logs in with the new one, which the kubelet brings. */
async function rotate(context: SuiteContext, fixture: Fixture): Promise<number> {
  const before = (await login(context, fixture, 'shop')).user;
  const started = performance.now();
  const request = { metadata: { annotations: { 'everest.io/rotate': 'now' } } };
  await context.api.merge(secretOf(fixture, 'shop'), fixture.namespace, request);
  await waitFor({ what: 'another login in the Secret', seconds: PATIENCE_S, everyMs: 500 }, async () =>
    ((await login(context, fixture, 'shop')).user === before ? `it is ${before}` : undefined));
  const value = since(started);
  await waitFor({ what: 'the client to use it', seconds: PATIENCE_S, everyMs: 1000 }, async () =>
    ((await seen(context, fixture)).user === before ? `it uses ${before}` : undefined));
  return value;
}

async function seen({ api }: SuiteContext, fixture: Fixture): Promise<Logins> {
  const target = { namespace: fixture.namespace, pod: CLIENT, container: 'logins' };
  const { ok, stdout, stderr } = await api.exec(target, ['cat', '/tmp/status']);
  if (!ok) throw new Error(stderr);
  return JSON.parse(stdout) as Logins;
}

async function startClient({ api }: SuiteContext, fixture: Fixture): Promise<void> {
  await api.apply(clientObjects(fixture), fixture.namespace);
  await waitFor({ what: 'a login', seconds: PATIENCE_S, everyMs: 500 }, async () => {
    const { logins, last } = await seen({ api } as SuiteContext, fixture);
    return logins > 0 ? undefined : last;
  });
}

function clientObjects({ cluster: { name } }: Fixture): Obj[] {
  const script = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: CLIENT }, data: { 'logins.py': readFileSync(join(__dirname, '../../kit/logins.py'), 'utf8') } };
  const pod = {
    apiVersion: 'v1', kind: 'Pod',
    metadata: { name: CLIENT, labels: { app: CLIENT, [`access.everest.io/${name}`]: 'true' } },
    spec: {
      automountServiceAccountToken: false, terminationGracePeriodSeconds: 0,
      securityContext: { runAsNonRoot: true, runAsUser: 10026, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [{
        name: 'logins', image: MARIADB_IMAGE.name, imagePullPolicy: 'IfNotPresent', command: ['python3', '/script/logins.py'],
        env: [{ name: 'HOSTS', value: `${name}-rw,${name}-ro` }, { name: 'DB_NAME', value: 'app' }],
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        volumeMounts: [{ name: 'script', mountPath: '/script' }, { name: 'secret', mountPath: '/secret' }, { name: 'tmp', mountPath: '/tmp' }],
      }],
      volumes: [
        { name: 'script', configMap: { name: CLIENT } }, { name: 'secret', secret: { secretName: `${name}-shop` } }, { name: 'tmp', emptyDir: {} },
      ],
    },
  };
  return [script, pod] as unknown as Obj[];
}
