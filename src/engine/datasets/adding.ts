// Hochreiter and Schmidhuber, "Long short-term memory", 1997, experiment 4, with one mark in each half.
import * as z from 'zod/mini';
import { positiveInteger } from '../option-schemas';
import { defineDataset } from './dataset';
import { sequenceLength } from './sequence-length';

/** Features of a time step: a value and a mark. */
const FEATURES = 2;

export const adding = defineDataset({
  kind: 'adding',
  aliases: ['adding_problem', 'addition'],
  summary:
    'The adding problem: sequences of values uniform in [0, 1), each with a mark that is 1 at one place in either half and 0 elsewhere. ' +
    'The target is the sum of the two marked values; the constant 1 has a mean squared error of 1/6.',
  options: z.strictObject({
    samples: z._default(positiveInteger('Sequences.'), 1000),
    length: sequenceLength(2, 20),
  }),
  defaultSplit: { validation: 0.2, test: 0.2 },
  shape: ({ samples, length }) => ({ inputShape: [length, FEATURES], targetSize: 1, samples }),
  generate({ options: { samples, length }, random }) {
    const inputs = new Float64Array(samples * length * FEATURES);
    const targets = new Float64Array(samples);
    const half = Math.floor(length / 2);
    for (let i = 0; i < samples; i++) {
      const start = i * length * FEATURES;
      for (let t = 0; t < length; t++) inputs[start + t * FEATURES] = random.uniform();
      for (const t of [random.integerBelow(half), half + random.integerBelow(length - half)]) {
        inputs[start + t * FEATURES + 1] = 1;
        targets[i]! += inputs[start + t * FEATURES]!;
      }
    }
    return { samples, inputShape: [length, FEATURES], inputs, targetSize: 1, targets };
  },
});
