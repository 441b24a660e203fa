import { parseUsage } from '../e2e/kit/proc';

const STATUS = 'Name:\tnode\nVmPeak:\t  900000 kB\nVmRSS:\t   88064 kB\n';

describe('what a process has used', () => {
  it('is user and system time, and memory that is resident, not reserved', () => {
    const stat = '1 (node) S 0 1 1 0 -1 4194560 100 0 5 0 150 50 0 0 20 0 11 0 1000 0\n';
    expect(parseUsage(stat + STATUS)).toEqual({ cpuSeconds: 2, mebibytes: 86 });
  });

  it('is read right for a name with blanks and brackets, because the name may be anything', () => {
    const stat = '1 (a (b) c) S 0 1 1 0 -1 4194560 100 0 5 0 150 50 0 0 20 0 11 0 1000 0\n';
    expect(parseUsage(stat + STATUS).cpuSeconds).toBe(2);
  });
});
