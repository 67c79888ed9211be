// What goes wrong in a layer that normalizes: its mean and variance depend on the input, too, and so does the gradient.
import { type Guess, zip } from './guess';
import { largest, type LayerTrial, type Trial } from './trial';

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const EPS = 1e-5;

/** One way to normalize: which numbers go together, and the entry of the weight for each. */
interface Way {
  readonly groups: readonly (readonly number[])[];
  entry(i: number): number;
}

function* waysOf({ input, inputShape: [samples, channels], parameters }: LayerTrial): Iterable<Way> {
  const [inSample, size] = [input.length / samples, parameters.get('weight')?.length ?? 1];
  const channelOf = (i: number): number => Math.floor((i % inSample) / (inSample / channels));
  const grouped = (of: (i: number) => number, count: number): number[][] => {
    const groups: number[][] = Array.from({ length: count }, () => []);
    input.forEach((_, i) => groups[of(i)].push(i));
    return groups;
  };
  if (size === channels || size === 1) yield { groups: grouped(channelOf, channels), entry: (i) => channelOf(i) % size };
  if (inSample % size === 0) {
    const together = size === 1 ? inSample : size;
    yield { groups: grouped((i) => Math.floor(i / together), input.length / together), entry: (i) => i % size };
  }
}

interface Parts {
  /** Mean of dy·weight, mean of that times the normalized input, by place. */
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly x: Float64Array;
  readonly deviation: Float64Array;
  readonly weight: Float64Array;
  readonly count: Float64Array;
}

function partsOf({ input, upstream, parameters, options }: LayerTrial, { groups, entry }: Way): Parts {
  const eps = typeof options === 'object' && options !== null && 'eps' in options ? Number(options.eps) : EPS;
  const weights = parameters.get('weight');
  const [first, second, x, deviation, weight, count] = Array.from({ length: 6 }, () => new Float64Array(input.length));
  for (const group of groups) {
    const middle = mean(group.map((i) => input[i]));
    const spread = Math.sqrt(mean(group.map((i) => (input[i] - middle) ** 2)) + eps);
    for (const i of group) [weight[i], x[i]] = [weights?.[entry(i)] ?? 1, (input[i] - middle) / spread];
    const [one, two] = [mean(group.map((i) => upstream[i] * weight[i])), mean(group.map((i) => upstream[i] * weight[i] * x[i]))];
    for (const i of group) [first[i], second[i], deviation[i], count[i]] = [one, two, spread, group.length];
  }
  return { first, second, x, deviation, weight, count };
}

export function* norms({ of, numeric, layer }: Trial): Iterable<Guess> {
  if (of !== 'input' || !layer || layer.upstream.length !== numeric.length || layer.inputShape.length < 2) return;
  const { upstream, buffers, options } = layer;
  for (const way of waysOf(layer)) {
    const { first, second, x, deviation, weight, count } = partsOf(layer, way);
    const made = (by: (i: number) => number): Float64Array => numeric.map((_, i) => by(i));
    const right = made((i) => (upstream[i] * weight[i] - first[i] - x[i] * second[i]) / deviation[i]);
    const slack = 1e-5 * largest(numeric);
    if (!right.every((value, i) => Number.isNaN(numeric[i]) || Math.abs(value - numeric[i]) <= slack)) continue;
    const constant = (what: string, values: Float64Array): Guess => ({ cause: 'statistics_constant', words: `takes ${what} as a constant, though it depends on the input, too`, values });
    const running = buffers.get('running_var');
    if (running) {
      const eps = typeof options === 'object' && options !== null && 'eps' in options ? Number(options.eps) : EPS;
      const values = made((i) => (upstream[i] * weight[i]) / Math.sqrt(running[way.entry(i)] + eps));
      yield { cause: 'other_mode', words: 'goes by the running statistics, as in evaluation, where forward went by those of the batch', values };
    }
    yield constant('the mean', made((i) => (upstream[i] * weight[i] - x[i] * second[i]) / deviation[i]));
    yield constant('the variance', made((i) => (upstream[i] * weight[i] - first[i]) / deviation[i]));
    yield constant('mean and variance, each of them,', made((i) => (upstream[i] * weight[i]) / deviation[i]));
    const scale = (words: string, values: Float64Array): Guess => ({ cause: 'scale_missing', words, values });
    yield scale('lacks the division by the standard deviation', zip(numeric, deviation, (n, d) => n * d));
    yield scale('is divided by the variance, and should be by its root', zip(numeric, deviation, (n, d) => n / d));
    yield { cause: 'unbiased', words: 'divides by n - 1 where it should divide by n', values: made((i) => (upstream[i] * weight[i] - first[i] - (x[i] * second[i] * count[i]) / (count[i] - 1)) / deviation[i]) };
    return;
  }
}
