import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test, type TestContext } from 'node:test';
import { KubeExec } from '../../src/adapters/kube-exec.js';
import type { KubeError } from '../../src/ports/kube.js';
import { ExecServer, type Command } from '../support/exec-server.js';

const CALL = { pod: 'orders-1-0', container: 'postgres', command: ['pgbackrest', '--type=full', 'backup'] };
const failedWith = (code: number) => ({ status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: String(code) }] } });

interface Running {
  readonly limitMs?: number;
  readonly pingMs?: number;
  readonly answersPings?: boolean;
  readonly signal?: AbortSignal;
}

async function exec(context: TestContext, command: (command: Command) => void, running: Running = {}) {
  const { limitMs = 5000, pingMs, answersPings, signal } = running;
  const server = await ExecServer.start(context, command, answersPings);
  const lines: string[] = [];
  const end = await new KubeExec(server.config, 'shop', pingMs).run(CALL, {
    line: (text, stream) => lines.push(`${stream} ${text}`), limitMs, ...(signal ? { signal } : {}),
  });
  return { end, lines };
}

test('a command runs in the container, word by word, and its lines come from both streams', async (context) => {
  const { end, lines } = await exec(context, (command) => {
    assert.equal(command.path, '/api/v1/namespaces/shop/pods/orders-1-0/exec');
    assert.deepEqual(command.query.getAll('command'), CALL.command);
    assert.equal(command.query.get('container'), 'postgres');
    command.print('out', 'one\ntw');
    command.print('err', 'trouble\n');
    command.print('out', 'o\nthree');
    command.end({ status: 'Success' });
  });
  assert.deepEqual(end, { exitCode: 0 });
  assert.deepEqual(lines, ['out one', 'err trouble', 'out two', 'out three']);
});

test('a letter that is cut in two by the network stays one letter', async (context) => {
  const { lines } = await exec(context, (command) => {
    const bytes = Buffer.from('größe\n');
    command.print('out', bytes.subarray(0, 3));
    command.print('out', bytes.subarray(3));
    command.end({ status: 'Success' });
  });
  assert.deepEqual(lines, ['out größe']);
});

test('the exit code is the command\'s own, because it says why pgBackRest failed', async (context) => {
  const { end } = await exec(context, (command) => command.end(failedWith(49)));
  assert.deepEqual(end, { exitCode: 49 });
});

test('an end without an exit code is no success', async (context) => {
  const { end } = await exec(context, (command) => command.end({ status: 'Failure', message: 'container not found ("postgres")' }));
  assert.deepEqual(end, { exitCode: undefined, why: 'container not found ("postgres")' });
});

test('a connection that breaks leaves the end unknown, because the command goes on', async (context) => {
  const { end, lines } = await exec(context, (command) => {
    command.print('out', 'begun\n');
    setTimeout(() => command.cut(), 20);
  });
  assert.equal(end.exitCode, undefined);
  assert.match(end.exitCode === undefined ? end.why : '', /closed/);
  assert.deepEqual(lines, ['out begun']);
});

test('a connection on which nobody answers is given up, because a lost network says nothing', async (context) => {
  const { end } = await exec(context, () => undefined, { pingMs: 20, answersPings: false });
  assert.match(end.exitCode === undefined ? end.why : '', /nothing was heard/);
});

test('a command that is silent for long is left alone while its connection lives', async (context) => {
  const { end } = await exec(context, (command) => void setTimeout(() => command.end({ status: 'Success' }), 300), { pingMs: 30 });
  assert.deepEqual(end, { exitCode: 0 });
});

test('a command that takes longer than it may is given up', async (context) => {
  const { end } = await exec(context, () => undefined, { limitMs: 30 });
  assert.equal(end.exitCode, undefined);
});

test('whoever is asked to stop does not wait for the command', async (context) => {
  const stop = new AbortController();
  const { end } = await exec(context, () => stop.abort(), { signal: stop.signal });
  assert.match(end.exitCode === undefined ? end.why : '', /asked to stop/);
});

test('a refused command names verb, resource and Pod, because a Role is mended with them', async (context) => {
  const server = await ExecServer.start(context, undefined);
  const running = new KubeExec(server.config, 'shop').run(CALL, { line: () => undefined, limitMs: 1000 });
  await assert.rejects(running, (problem: KubeError) => {
    assert.equal(problem.forbidden, true);
    assert.match(problem.message, /^create pods\/exec orders-1-0: 403/);
    return true;
  });
});
