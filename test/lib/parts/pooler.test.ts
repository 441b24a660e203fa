import { App, Chart } from 'cdk8s';
import { EverestAgent, PoolerTarget, PoolMode, PostgresCluster, type PoolerOptions } from '../../../src';

interface PodTemplate {
  metadata: { labels: Record<string, string> };
  spec: { containers: Array<Record<string, unknown>> };
}

function pooler(options: PoolerOptions = {}, withAgent = true) {
  const chart = new Chart(new App(), 'shop', { namespace: 'shop' });
  const agent = withAgent ? new EverestAgent(chart, 'agent') : undefined;
  const cluster = new PostgresCluster(chart, 'orders', { storage: { size: '10Gi' }, ...(agent ? { agent } : {}) });
  const objects = cluster.addPooler(options).objects.map((object) => object.toJson() as Record<string, any>);
  const of = (kind: string) => objects.find((object) => object.kind === kind)!;
  return { of, template: of('Deployment').spec.template as PodTemplate, ini: of('ConfigMap').data['pgbouncer.ini'] as string };
}

const pausable = (options: PoolerOptions) => pooler(options).template.metadata.labels['everest.io/pausable'];

test('the agent pauses poolers in transaction mode that lead to the primary', () => expect(pausable({})).toBe('true'));

test('no pooler in session mode is paused, since a pause would wait until clients leave', () => {
  expect(pausable({ poolMode: PoolMode.session() })).toBe('false');
});

test('no pooler of the standbys is paused, since a switchover does not stop them', () => {
  expect(pausable({ target: PoolerTarget.replicas() })).toBe('false');
});

test('the agent reaches the console, and only the agent of the cluster does so beside the clients', () => {
  const from = (withAgent: boolean) => JSON.stringify(pooler({}, withAgent).of('NetworkPolicy').spec.ingress);
  expect(from(true)).toContain('everest-agent');
  expect(from(false)).not.toContain('everest-agent');
});

test('the console obeys the agent and not the role that looks up passwords', () => {
  expect(pooler().ini).toMatch(/^admin_users = everest_agent$/m);
});

test('a pause that nobody ends is over after a minute, because the container then starts anew', () => {
  const [container] = pooler().template.spec.containers as [{ livenessProbe: Record<string, any> }];
  const { exec, periodSeconds, failureThreshold } = container.livenessProbe;
  expect(exec.command).toEqual(['perl', '/etc/pgbouncer/pooler.pl', 'alive', '/run/pgbouncer/.s.PGSQL.6432']);
  expect(periodSeconds * failureThreshold).toBe(60);
});

test('a pooler is told to end only when its clients have left, and has time left for its own end', () => {
  const { containers: [container], terminationGracePeriodSeconds: grace } = pooler().template.spec as { containers: [Record<string, any>]; terminationGracePeriodSeconds: number };
  const { command } = container.lifecycle.preStop.exec;
  expect(command.slice(0, 3)).toEqual(['perl', '/etc/pgbouncer/pooler.pl', 'drain']);
  expect(Number(command.at(-1))).toBeLessThan(grace);
});

test('another setting replaces the Pods, since PgBouncer would go on with the old one', () => {
  const version = (options: PoolerOptions) => JSON.stringify(pooler(options).template.metadata);
  expect(version({ poolSize: 5 })).not.toBe(version({ poolSize: 6 }));
});

test('connections to a node that has lost its power are given up after three seconds', () => {
  expect(pooler().ini).toMatch(/^tcp_user_timeout = 3000$/m);
});

test('clients wait longer than any failover or pause lasts', () => {
  expect(pooler().ini).toMatch(/^query_wait_timeout = 60$/m);
});
