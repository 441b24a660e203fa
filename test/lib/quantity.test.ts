import { byteQuantity, GIB, MIB, parsePostgresSize, parseQuantity, postgresSize, readableBytes } from '../../src/quantity';

describe('parseQuantity', () => {
  it.each([
    ['500m', 0.5], ['4', 4], ['16Gi', 16 * GIB], ['1.5G', 1.5e9], ['2e9', 2e9], ['1E', 1e18], ['.5Gi', GIB / 2], ['5.Mi', 5 * MIB], ['+1k', 1000],
  ])('reads %s as Kubernetes does', (text, value) => {
    expect(parseQuantity(text)).toBe(value);
  });

  it.each(['', ' 1Gi', '1 Gi', '1gi', '10GB', '-1', '0', '0Gi', '1e400', 'NaN', '1Gi\n', '0x10', '1,5Gi'])(
    'does not read %j, because Kubernetes would refuse it or it means nothing', (text) => {
      expect(parseQuantity(text)).toBeUndefined();
    });
});

describe('postgresSize', () => {
  it.each([[4 * GIB, '4GB'], [1.5 * GIB, '1536MB'], [512 * MIB, '512MB'], [64 * 1024, '64kB'], [1, '1kB']])(
    'writes %d bytes in the largest unit that is whole, since PostgreSQL takes no fractions everywhere', (bytes, text) => {
      expect(postgresSize(bytes)).toBe(text);
    });
});

describe('parsePostgresSize', () => {
  it.each([['128MB', 128 * MIB], [' 1 GB ', GIB], ['16384', 16384 * 8192], ['1e3', 1000 * 8192], ['+.5GB', GIB / 2], ['64kB', 65536]])(
    'reads %j with 8 kB pages as the unit of a bare number', (text, bytes) => {
      expect(parsePostgresSize(text, 8192)).toBe(bytes);
    });

  it.each(['-1', '1gb', '1Gi', '', 'GB', '1 000'])('does not read %j, because PostgreSQL does not or means something else by it', (text) => {
    expect(parsePostgresSize(text, 8192)).toBeUndefined();
  });
});

describe('byteQuantity', () => {
  it.each([[2 * GIB, '2Gi'], [1280 * MIB, '1280Mi'], [16 * MIB, '16Mi']])(
    'writes %d exactly, because a rounded amount comes back from the API server in another form', (bytes, text) => {
      expect(byteQuantity(bytes)).toBe(text);
      expect(parseQuantity(text)).toBe(bytes);
    });
});

describe('readableBytes', () => {
  it('rounds for people, who need the size and not each byte', () => {
    expect(readableBytes(1.26 * GIB)).toBe('1.3Gi');
    expect(readableBytes(300 * MIB)).toBe('300Mi');
  });
});
