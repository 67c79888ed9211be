// The copy task of Graves, Wayne, Danihelka, "Neural Turing machines", 2014, with a delay as in Hochreiter and
// Schmidhuber, "Long short-term memory", 1997.
import * as z from 'zod/mini';
import { positiveInteger } from '../option-schemas';
import { defineDataset, type DataShape } from './dataset';
import { sequenceLength } from './sequence-length';

const optionSchema = z.strictObject({
  samples: z._default(positiveInteger('Number of sequences.'), 1000),
  length: sequenceLength(1, 5, 'Time steps to copy.'),
  bits: z._default(z.int().check(z.gte(1), z.lte(64), z.describe('Random bits at each time step to copy.')), 4),
  delay: z._default(
    z.int().check(z.gte(0), z.lte(10_000), z.describe('Empty time steps between the last bits and the signal.')),
    0,
  ),
});

/** The bits, the delay, the signal, and as many time steps again to repeat the bits. */
const timeSteps = ({ length, delay }: z.output<typeof optionSchema>): number => 2 * length + delay + 1;

export const copy = defineDataset({
  kind: 'copy',
  aliases: ['copy_task', 'copying', 'copy_memory'],
  summary:
    'The copy task: sequences of random bits, then a delay and a signal, after which the bits are to be repeated. ' +
    'An input has one feature for each bit and one for the signal; the targets are the bits of every time step, 0 until they are to be repeated.',
  options: optionSchema,
  defaultSplit: { validation: 0.2, test: 0.2 },
  shape: (options): DataShape => ({
    inputShape: [timeSteps(options), options.bits + 1],
    targetSize: timeSteps(options) * options.bits,
    samples: options.samples,
  }),
  generate({ options, random }) {
    const { samples, length, bits, delay } = options;
    const time = timeSteps(options);
    const [width, targetSize] = [bits + 1, time * bits];
    const inputs = new Float64Array(samples * time * width);
    const targets = new Float64Array(samples * targetSize);
    const signal = length + delay;
    for (let i = 0; i < samples; i++) {
      const from = i * time * width;
      for (let t = 0; t < length; t++) {
        for (let bit = 0; bit < bits; bit++) {
          const value = random.integerBelow(2);
          inputs[from + t * width + bit] = value;
          targets[i * targetSize + (signal + 1 + t) * bits + bit] = value;
        }
      }
      inputs[from + signal * width + bits] = 1;
    }
    return { samples, inputShape: [time, width], inputs, targetSize, targets };
  },
});
