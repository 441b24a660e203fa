import { GALERA_MEMBER_PORT, MYSQL_PORT, PROXY_HEALTH_PORT, PROXY_READ_PORT } from '../contract/ports';
import type { ResolvedGalera } from '../resolve/galera';

/**
 * A member that serves is seen within 0.2 s, one that refuses within 0.4 s; one late answer of a busy member cuts
 * nobody off. galera-member.py counts on these times (FOLLOW_S).
 */
const WRITER_CHECKS = 'inter 300ms fastinter 100ms downinter 200ms fall 2 rise 1';
const READER_CHECKS = 'inter 500ms fastinter 200ms downinter 500ms fall 2 rise 1';

/** A writer that hands over says so for a moment: nobody new comes when the first proxy cuts its sessions. */
const TAKES_NOBODY = 'http-check disable-on-404';

interface Backend {
  readonly name: string;
  readonly port: number;
  readonly check: string;
  readonly timing: string;
  readonly more?: readonly string[];
}

/** Each member is known by the Service of its own name, whose address stays. */
function section(cluster: ResolvedGalera, { name, port, check, timing, more = [] }: Backend): string[] {
  return [
    `listen ${name}`,
    `  bind :::${port} v4v6`,
    // Where two answer for a moment, new connections go to the one that has just begun.
    '  balance leastconn',
    '  option httpchk',
    `  http-check send meth GET uri ${check}`,
    '  http-check expect status 200',
    ...more.map((line) => `  ${line}`),
    `  default-server check port ${GALERA_MEMBER_PORT} ${timing} init-addr libc,none`,
    '  default-server on-marked-down shutdown-sessions observe layer4 error-limit 1 on-error mark-down',
    ...cluster.group.members.map((member) => `  server ${member} ${member}.${cluster.namespace}.svc:${MYSQL_PORT}`),
    '',
  ];
}

/**
 * haproxy.cfg. Which member is the writer is not decided here: each Pod asks the members, and exactly the one that the
 * replicated row names says yes.
 */
export function renderHaproxy(cluster: ResolvedGalera): string {
  return [
    'global',
    `  maxconn ${cluster.proxy.maxConnections}`,
    '  hard-stop-after 30s',
    '  log stdout format raw local0 notice',
    '',
    'defaults',
    '  mode tcp',
    '  log global',
    '  timeout connect 1s',
    '  timeout check 1s',
    // The server ends idle sessions (wait_timeout, 8 hours); a proxy that did so earlier would surprise everybody.
    '  timeout client 8h',
    '  timeout server 8h',
    // A client that finds nobody is told so at once. With retries, sessions were seen to hang for ever when the only
    // server went down in between (HAProxy 3.0.11), and a joiner's port takes connections before anybody answers there.
    '  retries 0',
    '  option clitcpka',
    '  option srvtcpka',
    '',
    ...section(cluster, { name: 'writer', port: MYSQL_PORT, check: '/writer', timing: WRITER_CHECKS, more: [TAKES_NOBODY] }),
    ...section(cluster, { name: 'readers', port: PROXY_READ_PORT, check: '/reader', timing: READER_CHECKS }),
    'frontend health',
    '  mode http',
    '  timeout client 10s',
    `  bind :::${PROXY_HEALTH_PORT} v4v6`,
    '  monitor-uri /healthz',
    '  http-request use-service prometheus-exporter if { path /metrics }',
    '',
  ].join('\n');
}
