/**
 * Faults of whole nodes and of the API server. They need a hand on the machines, so they exist only for the testbed
 * beside this project; anywhere else every one of them says why it cannot be had.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { Skip } from './suite';

const run = promisify(execFile);
const SCRIPT = process.env.E2E_TESTBED ?? resolve(__dirname, '../../../../shared/testbed/testbed');

export type NodeAction = 'kill' | 'start' | 'freeze' | 'thaw' | 'cut' | 'heal';

export class NodeFaults {
  private constructor(private readonly script: string | undefined, readonly whyNot: string) {}

  /** `server` is the API server in use: faults must never hit another cluster than the one under test. */
  static async detect(server: string): Promise<NodeFaults> {
    if (!existsSync(SCRIPT)) return new NodeFaults(undefined, 'no testbed beside this project: node faults are not possible here');
    const home = process.env.TESTBED_HOME ?? '/var/tmp/testbed';
    const { stdout } = await run('grep', ['-o', 'https://[^"]*', `${home}/kubeconfig`]).catch(() => ({ stdout: '' }));
    if (stdout.trim().split('\n')[0] !== server) return new NodeFaults(undefined, 'KUBECONFIG is not that of the testbed');
    return new NodeFaults(SCRIPT, '');
  }

  get available(): boolean {
    return this.script !== undefined;
  }

  async node(action: NodeAction, node: string): Promise<void> {
    const number = /(\d+)$/.exec(node)?.[1];
    if (!number) throw new Skip(`node ${node} is not one of the testbed's`);
    await this.testbed('node', action, number);
  }

  async api(action: 'freeze' | 'thaw'): Promise<void> {
    await this.testbed('api', action);
  }

  async loadImage(archive: string): Promise<void> {
    await this.testbed('load', archive);
  }

  private async testbed(...args: string[]): Promise<void> {
    if (!this.script) throw new Skip(this.whyNot);
    await run(this.script, args, { maxBuffer: 64_000_000 });
  }
}
