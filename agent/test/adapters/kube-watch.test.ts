import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import type { KubeLimits } from '../../src/adapters/kube-client.js';
import { ApiServer, clientOf, json, refusal, silence, until, type Answer } from '../support/api-server.js';

const object = (name: string, resourceVersion: string) => ({ metadata: { name, resourceVersion } });
const list = (version: string, ...names: string[]) => json(200, {
  metadata: { resourceVersion: version }, items: names.map((name) => object(name, version)),
});

/** A stream that stays open; the test writes on it. */
function opened(streams: ServerResponse[]): Answer {
  return (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    streams.push(response);
  };
}

interface Watching {
  readonly api: ApiServer;
  readonly streams: ServerResponse[];
  /** `listed a,b`, `changed a`, `gone a`, `trouble …`, `well`, in order. */
  readonly told: string[];
  /** Versions from which the watches went on. */
  readonly from: () => string[];
  readonly lists: () => number;
  readonly say: (type: string, name: string, version: string) => void;
  readonly stop: () => Promise<void>;
}

interface Answers {
  readonly list?: (round: number) => Answer;
  readonly watch?: (round: number, stream: Answer) => Answer;
}

async function watching(
  context: TestContext, answers: Answers = {}, limits: Partial<KubeLimits> = {},
): Promise<Watching> {
  const streams: ServerResponse[] = [];
  const rounds = { list: 0, watch: 0 };
  const api = await ApiServer.start(context, (asked, response) => {
    const isWatch = asked.query.watch === 'true';
    const round = isWatch ? (rounds.watch += 1) : (rounds.list += 1);
    const stream = opened(streams);
    const listed = answers.list?.(round) ?? list(String(round * 10), 'a');
    (isWatch ? answers.watch?.(round, stream) ?? stream : listed)(asked, response);
  });
  const told: string[] = [];
  const stopping = new AbortController();
  const running = clientOf(api, limits).watch({ resource: 'pods', labelSelector: 'app=db' }, {
    listed: (objects) => told.push(`listed ${objects.map((one) => one.metadata.name).join()}`),
    changed: (one) => told.push(`changed ${one.metadata.name}`),
    gone: (one) => told.push(`gone ${one.metadata.name}`),
    trouble: (problem) => told.push(problem ? `trouble ${problem.message}` : 'well'),
  }, stopping.signal);
  const stop = async () => {
    stopping.abort();
    await running;
  };
  context.after(stop);
  return {
    api, streams, told, stop,
    from: () => api.asked.filter((asked) => asked.query.watch).map((asked) => asked.query.resourceVersion!),
    lists: () => rounds.list,
    say: (type, name, version) => streams.at(-1)!.write(`${JSON.stringify({ type, object: object(name, version) })}\n`),
  };
}

const streaming = (watch: Watching, count = 1) => until(`${count} streams are open`, () => watch.streams.length === count);

test('lists once and goes on from there, so that nothing in between is missed', async (context) => {
  const watch = await watching(context);
  await streaming(watch);
  watch.say('ADDED', 'b', '11');
  watch.say('MODIFIED', 'b', '12');
  watch.say('DELETED', 'a', '13');
  await until('all is told', () => watch.told.includes('gone a'));
  assert.deepEqual(watch.told, ['listed a', 'well', 'well', 'changed b', 'changed b', 'gone a']);
  assert.deepEqual(watch.from(), ['10']);
  assert.deepEqual(watch.api.asked.map((asked) => asked.query.labelSelector), ['app=db', 'app=db']);
});

test('an event that comes in pieces is told once and whole', async (context) => {
  const watch = await watching(context);
  await streaming(watch);
  const text = `${JSON.stringify({ type: 'ADDED', object: object('b', '11') })}\n`;
  watch.streams[0]!.write(text.slice(0, 20));
  await until('the first piece has been sent', () => watch.streams[0]!.writableLength === 0);
  watch.streams[0]!.write(text.slice(20));
  await until('it is told', () => watch.told.includes('changed b'));
  assert.equal(watch.told.filter((one) => one === 'changed b').length, 1);
});

test('a stream that breaks is trouble until the next one stands, and goes on from the last event', async (context) => {
  const watch = await watching(context);
  await streaming(watch);
  watch.say('MODIFIED', 'a', '17');
  await until('it is told', () => watch.told.includes('changed a'));
  watch.api.cut();
  await streaming(watch, 2);
  await until('all is well', () => watch.told.at(-1) === 'well');
  assert.equal(watch.told.filter((one) => one.startsWith('trouble')).length, 1);
  assert.deepEqual(watch.from(), ['10', '17']);
  assert.equal(watch.lists(), 1);
});

test('a stream that the server ends in good order is no trouble', async (context) => {
  const watch = await watching(context);
  await streaming(watch);
  watch.streams[0]!.end();
  await streaming(watch, 2);
  assert.equal(watch.told.some((one) => one.startsWith('trouble')), false);
  assert.equal(watch.lists(), 1);
});

test('a bookmark moves the version on and is told to nobody', async (context) => {
  const watch = await watching(context);
  await streaming(watch);
  watch.say('BOOKMARK', '', '40');
  await until('it has been sent', () => watch.streams[0]!.writableLength === 0);
  watch.streams[0]!.end();
  await streaming(watch, 2);
  assert.deepEqual(watch.from(), ['10', '40']);
  assert.deepEqual(watch.told.filter((one) => one.startsWith('changed')), []);
});

test('lists anew after 410 on a stream, because events are lost', async (context) => {
  const watch = await watching(context);
  await streaming(watch);
  watch.streams[0]!.write(`${JSON.stringify({ type: 'ERROR', object: { code: 410, message: 'too old resource version' } })}\n`);
  await streaming(watch, 2);
  assert.equal(watch.lists(), 2);
  assert.deepEqual(watch.from(), ['10', '20']);
  assert.ok(watch.told.includes('trouble watch pods: 410 too old resource version'));
});

for (const status of [410, 403, 504]) {
  test(`lists anew after a watch is refused with ${status}, because its version may never be served again`, async (context) => {
    const watch = await watching(context, { watch: (round, stream) => (round === 1 ? refusal(status, 'no') : stream) });
    await streaming(watch);
    assert.equal(watch.lists(), 2);
    assert.deepEqual(watch.from(), ['10', '20']);
  });
}

for (const status of [429, 500, 503]) {
  test(`does not list anew after ${status}, because a busy server has no need of that as well`, async (context) => {
    const watch = await watching(context, { watch: (round, stream) => (round === 1 ? refusal(status, 'later') : stream) });
    await streaming(watch);
    assert.equal(watch.lists(), 1);
    assert.deepEqual(watch.from(), ['10', '10']);
  });
}

test('a list that is refused is trouble that names the verb, until it is granted', async (context) => {
  const watch = await watching(context, { list: (round) => (round === 1 ? refusal(403, 'forbidden') : list('20', 'a')) });
  await streaming(watch);
  assert.deepEqual(watch.told.slice(0, 3), ['trouble list pods: 403 forbidden', 'listed a', 'well']);
});

test('a stream on which nothing comes is left for a new one, because its other end may be gone', async (context) => {
  const watch = await watching(context, {}, { silenceMs: 50 });
  await streaming(watch, 2);
  assert.ok(watch.told.includes('trouble watch pods: no answer within 50 ms'));
  assert.equal(watch.lists(), 1);
});

test('a watch that is not answered is tried again, because a frozen server may have come back', async (context) => {
  const watch = await watching(context, { watch: (round, stream) => (round === 1 ? silence : stream) }, { callMs: 50 });
  await streaming(watch);
  assert.ok(watch.told.includes('trouble watch pods: no answer within 50 ms'));
});

test('ends with its signal and leaves no stream behind', async (context) => {
  const watch = await watching(context);
  await streaming(watch);
  const closed = new Promise((resolve) => watch.streams[0]!.on('close', resolve));
  await watch.stop();
  await closed;
  assert.equal(watch.told.some((one) => one.startsWith('trouble')), false);
});
