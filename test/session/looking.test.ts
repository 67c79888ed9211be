// Looking takes a share of the time; steps at which nothing happens are done without looking at the clock.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bursts, quietSteps } from '../../src/session/bursts';
import { Looking } from '../../src/session/looking';

describe('looking', () => {
  it.each([0.1, 1, 20, 300])('takes a twentieth of what the rest takes, whatever a look takes: %d ms', (look) => {
    let time = 0;
    let looked = 0;
    const looking = new Looking(() => time);
    while (time < 100_000) {
      if (looking.affordable) {
        time += look;
        looked += look;
        looking.pay(look);
      } else time += 0.05;
    }
    // What was saved up before comes on top of it, and the last look may.
    expect(looked / (time - looked)).toBeGreaterThan(0.047);
    expect((looked - 100 - look) / (time - looked)).toBeLessThan(0.0505);
  });

  it('is not put off by what it does not take, and saves up for a moment only', () => {
    let time = 0;
    const looking = new Looking(() => time);
    looking.pay(-1e6);
    time = 1e6;
    expect(looking.affordable).toBe(true);
    looking.pay(150);
    expect(looking.affordable).toBe(false);
    time += 1000;
    expect(looking.affordable).toBe(false);
    time += 100;
    expect(looking.affordable).toBe(true);
  });
});

describe('bursts', () => {
  it('end ahead of every step at which something happens', () => {
    const period = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(Infinity));
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 1, max: 100 }), fc.array(period), (step, ahead, periods) => {
        const target = step + ahead;
        const happens = (at: number): boolean => at === target || periods.some((each) => at % each === 0);
        let quiet = 0;
        while (!happens(step + quiet + 1)) quiet++;
        expect(quietSteps(step, target, periods)).toBe(quiet);
      }),
    );
  });

  it.each([0.001, 0.05, 3])('take a fraction of a millisecond, or are of one step: %d ms each', (each) => {
    let time = 0;
    let steps = 0;
    const bursts = new Bursts(() => time);
    const step = (): number => ((time += each), ++steps, 1);
    for (let i = 0; i < 20; i++) bursts.run(10_000, step);
    const [from, before] = [time, steps];
    expect(bursts.run(10_000, step)).toBe(true);
    expect(time - from).toBeLessThanOrEqual(Math.max(0.4, each + 1e-9));
    expect(steps - before).toBeGreaterThanOrEqual(Math.min(100, Math.max(1, Math.floor(0.1 / each))));
    expect(bursts.usual).toBeCloseTo(each);
  });

  it('do no more than they may, and stop where a step says so', () => {
    const bursts = new Bursts(() => 0);
    let steps = 0;
    for (let i = 0; i < 20; i++) bursts.run(3, () => (steps++, 1));
    expect(steps).toBe(1 + 2 + 18 * 3);
    expect(bursts.run(3, () => (++steps < 58 ? 1 : 0))).toBe(false);
    expect(steps).toBe(58);
  });
});
