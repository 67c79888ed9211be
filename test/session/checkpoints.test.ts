import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Checkpoints, chooseInterval } from '../../src/session/checkpoints';

const checkpoint = (step: number, numbers: number) => ({ step, tensors: [new Float64Array(numbers)] });

function fillCheckpoints(budget: number, interval: number, steps: number, numbers: number): Checkpoints {
  const checkpoints = new Checkpoints(budget, interval);
  for (let step = 1; step <= steps; step++) if (checkpoints.isDue(step)) checkpoints.add(checkpoint(step, numbers));
  return checkpoints;
}

describe('checkpoints', () => {
  it('never exceed their budget, however long the run', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 5000 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 3000 }),
        (budget, interval, steps) => {
          expect(fillCheckpoints(budget, interval, steps, 10).bytes).toBeLessThanOrEqual(budget);
        },
      ),
    );
  });

  it('are close to any step of the run, and closest near its end', () => {
    const checkpoints = fillCheckpoints(8000, 1, 10_000, 10);
    // 50 checkpoints on a grid over 10,000 steps are at most 256 apart.
    for (let step = 256; step <= 10_000; step += 97) {
      expect(step - (checkpoints.nearest(step)?.step ?? 0)).toBeLessThanOrEqual(256);
    }
    expect(checkpoints.nearest(9_990)?.step).toBe(9_990);
  });

  it('are far enough apart that copying is cheap, and close enough to replay in milliseconds', () => {
    expect(chooseInterval(200, 100)).toBe(16384);
    expect(chooseInterval(36e6, 1e3)).toBe(1);
    // A megabyte after every 36 million multiply-adds would take a tenth of the time.
    expect(chooseInterval(36e6, 1e6)).toBe(8);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 1e9 }), (work, bytes) => {
        const steps = chooseInterval(work, bytes);
        expect(Number.isInteger(Math.log2(steps))).toBe(true);
        expect(bytes / (steps * work)).toBeLessThanOrEqual(1 / 170);
      }),
    );
  });

  it('provide the latest one that is not after the step', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 600 }), (steps, at) => {
        expect(fillCheckpoints(1e9, 1, steps, 1).nearest(at)?.step).toBe(at === 0 ? undefined : Math.min(at, steps));
      }),
    );
  });

  it('are discarded with later steps', () => {
    const checkpoints = fillCheckpoints(1e6, 1, 100, 1);
    checkpoints.truncate(40);
    expect(checkpoints.nearest(100)?.step).toBe(40);
    expect(checkpoints.isDue(41)).toBe(true);
  });

  it('keep that of the very step, in the grid and among the newest', () => {
    const inGrid = fillCheckpoints(1e6, 1, 100, 1);
    inGrid.truncate(20);
    expect(inGrid.nearest(100)?.step).toBe(20);
    // The grid holds every 256th step, and the newest 50 are kept beside it.
    const newest = fillCheckpoints(8000, 1, 10_000, 10);
    newest.truncate(9_990);
    expect(newest.nearest(10_000)?.step).toBe(9_990);
    newest.truncate(9_000);
    expect(newest.nearest(10_000)?.step).toBe(8_960);
  });
});
