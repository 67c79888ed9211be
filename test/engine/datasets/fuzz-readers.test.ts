// A sample of the campaign in bench/fuzz-readers.bench.ts, and the inputs that once found a fault.
import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/engine/datasets/data-error';
import { filesOnDisk } from '../../support/data-files';
import { makeDataset } from '../../support/datasets';
import {
  bytesOf,
  checkInput,
  corpus,
  drawInput,
  drawPieces,
  type FuzzInput,
  fuzzSeeds,
  WHOLE,
} from '../../support/reader-fuzzing';

const seeds = fuzzSeeds();

describe('a damaged file', () => {
  it('has the numbers that a slow reader finds, or is refused', () => {
    const outcomes = new Set<string>();
    for (let i = 0; i < 1500; i++) {
      const input = drawInput(seeds, 7, i);
      try {
        outcomes.add(checkInput(input, drawPieces(i)).outcome);
      } catch (error) {
        throw new Error(`input ${i} (${input.name})`, { cause: error });
      }
    }
    expect(outcomes).toEqual(new Set(['dataset', 'refused']));
  });

  it('is read or refused alike in any chunks', () => {
    for (let i = 0; i < 500; i++) {
      const input = drawInput(seeds, 8, i);
      const whole = outcome(input, WHOLE.bytes);
      const inChunks = outcome(input, 4 + (i % 4));
      // Of two faults, text that is not UTF-8 is found first in large chunks; both are errors.
      // What follows the last row of a limit is read as far as the chunk goes.
      const mayDiffer = !inChunks.startsWith('[') || 'limit' in input.data;
      if (whole.includes('is not UTF-8 text') && mayDiffer) continue;
      expect(`${input.name} ${i}: ${inChunks}`).toBe(`${input.name} ${i}: ${whole}`);
    }
  });
});

describe.each(corpus().map((input): [string, FuzzInput] => [input.name, input]))('%s', (_name, input) => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('is no fault any more in pieces by rule %i', (rule) => {
    expect(['dataset', 'refused']).toContain(checkInput(input, drawPieces(rule)).outcome);
  });
});

/** The result of a reader, including notes and errors, as text that can be compared. */
function outcome(input: FuzzInput, chunkBytes: number): string {
  const { type, ...options } = input.data;
  try {
    const files = filesOnDisk(bytesOf(input), { text: chunkBytes, numbers: chunkBytes });
    const { samples, inputs, targets, notes } = makeDataset(type, options, { files, precision: input.precision });
    return JSON.stringify([samples, [...inputs], [...targets], notes]);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    // On disk, a number precedes each file's name.
    return `${error.code}: ${error.message.replace(/"\d+-/, '"')} ${error.remedy} ${error.path.join('.')}`;
  }
}
