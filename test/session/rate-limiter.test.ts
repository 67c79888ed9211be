import { describe, expect, it } from 'vitest';
import { RateLimiter } from '../../src/session/rate-limiter';

describe('the measured rate', () => {
  /** The displayed rate, read every 100 ms in a run with this many steps per second. */
  const rates = (perSecond: number, limit: number | null, seconds: number): (number | null)[] => {
    let now = 0;
    const pace = new RateLimiter(() => now);
    pace.setLimit(limit, 0);
    pace.start(0);
    const seen: (number | null)[] = [];
    for (now = 100; now <= seconds * 1000; now += 100) {
      pace.updateMeasuredRate(Math.floor((now * perSecond) / 1000));
      seen.push(pace.stepsPerSecond);
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

  it('falls to 0 when no more steps come', () => {
    expect(rates(0, 1, 3).at(-1)).toBe(0);
  });
});
