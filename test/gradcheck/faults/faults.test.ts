// A sample of what `npm run bench -- faults` plants: every fault is caught, and nearly every one named first.
import { describe, expect, it } from 'vitest';
import { FAULTS, type Outcome, type Plantable, plant } from './plant';

/** Draws of a network until one has a place for the fault. */
const TRIES = 400;

function first(fault: Plantable): Outcome {
  for (let seed = 500_000; seed < 500_000 + TRIES; seed++) {
    const outcome = plant(fault, seed);
    if (outcome) return outcome;
  }
  throw new Error(`no network has a place for "${fault.kind}"`);
}

describe('planted faults', () => {
  const outcomes = FAULTS.map((fault) => ({ ...first(fault), kind: fault.kind }));

  it('are of many kinds', () => {
    expect(FAULTS.length).toBeGreaterThanOrEqual(140);
    expect(new Set(FAULTS.map(({ kind }) => kind)).size).toBe(FAULTS.length);
    expect(new Set(FAULTS.flatMap(({ causes }) => causes)).size).toBeGreaterThanOrEqual(40);
  });

  it('are all caught', () => {
    expect(outcomes.filter(({ caught }) => !caught).map(({ kind }) => kind)).toEqual([]);
  });

  it('are named first in at least nine of ten: layer, tensor and cause', () => {
    const unnamed = outcomes.filter(({ named }) => !named).map(({ kind, report }) => `${kind}: ${report.diagnosis?.sentence}`);
    expect(unnamed.length, unnamed.join('\n')).toBeLessThanOrEqual(outcomes.length / 10);
  });
});
