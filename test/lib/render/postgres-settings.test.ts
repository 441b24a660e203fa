import { postgresSettings } from '../../../src/render/postgres-settings';

describe('postgresSettings', () => {
  it('knows type, unit, range and choices, because the rules check by them', () => {
    expect(postgresSettings().get('work_mem')).toMatchObject({ type: 'integer', unit: 'kB', least: 64 });
    expect(postgresSettings().get('wal_level')).toMatchObject({ type: 'enum', values: expect.arrayContaining(['replica', 'logical']) });
  });

  it('finds names without regard to case, as PostgreSQL does', () => {
    expect(postgresSettings().get('datestyle')?.name).toBe('DateStyle');
  });

  it('knows settings that older versions had, because the catalog has older versions', () => {
    expect(postgresSettings().has('vacuum_defer_cleanup_age')).toBe(true);
  });

  it('is complete: PostgreSQL 17 has more than 350', () => {
    expect(postgresSettings().size).toBeGreaterThan(350);
  });
});
