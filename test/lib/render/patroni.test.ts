import { parse } from 'yaml';
import { Credentials } from '../../../src';
import { renderMemberDocument, renderPatroni, renderUnpromotable } from '../../../src/render/patroni';
import { resolved } from '../../support/cluster';

function patroni(props = {}) {
  return parse(renderPatroni(resolved(props)), { version: '1.1' });
}

describe('renderPatroni', () => {
  it('keeps Patroni\'s state in ConfigMaps, because Endpoints are deprecated and would be everybody\'s to change', () => {
    expect(patroni().kubernetes).toMatchObject({ use_endpoints: false, scope_label: 'everest.io/cluster', labels: { 'everest.io/component': 'member' } });
  });

  it('gives the leader of a standby cluster another label than a primary, because writes must not reach it', () => {
    const { leader_label_value: leader, standby_leader_label_value: standby } = patroni().kubernetes;
    expect(leader).toBe('primary');
    expect(standby).not.toBe(leader);
  });

  it('has checksums, because silent corruption is found by them only', () => {
    expect(patroni().bootstrap.initdb).toContain('data-checksums');
  });

  it('puts the database below the mount, in a folder for its major version, because the mount holds lost+found and upgrades need two', () => {
    expect(patroni({ version: '14' }).postgresql).toMatchObject({ data_dir: '/pgdata/pg14', bin_dir: '/usr/lib/postgresql/14/bin' });
  });

  it('tells initdb and copies of the data of the volume for the write-ahead log, or members would differ', () => {
    const { bootstrap, postgresql } = patroni({ storage: { size: '1Gi', walSize: '1Gi' } });
    expect(bootstrap.initdb).toContainEqual({ waldir: '/pgwal/pg17' });
    expect(postgresql.basebackup).toContainEqual({ waldir: '/pgwal/pg17' });
    expect(JSON.stringify(patroni())).not.toContain('waldir');
  });

  it('quotes words that YAML 1.1 takes for truth values, because Patroni reads it with such a parser', () => {
    expect(renderPatroni(resolved({ parameters: { synchronous_commit: 'on' } }))).toContain('synchronous_commit: "on"');
  });

  it('holds no password, because it is in Git', () => {
    expect(JSON.stringify(patroni().postgresql.authentication)).not.toContain('password');
  });
});

describe('renderUnpromotable', () => {
  it('keeps failovers and commits away from the member', () => {
    expect(parse(renderUnpromotable())).toEqual({ tags: { nofailover: true, nosync: true } });
  });
});

describe('renderMemberDocument', () => {
  it('tells the script which Secrets to fill, and not to where they exist', () => {
    const document = JSON.parse(renderMemberDocument(resolved()));
    expect(document.owners).toEqual([{
      role: 'app', logins: ['app_a', 'app_b'], secret: 'orders-app', generate: true, connection: { host: 'orders-rw.shop.svc', port: '5432', dbname: 'app' },
    }]);
    expect(JSON.parse(renderMemberDocument(resolved({ credentials: Credentials.existing('vault') }))).credentials).toMatchObject({
      secret: 'vault', generate: false,
    });
  });
});
