import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Checkpoints, intervalFor } from '../../src/session/checkpoints';

const checkpoint = (step: number, numbers: number) => ({ step, tensors: [new Float64Array(numbers)] });

function filled(budget: number, interval: number, steps: number, numbers: number): Checkpoints {
  const checkpoints = new Checkpoints(budget, interval);
  for (let step = 1; step <= steps; step++) if (checkpoints.wants(step)) checkpoints.add(checkpoint(step, numbers));
  return checkpoints;
}

describe('checkpoints', () => {
  it('never hold more than their budget, however long the run', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 3000 }), (budget, interval, steps) => {
        expect(filled(budget, interval, steps, 10).bytes).toBeLessThanOrEqual(budget);
      }),
    );
  });

  it('stay near any step of the run, and nearest of all to its end', () => {
    const checkpoints = filled(8000, 1, 10_000, 10);
    // 50 copies on a grid over 10,000 steps: at most 256 apart.
    for (let step = 256; step <= 10_000; step += 97) {
      expect(step - (checkpoints.nearest(step)?.step ?? 0)).toBeLessThanOrEqual(256);
    }
    expect(checkpoints.nearest(9_990)?.step).toBe(9_990);
  });

  it('are so far apart that a few milliseconds replay, and copying is a small part of the work', () => {
    expect(intervalFor(200, 100)).toBe(16384);
    expect(intervalFor(36e6, 1e3)).toBe(1);
    // A megabyte after every 36 million multiply-adds would be a tenth of the time.
    expect(intervalFor(36e6, 1e6)).toBe(8);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 1e9 }), (work, bytes) => {
        const steps = intervalFor(work, bytes);
        expect(Number.isInteger(Math.log2(steps))).toBe(true);
        expect(bytes / (steps * work)).toBeLessThanOrEqual(1 / 170);
      }),
    );
  });

  it('give the latest copy that is not after the step', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 600 }), (steps, at) => {
        expect(filled(1e9, 1, steps, 1).nearest(at)?.step).toBe(at === 0 ? undefined : Math.min(at, steps));
      }),
    );
  });

  it('forget what no longer holds', () => {
    const checkpoints = filled(1e6, 1, 100, 1);
    checkpoints.truncate(40);
    expect(checkpoints.nearest(100)?.step).toBe(40);
    expect(checkpoints.wants(41)).toBe(true);
  });
});
