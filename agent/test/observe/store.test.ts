import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Store } from '../../src/observe/store.js';
import type { Kube, KubeObject, WatchHandlers } from '../../src/ports/kube.js';

function pod(name: string, cluster: string): KubeObject {
  return { metadata: { name, labels: { 'everest.io/cluster': cluster } } };
}

function watched() {
  let handlers: WatchHandlers | undefined;
  const store = new Store({ resource: 'pods', labelSelector: '' }, () => undefined);
  const kube = { watch: async (_options: unknown, given: WatchHandlers) => { handlers = given; } } as unknown as Kube;
  void store.run(kube, new AbortController().signal);
  const names = (cluster: string) => store.of(cluster).map(({ metadata }) => metadata.name);
  return { store, names, tell: handlers! };
}

test('the objects of one cluster are found without a look at all others, as they come and go', () => {
  const { names, tell } = watched();
  tell.listed([pod('orders-1-0', 'orders'), pod('users-1-0', 'users')]);
  tell.changed(pod('orders-2-0', 'orders'));
  assert.deepEqual(names('orders'), ['orders-1-0', 'orders-2-0']);
  tell.gone(pod('orders-1-0', 'orders'));
  assert.deepEqual(names('orders'), ['orders-2-0']);
  assert.deepEqual(names('none'), []);
});

test('an object whose label changes belongs to its new cluster only', () => {
  const { store, names, tell } = watched();
  tell.listed([pod('orders-1-0', 'orders')]);
  tell.changed(pod('orders-1-0', 'users'));
  assert.deepEqual([names('orders'), names('users'), store.all().length], [[], ['orders-1-0'], 1]);
  // The last event of a deleted object may carry other labels than those it is known by.
  tell.gone(pod('orders-1-0', 'orders'));
  assert.deepEqual([names('users'), store.all()], [[], []]);
});

test('a new list leaves nothing of the old one', () => {
  const { names, tell } = watched();
  tell.listed([pod('orders-1-0', 'orders')]);
  tell.listed([pod('users-1-0', 'users')]);
  assert.deepEqual([names('orders'), names('users')], [[], ['users-1-0']]);
});
