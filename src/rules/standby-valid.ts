import { DNS_SUBDOMAIN } from './names';
import { peerViolations } from './network-valid';
import { ownSource, sourceViolations } from './recovery-valid';
import type { PostgresRule, PostgresRuleInput, Violation } from './rule';

const PATH = ['standby', 'options'];
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;
const IPV6 = /^[0-9a-fA-F:]+:[0-9a-fA-F:]*$/;
const MOST_PORT = 65_535;

/**
 * Two primaries of one system identifier that write into one archive destroy it, and pgBackRest cannot tell them apart.
 */
function ownPath(input: PostgresRuleInput): Violation[] {
  const from = input.props.standby?.options?.from;
  const source = from && ownSource(input, from);
  return source ? [{
    path: [...PATH, 'from'], problem: `after a promotion the cluster would archive to ${source.url}, which belongs to the cluster that it follows`,
    fix: 'Give backup.storage another prefix or bucket',
  }] : [];
}

function ofSource({ props: { standby } }: PostgresRuleInput): Violation[] {
  const { from, host } = standby!.options!;
  if (from) return sourceViolations([...PATH, 'from'], from);
  return host === undefined ? [{ path: PATH, problem: 'neither from nor host is given, so there is nothing to follow', fix: 'Give from, host, or both' }] : [];
}

function ofHost({ props: { standby } }: PostgresRuleInput): Violation[] {
  const { host, port, network } = standby!.options!;
  const isHost = host === undefined || DNS_SUBDOMAIN.test(host) || IPV4.test(host) || IPV6.test(host);
  const isPort = port === undefined || (Number.isInteger(port) && port > 0 && port <= MOST_PORT);
  return [
    ...(isHost ? [] : [{ path: [...PATH, 'host'], problem: `host is ${JSON.stringify(host)}`, fix: 'Write a host name or an address, without a scheme or a port' }]),
    ...(isPort ? [] : [{ path: [...PATH, 'port'], problem: `port is ${port}`, fix: 'Write a whole number from 1 to 65535' }]),
    ...peerViolations([...PATH, 'network'], network),
  ];
}

function ofMode({ props: { standby, bootstrap } }: PostgresRuleInput): Violation[] {
  return standby!.options && bootstrap ? [{
    path: ['bootstrap'], problem: 'a cluster that follows another one has its first data from there', fix: 'Leave bootstrap out',
  }] : [];
}

export const standbyValid: PostgresRule = {
  code: 'EV1831',
  title: 'A standby cluster that cannot be one',
  cause: 'There is nothing to follow, a name of the source is malformed, bootstrap stands beside it, or the cluster would archive to the repository that it follows.',
  consequence: 'Members would wait for ever, or two primaries would write into one archive and neither could be restored',
  fix: 'Name the storage of the followed cluster as it has it, its primary\'s host, or both, and give this cluster a repository of its own',
  check: (input) => {
    const { standby } = input.props;
    if (!standby) return [];
    const malformed = standby.options ? [...ofSource(input), ...ofHost(input)] : [];
    return malformed.length > 0 ? malformed : [...ofMode(input), ...ownPath(input)];
  },
};
