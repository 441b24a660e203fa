import { runRules } from '../../../src/rules/run';

const TEXT = { code: 'EV1000', title: 'T', cause: 'C', consequence: 'it would break', fix: 'mend it' };

describe('runRules', () => {
  it('says what the rule says where the place knows no better', () => {
    const rule = { ...TEXT, check: () => [{ path: ['a'], problem: 'bad' }, { path: ['b'], problem: 'worse', consequence: 'boom', fix: 'stop' }] };
    expect(runRules([rule], undefined)).toEqual([
      { code: 'EV1000', path: ['a'], problem: 'bad', consequence: 'it would break', fix: 'mend it' },
      { code: 'EV1000', path: ['b'], problem: 'worse', consequence: 'boom', fix: 'stop' },
    ]);
  });

  it('goes on after a rule that throws, and calls it our fault, because the others still have something to say', () => {
    const broken = { ...TEXT, check: () => { throw new Error('oops'); } };
    const good = { ...TEXT, code: 'EV1111', check: () => [{ path: [], problem: 'bad' }] };
    expect(runRules([broken, good], undefined).map(({ code, problem }) => `${code} ${problem}`)).toEqual([
      'EV1999 the check EV1000 failed: oops', 'EV1111 bad',
    ]);
  });
});
