// A loss whose gradient is that of another, or lacks the activation that the loss has in it.
import { type Guess, zip } from './guess';
import { largest, type Trial } from './trial';

const sigmoid = (values: Float64Array): Float64Array => values.map((z) => 1 / (1 + Math.exp(-z)));

function softmax(values: Float64Array, width: number): Float64Array {
  const powers = values.map((z, i) => Math.exp(z - largestOf(values.subarray(i - (i % width), i - (i % width) + width))));
  return powers.map((power, i) => power / powers.subarray(i - (i % width), i - (i % width) + width).reduce((a, b) => a + b, 0));
}

const largestOf = (values: Float64Array): number => values.reduce((a, b) => Math.max(a, b), -Infinity);

export function* otherLosses({ loss, numeric, value }: Trial): Iterable<Guess> {
  if (!loss) return;
  const { target, samples } = loss;
  if (target.length === numeric.length) {
    const width = numeric.length / samples;
    for (const [name, activated] of [['sigmoid', sigmoid(value)], ['softmax', softmax(value, width)]] as const) {
      // (activation(z) - y) times a number, if that is what the gradient should be.
      const apart = zip(activated, target, (a, y) => a - y);
      const [dot, square] = [apart.reduce((sum, each, i) => sum + each * (numeric[i] || 0), 0), apart.reduce((sum, each) => sum + each * each, 0)];
      const by = dot / square;
      if (!apart.every((each, i) => Number.isNaN(numeric[i]) || Math.abs(by * each - numeric[i]) <= 1e-5 * largest(numeric))) continue;
      yield { cause: 'activation_missing', words: `takes the prediction as it comes, and should take its ${name}`, values: zip(value, target, (z, y) => by * (z - y)) };
    }
    yield { cause: 'sum_missing', words: 'is there only for the class that is right: what the others have is missing', values: zip(numeric, target, (n, y) => (y > 0 ? n : 0)) };
  }
  for (const [kind, gradient] of loss.others()) yield { cause: 'derivative_of_another', words: `is that of the loss ${kind}`, values: gradient };
}
