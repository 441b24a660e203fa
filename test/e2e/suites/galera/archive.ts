/** The archive of a MariaDB cluster under test, as its own members see it. */
import type { ClusterApi } from '../../kit/cluster-api';
import { waitFor } from '../../kit/wait';

const CONTAINER = 'mariadb';
const SQL = ['mariadb', '--no-defaults', '-S', '/run/mysqld/mysqld.sock', '-umysql', '-N', '-B'];
const PATIENCE_S = 600;

export class GaleraArchive {
  constructor(private readonly api: ClusterApi, private readonly namespace: string, private readonly name: string) {}

  async backup(label: string): Promise<number> {
    return this.timed(['python3', '/etc/everest/galera_backup.py', 'backup', label]);
  }

  async sql(statement: string, pod = `${this.name}-1-0`): Promise<string> {
    const { ok, stdout, stderr } = await this.api.exec({ namespace: this.namespace, pod, container: CONTAINER }, [...SQL, '-e', statement], PATIENCE_S);
    if (!ok) throw new Error(`${statement.slice(0, 80)}: ${stderr}`);
    return stdout.trim();
  }

  async timed(command: string[]): Promise<number> {
    const started = Date.now();
    await this.run(command);
    return (Date.now() - started) / 1000;
  }

  /** Python in a member, where `archive` is the bucket. */
  async python(script: string): Promise<string> {
    const whole = `import sys; sys.path.insert(0, '/etc/everest'); from galera_archive import open_archive, read_config
config = read_config(); archive = open_archive(config['archive']['repository'], '/tmp'); ${script}`;
    return this.run(['python3', '-c', whole]);
  }

  /** What was written until now can be recovered. */
  async untilArchived(): Promise<void> {
    const written = Math.ceil(Date.now() / 1000);
    await waitFor({ what: 'the binary log to be archived', seconds: PATIENCE_S, everyMs: 2000 }, async () => {
      const told = await this.run(['python3', '/etc/everest/galera_backup.py', 'info']);
      const { replays } = JSON.parse(told) as { replays: Array<{ ends: number; gapAfter?: string }> };
      const last = replays.at(-1);
      if (last?.gapAfter !== undefined) throw new Error(`there is a gap after ${last.gapAfter}`);
      return last && last.ends >= written ? undefined : `until ${last?.ends}, not ${written}`;
    });
  }

  /** In the last member, which takes no writes. */
  private async run(command: string[]): Promise<string> {
    const { ok, stdout, stderr } = await this.api.exec({ namespace: this.namespace, pod: `${this.name}-3-0`, container: CONTAINER }, command, PATIENCE_S);
    if (!ok) throw new Error(`${command.slice(0, 3).join(' ')}: ${stderr.slice(-500)}`);
    return stdout.trim();
  }
}
