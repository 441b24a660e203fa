import { EverestError, renderFinding, renderPath, type Finding } from '../../src/errors';

const FINDING: Finding = { code: 'EV1203', path: ['replication', 'standbys'], problem: 'standbys is 3', consequence: 'No commit could finish', fix: 'Use 2' };

describe('renderPath', () => {
  it.each([
    [['spec', 'storage', 0, 'size'], 'spec.storage[0].size'],
    [['labels', 'example.com/team'], 'labels["example.com/team"]'],
    [['parameters', 'a\nb'], 'parameters["a\\nb"]'],
    [[], ''],
  ])('writes %j so that it can be found in the document', (path, text) => {
    expect(renderPath(path)).toBe(text);
  });
});

describe('renderFinding', () => {
  it('says code, place, problem, consequence and fix, because each of them is asked for', () => {
    expect(renderFinding(FINDING, 'prod/orders')).toMatch(
      /^\[EV1203\] prod\/orders: replication\.standbys: standbys is 3\. No commit could finish\. Use 2\. \(\S+rules\.md#ev1203\)$/);
  });

  it('begins with file, line and column where there are any, because editors jump there', () => {
    expect(renderFinding({ ...FINDING, position: 'db.yaml:7:3' }, '')).toMatch(/^\[EV1203\] db\.yaml:7:3: replication/);
  });

  it('shows control characters instead of sending them, because they could rewrite the terminal', () => {
    expect(renderFinding({ ...FINDING, problem: 'it is \u001b[2J\nX' }, '')).toContain('it is \\u001b[2J\\u000aX');
  });
});

describe('EverestError', () => {
  it('carries all findings in its message, because other languages see nothing else of it', () => {
    const error = new EverestError([FINDING, { ...FINDING, code: 'EV1201' }], 'prod/orders');
    expect(error.codes).toEqual(['EV1203', 'EV1201']);
    expect(error.message.split('\n').map((line) => line.slice(0, 8))).toEqual(['[EV1203]', '[EV1201]']);
  });
});
