import * as z from 'zod/mini';
import { exp, sinPi } from '../deterministic-math';
import { positiveInteger, nonNegativeNumber, finiteNumber } from '../option-schemas';
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

type FunctionName = keyof typeof functions;
const functionNames = Object.keys(functions) as [FunctionName, ...FunctionName[]];

export const functionData = defineDataset({
  kind: 'function',
  summary: 'One input x, uniform in [low, high), and the value f(x) with normal noise: a regression.',
  options: z
    .strictObject({
      f: z._default(
        z
          .enum(functionNames)
          .check(
            z.describe(
              '`sine` is sin(πx), `square` x², `cube` x³, `absolute` |x|, `step` 0 for x < 0 and 1 otherwise, ' +
                '`exponential` exp x, `gaussian` exp(-x²), `sinc` sin(πx)/(πx).',
            ),
          ),
        'sine',
      ),
      samples: z._default(positiveInteger('Points.'), 200),
      noise: z._default(nonNegativeNumber('Standard deviation of the noise added to the value.'), 0.05),
      low: z._default(finiteNumber('Lower end of x.'), -1),
      high: z._default(finiteNumber('Upper end of x.'), 1),
    })
    .check(
      z.refine(({ low, high }) => low < high, {
        error: 'The range of x is empty: "low" is not below "high".',
        path: ['high'],
        params: { code: 'out-of-range', remedy: 'Choose a "high" above "low".' },
      }),
    ),
  defaultSplit: { validation: 0.2, test: 0.2 },
  shape: ({ samples }) => ({ inputShape: [1], targetSize: 1, samples }),
  generate({ options: { f, samples, noise, low, high }, random }) {
    const inputs = new Float64Array(samples);
    const targets = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      inputs[i] = random.uniform(low, high);
      targets[i] = functions[f](inputs[i]!) + random.normal(0, noise);
    }
    return { samples, inputShape: [1], inputs, targetSize: 1, targets, featureNames: ['x'] };
  },
});
