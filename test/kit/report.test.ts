import { lineOf, overGoal } from '../e2e/kit/report';
import { largest, median, sum } from '../e2e/kit/statistics';

const GAP = { what: 'gap', goal: { p50: 1, max: 2 } };

describe('statistics', () => {
  it('gives the middle value, or the mean of the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('says that nothing was measured instead of inventing a figure', () => {
    expect([median([]), largest([]), sum([])]).toEqual([null, null, 0]);
  });
});

describe('a line of the report', () => {
  it('counts rows and errors over all runs', () => {
    const line = lineOf('failover', 'kill', GAP, [{ value: 0.5, acked: 10, errors: 1 }, { value: 1.5, acked: 20, lost: 2 }]);
    expect(line).toMatchObject({ runs: 2, p50: 1, max: 1.5, unit: 's', acked: 30, lost: 2, errors: 1, goal: 1, goalMax: 2 });
  });

  it('takes a goal that depends on what was measured before only when it is asked for', () => {
    expect(lineOf('smoke', 'ready', { what: 'time', goal: () => undefined }, [{ value: 9 }])).toMatchObject({ goal: null, goalMax: null });
  });

  it('tells of median and maximum apart, because one slow run is another matter than a slow product', () => {
    expect(overGoal(lineOf('failover', 'kill', GAP, [{ value: 0.5 }, { value: 0.6 }, { value: 3 }]))).toEqual(['maximum 3 s, goal 2 s']);
    expect(overGoal(lineOf('failover', 'kill', GAP, [{ value: 1.5 }]))).toEqual(['median 1.5 s, goal 1 s']);
  });

  it('is within its goals when nothing was measured, because a skipped event is no failure', () => {
    expect(overGoal(lineOf('failover', 'kill', GAP, []))).toEqual([]);
  });
});
