import * as z from 'zod/mini';
import { positiveInteger } from '../option-schemas';
import { defineDataset } from './dataset';
import { sequenceLength } from './sequence-length';

export const parity = defineDataset({
  kind: 'parity',
  summary: 'Sequences of random bits, in the class "odd" if the number of ones is odd: every bit changes the class.',
  options: z.strictObject({
    samples: z._default(positiveInteger('Sequences.'), 1000),
    length: sequenceLength(1, 8),
  }),
  defaultSplit: { validation: 0.2, test: 0.2 },
  shape: ({ samples, length }) => ({ inputShape: [length, 1], targetSize: 1, classes: 2, samples }),
  generate({ options: { samples, length }, random }) {
    const inputs = new Float64Array(samples * length);
    const targets = new Float64Array(samples);
    for (let i = 0; i < inputs.length; i++) {
      inputs[i] = random.integerBelow(2);
      targets[Math.floor(i / length)]! ^= inputs[i]!;
    }
    return { samples, inputShape: [length, 1], inputs, classes: ['even', 'odd'], targetSize: 1, targets };
  },
});
