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
  everest_member_lag_bytes: { type: 'gauge', help: 'WAL that a standby has not received, as Patroni last told.' },
  everest_member_up: { type: 'gauge', help: '1 when the member is primary or streams.' },
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

  /** A cluster that went takes its series along. */
  forget(cluster: string): void {
    for (const { values } of this.families.values()) {
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
