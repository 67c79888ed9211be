// A sample of the faults of `npm run bench -- faults`: all are caught, and nearly all named first.
import { describe, expect, it } from 'vitest';
import { FAULTS, type Outcome, type AnyFault, injectFault } from './inject';

/** The most random networks to draw before one has a place for the fault. */
const TRIES = 400;

function firstOutcome(fault: AnyFault): Outcome {
  for (let seed = 500_000; seed < 500_000 + TRIES; seed++) {
    const outcome = injectFault(fault, seed);
    if (outcome) return outcome;
  }
  throw new Error(`no network has a place for "${fault.kind}"`);
}

describe('planted faults', () => {
  const outcomes = FAULTS.map((fault) => ({ ...firstOutcome(fault), kind: fault.kind }));

  it('are of many kinds', () => {
    expect(FAULTS.length).toBeGreaterThanOrEqual(140);
    expect(new Set(FAULTS.map(({ kind }) => kind)).size).toBe(FAULTS.length);
    expect(new Set(FAULTS.flatMap(({ causes }) => causes)).size).toBeGreaterThanOrEqual(40);
  });

  it('are all caught', () => {
    expect(outcomes.filter(({ detected }) => !detected).map(({ kind }) => kind)).toEqual([]);
  });

  it('are named first in at least nine of ten cases: layer, tensor and cause', () => {
    const unnamed = outcomes
      .filter(({ identified }) => !identified)
      .map(({ kind, report }) => `${kind}: ${report.diagnosis?.sentence}`);
    expect(unnamed.length, unnamed.join('\n')).toBeLessThanOrEqual(outcomes.length / 10);
  });
});
