import { merged, timelinesOf, twoPrimaries, type ServerSeen } from '../e2e/kit/primaries';

function seen(server: string, timeline: number, firstEnd: number, lastStart: number): ServerSeen {
  return { server, timeline, count: 10, firstEnd, lastStart };
}

describe('two primaries at one time', () => {
  it('are not proved by a change of the primary, because the older one took its last row before', () => {
    expect(twoPrimaries([seen('a', 1, 0, 10), seen('b', 2, 12, 20)])).toEqual([]);
  });

  it('are proved by a row that the older one took after the newer one had acknowledged', () => {
    expect(twoPrimaries([seen('b', 2, 12, 20), seen('a', 1, 0, 12.5)])).toEqual([
      'a (timeline 1) took a row 0.500 s after b (timeline 2) had acknowledged one',
    ]);
  });

  it('are proved by one timeline on two members, because a promotion always makes a new one', () => {
    expect(twoPrimaries([seen('a', 3, 0, 1), seen('b', 3, 5, 6)])).toEqual(['a and b both acknowledged on timeline 3']);
  });

  it('are not proved by a row that was sent before and acknowledged late, because its place may be on both', () => {
    expect(twoPrimaries([seen('a', 1, 0, 11.9), seen('b', 2, 12, 20)])).toEqual([]);
  });

  it('are found across clients, of which each saw only one of the members', () => {
    const clients = [seen('a', 1, 0, 3), seen('a', 1, 1, 13), seen('b', 2, 15, 20), seen('b', 2, 12, 14)];
    expect(merged(clients)).toEqual([{ ...seen('a', 1, 0, 13), count: 20 }, { ...seen('b', 2, 12, 20), count: 20 }]);
    expect(twoPrimaries(clients)).toHaveLength(1);
  });

  it('are not seen in a member that comes back as primary on a later timeline', () => {
    const there = [seen('a', 1, 0, 5), seen('b', 2, 6, 10), seen('a', 3, 11, 20)];
    expect(twoPrimaries(there)).toEqual([]);
    expect(timelinesOf(there)).toEqual([1, 2, 3]);
  });
});
