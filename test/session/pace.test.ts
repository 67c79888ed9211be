import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/session/pace';

describe('the measured speed', () => {
  /** The speed shown, asked for every 100 ms of a run that makes this many steps a second. */
  const rates = (perSecond: number, limit: number | null, seconds: number): (number | null)[] => {
    let now = 0;
    const pace = new Pace(() => now);
    pace.setLimit(limit, 0);
    pace.start(0);
    const seen: (number | null)[] = [];
    for (now = 100; now <= seconds * 1000; now += 100) {
      pace.measure(Math.floor((now * perSecond) / 1000));
      seen.push(pace.rate);
    }
    return seen;
  };

  it('is never 0 between two steps of a slow run', () => {
    const seen = rates(1, 1, 5).filter((rate) => rate !== null);
    expect(seen.length).toBeGreaterThan(10);
    for (const rate of seen) expect(rate).toBeCloseTo(1, 6);
  });

  it('is that of the last window at full speed', () => {
    expect(rates(200, null, 2).at(-1)).toBeCloseTo(200, 6);
  });

  it('falls to 0 where steps no longer come', () => {
    expect(rates(0, 1, 3).at(-1)).toBe(0);
  });
});
