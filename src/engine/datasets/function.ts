import * as z from 'zod/mini';
import { exp, sinPi } from '../functions';
import { count, nonNegative, number } from '../options';
import { defineDataset } from './dataset';

const functions = {
  sine: sinPi,
  square: (x: number) => x * x,
  cube: (x: number) => x * x * x,
  absolute: Math.abs,
  step: (x: number) => (x < 0 ? 0 : 1),
  exponential: exp,
  gaussian: (x: number) => exp(-x * x),
  sinc: (x: number) => (x === 0 ? 1 : sinPi(x) / (Math.PI * x)),
} as const;

type Name = keyof typeof functions;
const names = Object.keys(functions) as [Name, ...Name[]];

export const functionOfOne = defineDataset({
  kind: 'function',
  summary: 'One input x, uniform in [low, high), and the value f(x) with normal noise: a regression.',
  options: z
    .strictObject({
      f: z._default(
        z
          .enum(names)
          .check(
            z.describe(
              '`sine` is sin(πx), `square` x², `cube` x³, `absolute` |x|, `step` 0 below 0 and 1 from there on, ' +
                '`exponential` exp x, `gaussian` exp(-x²), `sinc` sin(πx)/(πx).',
            ),
          ),
        'sine',
      ),
      samples: z._default(count('Points.'), 200),
      noise: z._default(nonNegative('Standard deviation of the noise added to the value.'), 0.05),
      low: z._default(number('Lower end of x.'), -1),
      high: z._default(number('Upper end of x.'), 1),
    })
    .check(
      z.refine(({ low, high }) => low < high, {
        error: 'The range of x is empty: "low" is not below "high".',
        path: ['high'],
        params: { code: 'out-of-range', remedy: 'Give a "high" above "low".' },
      }),
    ),
  split: { validation: 0.2, test: 0.2 },
  shape: ({ samples }) => ({ inputShape: [1], targetSize: 1, samples }),
  generate({ options: { f, samples, noise, low, high }, random }) {
    const inputs = new Float64Array(samples);
    const targets = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      inputs[i] = random.uniform(low, high);
      targets[i] = functions[f](inputs[i]) + random.normal(0, noise);
    }
    return { samples, inputShape: [1], inputs, targetSize: 1, targets, featureNames: ['x'] };
  },
});
