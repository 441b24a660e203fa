import { GIB, MIB } from '../../../src/quantity';
import { memoryNeed, memoryShares, resolveParameters } from '../../../src/resolve/parameters';

const FACTS = { major: 17, memoryBytes: 16 * GIB, cpus: 4, walBytes: 500 * GIB, members: 3 };

describe('resolveParameters', () => {
  it('gives shared_buffers a quarter of the memory, where measurements stop to gain', () => {
    expect(resolveParameters(FACTS).shared_buffers).toBe('4GB');
    expect(resolveParameters({ ...FACTS, memoryBytes: GIB }).shared_buffers).toBe('256MB');
  });

  it('packs pages in the log with zstd where PostgreSQL can: a third less to send, to archive and to keep', () => {
    expect(resolveParameters({ ...FACTS, major: 15 }).wal_compression).toBe('zstd');
    expect(resolveParameters({ ...FACTS, major: 14 }).wal_compression).toBe('on');
    expect(resolveParameters(FACTS, { wal_compression: 'lz4' }).wal_compression).toBe('lz4');
  });

  it('tells the planner of three quarters, since the kernel caches files beside shared_buffers', () => {
    expect(resolveParameters(FACTS).effective_cache_size).toBe('12GB');
  });

  it.each([[512 * MIB, '32'], [GIB, '64'], [4 * GIB, '256'], [64 * GIB, '500']])('allows with %d bytes so many connections as memory bears', (memoryBytes, count) => {
    expect(resolveParameters({ ...FACTS, memoryBytes }).max_connections).toBe(count);
  });

  it('lets a slot hold at most half of the volume, because a lost standby must not fill the disk', () => {
    expect(resolveParameters({ ...FACTS, walBytes: 10 * GIB }).max_slot_wal_keep_size).toBe('5GB');
  });

  it('has a sender and a slot for each member and as many again, because members are rebuilt while others stream', () => {
    expect(resolveParameters({ ...FACTS, members: 9 })).toMatchObject({ max_wal_senders: '18', max_replication_slots: '18' });
    expect(resolveParameters(FACTS)).toMatchObject({ max_wal_senders: '10' });
  });

  it('puts the user\'s own settings first, whatever their spelling, because PostgreSQL does not tell Work_Mem from work_mem', () => {
    const settings = resolveParameters(FACTS, { Work_Mem: '7MB', 'pg_stat_statements.max': '1' });
    expect(settings).toMatchObject({ 'work_mem': '7MB', 'pg_stat_statements.max': '1' });
    expect(Object.keys(settings).filter((name) => name.toLowerCase() === 'work_mem')).toEqual(['work_mem']);
  });

  it('is sorted by name, because Git shows the diff', () => {
    const names = Object.keys(resolveParameters(FACTS, { zero_damaged_pages: 'off', allow_alter_system: 'on' }));
    expect(names).toEqual([...names].sort());
  });
});

describe('memoryShares', () => {
  it('gives sorts what the others leave, because a setting of the user must not break the sum', () => {
    const derived = memoryShares(FACTS);
    const fewer = memoryShares(FACTS, { max_connections: '100' });
    const more = memoryShares(FACTS, { Max_Connections: '1000' });
    expect(fewer.workMemory).toBeGreaterThan(derived.workMemory);
    expect(more.workMemory).toBeLessThan(derived.workMemory);
    for (const shares of [derived, fewer, more]) expect(memoryNeed(shares)).toBeLessThanOrEqual(FACTS.memoryBytes);
  });

  it('counts autovacuum_work_mem before maintenance_work_mem, as PostgreSQL does', () => {
    expect(memoryShares(FACTS, { maintenance_work_mem: '1GB' }).maintenanceMemory).toBe(GIB);
    expect(memoryShares(FACTS, { maintenance_work_mem: '1GB', autovacuum_work_mem: '64MB' }).maintenanceMemory).toBe(64 * MIB);
    expect(memoryShares(FACTS, { maintenance_work_mem: '1GB', autovacuum_work_mem: '-1' }).maintenanceMemory).toBe(GIB);
  });
});
