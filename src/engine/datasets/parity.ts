import * as z from 'zod/mini';
import { alias, positiveInteger } from '../option-schemas';
import { defineDataset, type Dataset } from './dataset';
import { sequenceLength } from './sequence-length';

const options = z
  .strictObject({
    samples: z._default(positiveInteger('Sequences.'), 1000),
    length: sequenceLength(1, 8),
    min_length: z.optional(
      positiveInteger(
        'Time steps of the shortest sequence: each has any number from this to `length`. The inputs are then indices: 1 and 2 ' +
          'for the bits 0 and 1, and 0 for the padding of short sequences, for an embedding with `"padding_idx": 0`.',
      ).check(alias('shortest', 'minimum_length')),
    ),
  })
  .check(
    z.refine(({ length, min_length }) => min_length === undefined || min_length <= length, {
      error: '"min_length" is more than "length".',
      path: ['min_length'],
      params: { code: 'out-of-range', remedy: 'Choose at most "length".' },
    }),
  );

/** How indices are shown: padding, and the bits. */
const TOKENS = ['·', '0', '1'];
const CLASSES = ['even', 'odd'];

export const parity = defineDataset({
  kind: 'parity',
  summary:
    'Sequences of random bits, in the class "odd" if the number of ones is odd: every bit changes the class. Of one length, or of different ones.',
  options,
  defaultSplit: { validation: 0.2, test: 0.2 },
  shape: ({ samples, length, min_length }) => ({
    inputShape: min_length === undefined ? [length, 1] : [length],
    targetSize: 1,
    classes: 2,
    samples,
  }),
  generate({ options: { samples, length, min_length }, random }): Dataset {
    const inputs = new Float64Array(samples * length);
    const targets = new Float64Array(samples);
    const isPadded = min_length !== undefined;
    for (let i = 0; i < samples; i++) {
      const own = isPadded ? min_length + random.integerBelow(length - min_length + 1) : length;
      for (let t = 0; t < own; t++) {
        const bit = random.integerBelow(2);
        inputs[i * length + t] = isPadded ? 1 + bit : bit;
        targets[i]! ^= bit;
      }
    }
    const inputShape = isPadded ? [length] : [length, 1];
    return {
      samples,
      inputShape,
      inputs,
      classes: CLASSES,
      targetSize: 1,
      targets,
      ...(isPadded && { tokens: TOKENS }),
    };
  },
});
