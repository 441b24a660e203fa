import { contract, memberConfig } from '../../../src/parts/config';
import { resolved } from '../../support/cluster';

const UNPROMOTABLE = { memberGroups: [{ name: 'spot', instances: 1, promotable: false }, { name: 'spare', instances: 1 }] };

describe('config', () => {
  it('has the script, its document and Patroni\'s file', () => {
    expect(Object.keys(memberConfig(resolved()).data as object)).toEqual(['patroni.yml', 'cluster.json', 'member.py', 'kube.py', 'recovery.py', 'snapshot.py', 'pgbackrest.conf', 'pgbackrest.sh']);
  });

  it('has a file for each group that is never promoted, because that is a setting of the member and not of the cluster', () => {
    expect(Object.keys(memberConfig(resolved(UNPROMOTABLE)).data as object).filter((key) => key.startsWith('group-'))).toEqual(['group-spot.yml']);
  });

  it('labels the contract with its version, because readers refuse a version that they do not know', () => {
    expect(contract(resolved(), '{}').metadata.labels['everest.io/contract']).toBe('v1');
  });

  it('names the agent on the contract, because another one in the namespace lacks the rights and would never be Ready', () => {
    const agentOf = (cluster: Parameters<typeof contract>[0]) => contract(cluster, '{}').metadata.labels['everest.io/agent'];
    expect(agentOf({ ...resolved(), agent: 'everest-agent' })).toBe('everest-agent');
    expect(agentOf(resolved())).toBeUndefined();
  });
});
