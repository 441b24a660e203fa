import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { KubeError, type Resource } from '../../src/ports/kube.js';
import { ApiServer, clientOf, json, refusal, silence } from '../support/api-server.js';

const OBJECT = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'orders-leader', resourceVersion: '7' } };
const ACCOUNT = 'var/run/secrets/kubernetes.io/serviceaccount';

async function failure(call: Promise<unknown>): Promise<KubeError> {
  const problem = await call.then(() => undefined, (reason: unknown) => reason);
  assert.ok(problem instanceof KubeError, `expected a KubeError, got ${String(problem)}`);
  return problem;
}

test('a patch is a merge patch with exactly the version it was made for, because a lease is cleared by it', async (context) => {
  const api = await ApiServer.start(context, json(200, OBJECT));
  const body = { metadata: { resourceVersion: '6', annotations: { leader: null } } };
  await clientOf(api).patch('configmaps', 'orders-leader', body);
  const [asked] = api.asked;
  assert.equal(asked!.method, 'PATCH');
  assert.equal(asked!.path, '/api/v1/namespaces/shop/configmaps/orders-leader');
  assert.equal(asked!.headers['content-type'], 'application/merge-patch+json');
  assert.deepEqual(JSON.parse(asked!.body), body);
});

test('a conflict says so, because whoever lost the race has to read again', async (context) => {
  const api = await ApiServer.start(context, refusal(409, 'the object has been modified'));
  const problem = await failure(clientOf(api).patch('configmaps', 'orders-leader', {}));
  assert.equal(problem.conflict, true);
  assert.equal(problem.message, 'patch configmaps orders-leader: 409 the object has been modified');
});

test('a refused call names verb, resource and object, because a Role is mended with them', async (context) => {
  const api = await ApiServer.start(context, refusal(403, 'pods is forbidden'));
  const problem = await failure(clientOf(api).patch('pods', 'orders-1-0', {}));
  const { forbidden, verb, resource, objectName } = problem;
  assert.deepEqual({ forbidden, verb, resource, objectName }, { forbidden: true, verb: 'patch', resource: 'pods', objectName: 'orders-1-0' });
});

test('a call ends in time when the API server is frozen, because a decision waits for it', async (context) => {
  const api = await ApiServer.start(context, silence);
  const problem = await failure(clientOf(api, { callMs: 50 }).get('pods', 'orders-1-0'));
  assert.equal(problem.message, 'get pods orders-1-0: no answer within 50 ms');
});

test('a call ends in time when the answer stops in the middle', async (context) => {
  const api = await ApiServer.start(context, (_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{');
  });
  const problem = await failure(clientOf(api, { callMs: 50 }).get('pods', 'orders-1-0'));
  assert.equal(problem.status, 0);
  assert.match(problem.message, /within 50 ms/);
});

test('an answer that is no JSON is an error of that call, not a crash', async (context) => {
  const api = await ApiServer.start(context, (_, response) => response.end('<html>'));
  assert.equal((await failure(clientOf(api).get('pods', 'orders-1-0'))).status, 0);
});

test('calls one after the other share a connection, refused ones too, because a handshake would double their time', async (context) => {
  let answers = 0;
  const api = await ApiServer.start(context, (asked, response) => {
    answers += 1;
    (answers % 2 === 0 ? refusal(409, 'modified') : json(200, OBJECT))(asked, response);
  });
  const client = clientOf(api);
  for (let round = 0; round < 3; round++) {
    await client.get('configmaps', 'orders-leader');
    await failure(client.patch('configmaps', 'orders-leader', {}));
  }
  assert.equal(api.connections, 1);
  assert.equal(client.requests, 6);
});

test('an eviction names the uid, because a Pod of the same name may have come meanwhile', async (context) => {
  const api = await ApiServer.start(context, json(201, { kind: 'Status', status: 'Success' }));
  await clientOf(api).evict('orders-1-0', 'uid-1');
  const [asked] = api.asked;
  assert.equal(asked!.path, '/api/v1/namespaces/shop/pods/orders-1-0/eviction');
  assert.deepEqual(JSON.parse(asked!.body), {
    apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'orders-1-0' }, deleteOptions: { preconditions: { uid: 'uid-1' } },
  });
});

test('an eviction that a budget forbids is a refusal of pods/eviction, as RBAC and people call it', async (context) => {
  const api = await ApiServer.start(context, refusal(429, 'Cannot evict pod as it would violate the pod\'s disruption budget.'));
  const problem = await failure(clientOf(api).evict('orders-1-0', 'uid-1'));
  assert.equal(problem.status, 429);
  assert.equal(problem.resource, 'pods/eviction');
});

const PATHS: Record<Resource, string> = {
  configmaps: '/api/v1/namespaces/shop/configmaps',
  secrets: '/api/v1/namespaces/shop/secrets',
  pods: '/api/v1/namespaces/shop/pods',
  events: '/api/v1/namespaces/shop/events',
  statefulsets: '/apis/apps/v1/namespaces/shop/statefulsets',
  leases: '/apis/coordination.k8s.io/v1/namespaces/shop/leases',
  nodes: '/api/v1/nodes',
};

for (const [resource, path] of Object.entries(PATHS) as [Resource, string][]) {
  test(`${resource} are read, changed and made in the one namespace`, async (context) => {
    const api = await ApiServer.start(context, json(200, OBJECT));
    const client = clientOf(api);
    await client.get(resource, 'one');
    await client.patch(resource, 'one', {});
    await client.create(resource, { metadata: { name: 'one' } });
    assert.deepEqual(api.asked.map((asked) => `${asked.method} ${asked.path}`), [`GET ${path}/one`, `PATCH ${path}/one`, `POST ${path}`]);
  });
}

test('times stay text on the way there and back, because the library\'s classes would make them dates', async (context) => {
  const renewTime = '2024-05-01T10:00:00.123456Z';
  const lease = { metadata: { name: 'agent', creationTimestamp: '2024-05-01T09:00:00Z' }, spec: { renewTime, newer: 'field' } };
  const api = await ApiServer.start(context, json(200, lease));
  const client = clientOf(api);
  assert.deepEqual(await client.patch('leases', 'agent', { spec: { renewTime } }), lease);
  await client.create('events', { metadata: { generateName: 'orders-' }, firstTimestamp: renewTime });
  assert.deepEqual(api.asked.map((asked) => asked.body.includes(renewTime)), [true, true]);
});

test('a renewed token is taken up within a minute, because the old one ends', async (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: 0 });
  const root = mkdtempSync(join(tmpdir(), 'account-'));
  context.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, ACCOUNT), { recursive: true });
  const write = (name: string, content: string) => writeFileSync(join(root, ACCOUNT, name), content);
  write('token', 'first');
  write('ca.crt', '');
  const api = await ApiServer.start(context, json(200, OBJECT));
  const config = new KubeConfig();
  config.loadFromCluster(root);
  config.clusters = [{ ...config.clusters[0]!, server: api.url, skipTLSVerify: true }];
  const client = clientOf(api, {}, config);
  await client.get('pods', 'orders-1-0');
  write('token', 'second');
  context.mock.timers.tick(61_000);
  await client.get('pods', 'orders-1-0');
  assert.deepEqual(api.asked.map((asked) => asked.headers.authorization), ['Bearer first', 'Bearer second']);
});
