// The gradient of another loss, or one without the activation that is part of the loss.
import { type Hypotheses, zipWith } from './hypothesis';
import { maxAbs, type GradientComparison } from '../gradient-comparison';

const sigmoid = (values: Float64Array): Float64Array => values.map((z) => 1 / (1 + Math.exp(-z)));

/** Along the batch, where a softmax along the outputs was meant. */
function softmaxOverBatch(values: Float64Array, width: number): Float64Array {
  const transpose = (from: Float64Array, columns: number): Float64Array =>
    from.map((_, i) => from[(i % (from.length / columns)) * columns + Math.floor(i / (from.length / columns))]!);
  return transpose(softmax(transpose(values, width), values.length / width), values.length / width);
}

function softmax(values: Float64Array, width: number): Float64Array {
  const powers = values.map((z, i) => Math.exp(z - maximum(values.subarray(i - (i % width), i - (i % width) + width))));
  return powers.map(
    (power, i) => power / powers.subarray(i - (i % width), i - (i % width) + width).reduce((a, b) => a + b, 0),
  );
}

const maximum = (values: Float64Array): number => values.reduce((a, b) => Math.max(a, b), -Infinity);

export function* otherLossHypotheses({ loss, numeric, value }: GradientComparison): Hypotheses {
  if (!loss) return;
  const { target, samples } = loss;
  if (target.length === numeric.length) {
    const width = numeric.length / samples;
    for (const [name, activated] of [
      ['sigmoid', sigmoid(value)],
      ['softmax', softmax(value, width)],
    ] as const) {
      // (activation(z) - y) times a number, if that is the right gradient.
      const errors = zipWith(activated, target, (a, y) => a - y);
      const [dot, square] = [
        errors.reduce((sum, each, i) => sum + each * (numeric[i] || 0), 0),
        errors.reduce((sum, each) => sum + each * each, 0),
      ];
      const scale = dot / square;
      const tolerance = 1e-5 * maxAbs(numeric);
      if (!errors.every((each, i) => Number.isNaN(numeric[i]) || Math.abs(scale * each - numeric[i]!) <= tolerance))
        continue;
      yield {
        cause: 'activation_missing',
        description: `uses the prediction instead of its ${name}`,
        values: zipWith(value, target, (z, y) => scale * (z - y)),
      };
      if (name !== 'softmax') continue;
      yield {
        cause: 'axes_wrong',
        description: 'takes the softmax along the batch instead of the outputs',
        values: zipWith(softmaxOverBatch(value, width), target, (a, y) => scale * (a - y)),
      };
    }
    yield {
      cause: 'sum_missing',
      description: 'exists only for the correct class: the contributions of the others are missing',
      values: zipWith(numeric, target, (n, y) => (y > 0 ? n : 0)),
    };
  }
  for (const [kind, gradient] of loss.otherGradients())
    yield { cause: 'derivative_of_another', description: `is that of the loss ${kind}`, values: gradient };
}
