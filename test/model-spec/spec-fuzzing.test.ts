// Damaged specs: a sample of `npm run campaign`, and the texts that once revealed a fault.
import { expect, it } from 'vitest';
import { checkParsed, checkTrained, drawSpec, specSeeds } from '../support/spec-fuzzing';

const SEED = 20;
const PARSED = 300;
// Many examples read files, which are not there, or have custom layers.
const TRAINED = 400;
const seeds = specSeeds();

it('gives a spec or problems for every damaged text, in time', () => {
  const outcomes = new Set<string>();
  for (let index = 0; index < PARSED; index++) {
    const text = drawSpec(seeds, SEED, index);
    const { fault, outcome } = checkParsed(text);
    expect(fault, text).toBeNull();
    outcomes.add(outcome);
  }
  // A sample that only has invalid texts, or only valid ones, reveals little.
  expect(outcomes).toEqual(new Set(['accepted', 'rejected']));
});

it('trains what it accepts', () => {
  let trained = 0;
  for (let index = 0; index < TRAINED; index++) {
    const text = drawSpec(seeds, SEED + 1, index);
    const { fault, outcome } = checkTrained(text);
    expect(fault, text).toBeNull();
    if (outcome === 'trained') trained++;
  }
  expect(trained).toBeGreaterThan(TRAINED / 50);
});

it('draws the same text for the same seed and index', () => {
  expect(drawSpec(seeds, SEED, 7)).toBe(drawSpec(seeds, SEED, 7));
  expect(drawSpec(seeds, SEED, 7)).not.toBe(drawSpec(seeds, SEED, 8));
});
