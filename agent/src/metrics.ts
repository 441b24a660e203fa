/** Counters and gauges in Prometheus' text form. */
type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly values: Map<string, number>;
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([key, value]) => `${key}="${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

const FAMILIES: Record<string, { type: Family['type']; help: string }> = {
  everest_agent_decisions_total: { type: 'counter', help: 'Rules that fired, by rule.' },
  everest_agent_actions_total: { type: 'counter', help: 'Actions, by kind and whether they were done.' },
  everest_agent_api_requests_total: { type: 'counter', help: 'Requests to the Kubernetes API.' },
  everest_agent_leader: { type: 'gauge', help: '1 on the replica that does planned work.' },
  everest_cluster_healthy: { type: 'gauge', help: '1 when the cluster is healthy.' },
  everest_cluster_highly_available: { type: 'gauge', help: '1 when a member can be lost without loss of data or of service.' },
  everest_archive_clock_offset_seconds: { type: 'gauge', help: 'How far the primary\'s clock is ahead of the agent\'s; 0 within five seconds, absent while that is unknown.' },
  everest_archive_lost: { type: 'gauge', help: '1 from the loss of all that was in a repository until there is a good full backup in it.' },
  everest_archive_working: { type: 'gauge', help: '1 while WAL reaches the archive, 0 while it does not; absent while that is unknown.' },
  everest_archive_last_timestamp_seconds: { type: 'gauge', help: 'When the last WAL file was archived.' },
  everest_archive_waiting_bytes: { type: 'gauge', help: 'WAL that waits for the archive.' },
  everest_archive_waiting_files: { type: 'gauge', help: 'WAL files that wait for the archive.' },
  everest_archive_writes_stopped: { type: 'gauge', help: '1 while the primary takes no writes, so that the log that waits does not fill its volume.' },
  everest_archive_volume_full_timestamp_seconds: { type: 'gauge', help: 'When the volume is full if WAL goes on waiting at the rate of the last minutes; absent without a forecast.' },
  everest_backup_last_timestamp_seconds: { type: 'gauge', help: 'End of the newest good backup, by repository.' },
  everest_backup_last_size_bytes: { type: 'gauge', help: 'Size of the database in the newest good backup, by repository.' },
  everest_backup_last_stored_bytes: { type: 'gauge', help: 'What the newest good backup added to the repository.' },
  everest_backup_done: { type: 'gauge', help: '1 when the last run of a schedule made a good backup.' },
  everest_snapshot_last_timestamp_seconds: { type: 'gauge', help: 'Moment of the newest good snapshot of a volume, by schedule.' },
  everest_recovery_window_start_timestamp_seconds: { type: 'gauge', help: 'Earliest moment that a restore can reach, by repository; absent when there is none.' },
  everest_recovery_window_end_timestamp_seconds: { type: 'gauge', help: 'Latest moment that a restore is known to reach, by repository.' },
  everest_drill_done: { type: 'gauge', help: '1 when the last run of a restore drill was good.' },
  everest_drill_last_timestamp_seconds: { type: 'gauge', help: 'End of the last good run of a restore drill; absent when there is none.' },
  everest_drill_rpo_seconds: { type: 'gauge', help: 'What the last good drill of the newest backup would have lost.' },
  everest_drill_rto_seconds: { type: 'gauge', help: 'How long the last good drill took until its copy was writable.' },
  everest_member_lag_bytes: { type: 'gauge', help: 'WAL that a standby has not received, as Patroni last told.' },
  everest_member_up: { type: 'gauge', help: '1 when the member is primary or streams; in a Galera cluster, when it is synced.' },
};

export class Metrics {
  private readonly families = new Map<string, Family>(
    Object.entries(FAMILIES).map(([name, family]) => [name, { ...family, values: new Map<string, number>() }]),
  );

  add(name: string, labels: Labels = {}, amount = 1): void {
    const { values } = this.family(name);
    const key = labelText(labels);
    values.set(key, (values.get(key) ?? 0) + amount);
  }

  set(name: string, labels: Labels, value: number): void {
    this.family(name).values.set(labelText(labels), value);
  }

  /** A cluster that went takes its series along; with a prefix only those of such names. */
  forget(cluster: string, prefix = ''): void {
    for (const [, { values }] of [...this.families].filter(([name]) => name.startsWith(prefix))) {
      for (const key of [...values.keys()].filter((labels) => labels.includes(`cluster="${cluster}"`))) values.delete(key);
    }
  }

  render(): string {
    const lines = [...this.families].flatMap(([name, { type, help, values }]) => [
      `# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...[...values].map(([labels, value]) => `${name}${labels} ${value}`),
    ]);
    return `${lines.join('\n')}\n`;
  }

  private family(name: string): Family {
    const family = this.families.get(name);
    if (!family) throw new Error(`metric ${name} is not declared`);
    return family;
  }
}
