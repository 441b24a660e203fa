/**
 * Faults of whole nodes and of the API server. They need a hand on the machines, so they exist only for the testbed
 * beside this project; anywhere else every one of them says why it cannot be had.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Skip } from './suite';

const run = promisify(execFile);
const HOME = process.env.TESTBED_HOME ?? '/var/tmp/testbed';
const SCRIPT = process.env.E2E_TESTBED ?? resolve(__dirname, '../../../../shared/testbed/testbed');

/** Several runs may share a testbed, and a node that one of them takes away is missed by all: one at a time. */
const LOCK = process.env.E2E_FAULT_LOCK ?? join(tmpdir(), 'testbed-faults.lock');

export type NodeAction = 'kill' | 'start' | 'freeze' | 'thaw' | 'cut' | 'heal';

/** Of a Pod. */
export interface Place {
  readonly node: string;
  readonly ip: string;
}

/** What ends each fault. */
const UNDO: Readonly<Record<string, string>> = { kill: 'start', freeze: 'thaw', cut: 'heal' };

/** A volume of the bucket's own, as large as what it holds, hides the bucket; what arrived there is kept at the end. */
const FULL = `mkdir "$0.small"; mount -t tmpfs -o size=$(( $(du -sm "$0" | cut -f 1) + 8 ))m full "$0.small"
cp -a "$0/." "$0.small"; dd if=/dev/zero of="$0.small/.ballast" bs=64k 2> /dev/null || true; mount --bind "$0.small" "$0"`;
const ROOM = 'umount "$0"; rm "$0.small/.ballast"; cp -a "$0.small/." "$0"; umount "$0.small"; rmdir "$0.small"';

const BUCKET_FAULTS = {
  emptied: { broken: 'mv "$0" "$0.kept"; mkdir "$0"', mended: 'rm -rf "$0"; mv "$0.kept" "$0"' },
  gone: { broken: 'mv "$0" "$0.kept"', mended: 'rm -rf "$0"; mv "$0.kept" "$0"' },
  full: { broken: FULL, mended: ROOM },
} as const;

export class NodeFaults {
  private readonly broken = new Map<string, readonly string[]>();

  private constructor(private readonly script: string | undefined, readonly whyNot: string) {}

  /** `server` is the API server in use: faults must never hit another cluster than the one under test. */
  static async detect(server: string): Promise<NodeFaults> {
    if (!existsSync(SCRIPT)) return new NodeFaults(undefined, 'no testbed beside this project: node faults are not possible here');
    const { stdout } = await run('grep', ['-o', 'https://[^"]*', `${HOME}/kubeconfig`]).catch(() => ({ stdout: '' }));
    if (stdout.trim().split('\n')[0] !== server) return new NodeFaults(undefined, 'KUBECONFIG is not that of the testbed');
    return new NodeFaults(SCRIPT, '');
  }

  get available(): boolean {
    return this.script !== undefined;
  }

  /** Nobody else who uses this lock breaks nodes meanwhile. The faults must be healed when `work` ends. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    if (!this.script) throw new Skip(this.whyNot);
    const holder = spawn('flock', [LOCK, 'sh', '-c', 'echo held; cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await new Promise<void>((held, fail) => {
        holder.stdout.once('data', () => held());
        holder.once('error', fail);
        holder.once('exit', () => fail(new Error(`flock ${LOCK} ended`)));
      });
      return await work();
    } finally {
      holder.stdin.end();
    }
  }

  async node(action: NodeAction, node: string): Promise<void> {
    const number = /(\d+)$/.exec(node)?.[1];
    if (!number) throw new Skip(`node ${node} is not one of the testbed's`);
    await this.change(['node', action, number]);
  }

  /** What one Pod asks another on that port does not arrive; all else does. Gives what ends that. */
  async unanswered(from: Place, to: Place, port: number): Promise<() => Promise<void>> {
    const inNode = (...command: string[]) => this.testbed('node', 'shell', /(\d+)$/.exec(from.node)![1]!, 'nft', ...command);
    await inNode('add', 'table', 'inet', 'e2e');
    await inNode('add', 'chain', 'inet', 'e2e', 'way', '{ type filter hook forward priority -10; }');
    await inNode('add', 'rule', 'inet', 'e2e', 'way', 'ip', 'saddr', from.ip, 'ip', 'daddr', to.ip, 'tcp', 'dport', String(port), 'drop');
    return () => inNode('delete', 'table', 'inet', 'e2e');
  }

  async api(action: 'freeze' | 'thaw'): Promise<void> {
    await this.change(['api', action]);
  }

  /** The object storage is off the network for everybody, or back. */
  async storage(action: 'cut' | 'heal'): Promise<void> {
    await this.change(['s3', action]);
  }

  /** The testbed's object storage runs, and has this bucket. Gives the PEM of the authority behind its certificate. */
  async bucket(name: string): Promise<string> {
    if (!this.isRunning('s3')) await this.testbed('s3', 'start');
    await this.testbed('s3', 'bucket', name);
    return readFileSync(join(HOME, 'pki', 'ca.crt'), 'utf8');
  }

  /** Behind everybody's back: the bucket is emptied, is gone, or its volume has no room. Gives what ends that. */
  async behindTheBack(bucket: string, what: 'emptied' | 'gone' | 'full'): Promise<() => Promise<void>> {
    if (!this.script) throw new Skip(this.whyNot);
    const folder = join(HOME, 's3', 'data', bucket);
    const { broken, mended } = BUCKET_FAULTS[what];
    await this.inStorage(broken, folder);
    return () => this.inStorage(mended, folder);
  }

  /** Where the object storage sees its files. `$0` is the bucket. */
  private async inStorage(script: string, folder: string): Promise<void> {
    const pid = readFileSync(join(HOME, 'run', 's3.pid'), 'utf8').trim();
    await run('nsenter', ['--target', pid, '--mount', 'sh', '-ec', script, folder]);
  }

  /** Whatever is broken now, such as when a person stops the suite in the middle of a fault. */
  async heal(): Promise<void> {
    for (const [what = '', action = '', ...rest] of [...this.broken.values()]) await this.change([what, UNDO[action]!, ...rest]);
  }

  private async change(command: readonly string[]): Promise<void> {
    const [what, action = '', number = ''] = command;
    const place = `${what} ${number} ${UNDO[action] ?? action}`;
    // Noted first: a fault that fails half way has to be healed as well.
    if (UNDO[action]) this.broken.set(place, command);
    await this.testbed(...command);
    if (!UNDO[action]) this.broken.delete(place);
  }

  async loadImage(archive: string): Promise<void> {
    await this.testbed('load', archive);
  }

  /** The API server's audit log as far as it names this namespace, in JSON lines. */
  async auditOf(namespace: string): Promise<string> {
    if (!this.script) throw new Skip(this.whyNot);
    const folder = join(HOME, 'log');
    const files = readdirSync(folder).filter((name) => name.startsWith('audit')).sort().map((name) => join(folder, name));
    const { stdout } = await run('grep', ['--no-filename', '--fixed-strings', namespace, ...files], { maxBuffer: 1_000_000_000 })
      .catch((problem: { code?: unknown }) => { if (problem.code === 1) return { stdout: '' }; throw problem; });
    return stdout;
  }

  private isRunning(daemon: string): boolean {
    const file = join(HOME, 'run', `${daemon}.pid`);
    return existsSync(file) && existsSync(`/proc/${readFileSync(file, 'utf8').trim()}`);
  }

  private async testbed(...args: string[]): Promise<void> {
    if (!this.script) throw new Skip(this.whyNot);
    await run(this.script, args, { maxBuffer: 64_000_000 });
  }
}
