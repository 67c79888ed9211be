import * as z from 'zod/mini';
import { positiveInteger } from '../option-schemas';
import { defineDataset } from './dataset';
import { sequenceLength } from './sequence-length';

export const sorting = defineDataset({
  kind: 'sorting',
  aliases: ['sort'],
  summary: 'Sequences of values uniform in [0, 1); the targets are the same values in ascending order.',
  options: z.strictObject({
    samples: z._default(positiveInteger('Sequences.'), 1000),
    length: sequenceLength(1, 5),
  }),
  defaultSplit: { validation: 0.2, test: 0.2 },
  shape: ({ samples, length }) => ({ inputShape: [length, 1], targetSize: length, samples }),
  generate({ options: { samples, length }, random }) {
    const inputs = Float64Array.from({ length: samples * length }, () => random.uniform());
    const targets = inputs.slice();
    for (let i = 0; i < samples; i++) targets.subarray(i * length, (i + 1) * length).sort();
    return { samples, inputShape: [length, 1], inputs, targetSize: length, targets };
  },
});
