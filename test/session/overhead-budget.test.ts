// Observation takes a share of the time; steps without events run without reading the clock.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AdaptiveBatch, stepsUntilEvent } from '../../src/session/adaptive-batch';
import { OverheadBudget } from '../../src/session/overhead-budget';

describe('observation', () => {
  it.each([0.1, 1, 20, 300])('takes a twentieth of the time, however long one takes: %d ms', (look) => {
    let time = 0;
    let looked = 0;
    const looking = new OverheadBudget(() => time);
    while (time < 100_000) {
      if (looking.isAvailable) {
        time += look;
        looked += look;
        looking.spend(look);
      } else time += 0.05;
    }
    // Time that had accumulated comes on top of it, and so does the last observation.
    expect(looked / (time - looked)).toBeGreaterThan(0.047);
    expect((looked - 100 - look) / (time - looked)).toBeLessThan(0.0505);
  });

  it('is not delayed by unused time, which accumulates only for a moment', () => {
    let time = 0;
    const looking = new OverheadBudget(() => time);
    looking.spend(-1e6);
    time = 1e6;
    expect(looking.isAvailable).toBe(true);
    looking.spend(150);
    expect(looking.isAvailable).toBe(false);
    time += 1000;
    expect(looking.isAvailable).toBe(false);
    time += 100;
    expect(looking.isAvailable).toBe(true);
  });
});

describe('bursts', () => {
  it('end before every step with an event', () => {
    const period = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(Infinity));
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 1, max: 100 }), fc.array(period), (step, ahead, periods) => {
        const target = step + ahead;
        const happens = (at: number): boolean => at === target || periods.some((each) => at % each === 0);
        let quiet = 0;
        while (!happens(step + quiet + 1)) quiet++;
        expect(stepsUntilEvent(step, target, periods)).toBe(quiet);
      }),
    );
  });

  it.each([0.001, 0.05, 3])('take a fraction of a millisecond, or are one step: %d ms each', (each) => {
    let time = 0;
    let steps = 0;
    const bursts = new AdaptiveBatch(() => time);
    const step = (): number => ((time += each), ++steps, 1);
    for (let i = 0; i < 20; i++) bursts.run(10_000, step);
    const [from, before] = [time, steps];
    expect(bursts.run(10_000, step)).toBe(true);
    expect(time - from).toBeLessThanOrEqual(Math.max(0.4, each + 1e-9));
    expect(steps - before).toBeGreaterThanOrEqual(Math.min(100, Math.max(1, Math.floor(0.1 / each))));
    expect(bursts.msPerStep).toBeCloseTo(each);
  });

  it('do not exceed their limit, and stop on request', () => {
    const bursts = new AdaptiveBatch(() => 0);
    let steps = 0;
    for (let i = 0; i < 20; i++) bursts.run(3, () => (steps++, 1));
    expect(steps).toBe(1 + 2 + 18 * 3);
    expect(bursts.run(3, () => (++steps < 58 ? 1 : 0))).toBe(false);
    expect(steps).toBe(58);
  });
});
