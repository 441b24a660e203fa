import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { KubeSnapshots } from '../../src/adapters/kube-snapshots.js';
import { explainSnapshot } from '../../src/decide/snapshot-failure.js';
import type { KubeError } from '../../src/ports/kube.js';
import { ApiServer, clientOf, json, type Answer } from '../support/api-server.js';

const PATH = '/apis/snapshot.storage.k8s.io/v1/namespaces/shop/volumesnapshots';

async function snapshots(context: TestContext, answer: Answer) {
  const api = await ApiServer.start(context, answer);
  return { api, client: new KubeSnapshots(clientOf(api), api.url, 'shop') };
}

test('snapshots are found by their labels, because their names have the time in them', async (context) => {
  const { api, client } = await snapshots(context, json(200, { items: [{ metadata: { name: 's1' } }] }));
  assert.deepEqual((await client.list('a=b,c=d')).map(({ metadata }) => metadata.name), ['s1']);
  assert.deepEqual([api.asked[0]!.path, api.asked[0]!.query.labelSelector], [PATH, 'a=b,c=d']);
});

test('the words on a snapshot are a merge patch, so that nothing else of it changes', async (context) => {
  const { api, client } = await snapshots(context, json(200, {}));
  await client.patch('s1', { metadata: { annotations: { a: 'b' } } });
  const [asked] = api.asked;
  assert.deepEqual([asked!.method, asked!.path, asked!.headers['content-type']], ['PATCH', `${PATH}/s1`, 'application/merge-patch+json']);
});

test('a snapshot is deleted with its uid, because a successor of its name may count', async (context) => {
  const { api, client } = await snapshots(context, json(200, {}));
  await client.delete('s1', 'u1');
  const [asked] = api.asked;
  assert.deepEqual([asked!.method, asked!.path], ['DELETE', `${PATH}/s1`]);
  assert.deepEqual((JSON.parse(asked!.body) as { preconditions: object }).preconditions, { uid: 'u1' });
});

test('a Kubernetes cluster that does not know the kind answers so that it can be said', async (context) => {
  const { client } = await snapshots(context, (_, response) => response.writeHead(404).end('404 page not found\n'));
  const problem = await client.list('a=b').catch((reason: unknown) => reason as KubeError);
  assert.equal(explainSnapshot((problem as KubeError).message).kind, 'no-snapshot-api');
});
