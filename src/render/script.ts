import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = new Map<string, string>();

function script(name: string): string {
  const known = read.get(name) ?? readFileSync(join(__dirname, 'scripts', name), 'utf8');
  read.set(name, known);
  return known;
}

/** member.py as it lies beside this file in the package. */
export function renderMemberScript(): string {
  return script('member.py');
}

/** kube.py, which it imports. */
export function renderKubeScript(): string {
  return script('kube.py');
}

/** recovery.py, which imports it. */
export function renderRecoveryScript(): string {
  return script('recovery.py');
}

/** snapshot.py, which imports member.py and is imported by recovery.py. */
export function renderSnapshotScript(): string {
  return script('snapshot.py');
}

/** archive_command and restore_command. */
export function renderArchiveScript(): string {
  return script('pgbackrest.sh');
}

/** What the kubelet runs in poolers: the liveness probe, and the wait before a stop. */
export function renderPoolerScript(): string {
  return script('pooler.pl');
}

function scripts(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, script(name)]));
}

/** Backups of a Galera cluster, the collector of its binary log, and recovery from both. */
export function renderArchiveScripts(): Record<string, string> {
  return scripts(
    'binlog_events.py', 'galera_archive.py', 'galera_backup.py', 'galera_tools.py', 'binlog_collector.py', 'galera_recovery.py',
  );
}

/** Everything that runs a member of a Galera cluster, by file name. */
export function renderGaleraScripts(): Record<string, string> {
  return {
    ...scripts(
      'galera-member.py', 'galera_http.py', 'galera_passwords.py', 'galera_replacement.py', 'galera_rules.py',
      'galera_server.py', 'galera_sql.py', 'galera_users.py', 'galera_volume.py', 'kube.py', 'galera-run.sh',
    ),
    ...renderArchiveScripts(),
  };
}

/** Restores a PostgreSQL cluster and looks at it. */
export function renderPostgresDrillScripts(): Record<string, string> {
  return scripts('drill.py', 'drill_tools.py');
}

/** The same for MariaDB; the archive's scripts lie beside them. */
export function renderGaleraDrillScripts(): Record<string, string> {
  return scripts('galera_drill.py', 'drill_tools.py');
}
