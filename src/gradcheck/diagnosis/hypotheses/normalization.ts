// Mistakes in a normalization layer, whose mean and variance depend on the input, and so does their gradient. Its axes,
// the parameter that scales, and eps are inferred by what fits the numeric gradient, not from names.
import { numel, type Shape } from '../../../engine/kernels/tensor';
import { maxAbs, type GradientComparison, type LayerExperiment } from '../gradient-comparison';
import { type Hypothesis, type Hypotheses, zipWith } from './hypothesis';

const EPSILONS = [1e-5, 1e-6, 1e-8, 1e-3, 1e-12, 0];
/** The formula is that of the layer if it matches the numeric gradient up to this share of its largest value. */
const TOLERANCE = 1e-5;
/** The most axes, including the batch. */
const MAX_RANK = 4;
const MAX_ENTRIES = 20_000;

/** Which entries are normalized together: those that differ only along these axes. */
interface Layout {
  readonly axes: readonly number[];
  readonly groupOf: Int32Array;
  readonly groups: number;
}

interface Terms {
  /** For each entry, the mean of dy·scale in its group, the mean of that times the normalized input, and so on. */
  readonly meanGradient: Float64Array;
  readonly meanGradientTimesX: Float64Array;
  readonly normalized: Float64Array;
  readonly std: Float64Array;
  readonly mean: Float64Array;
  readonly scaled: Float64Array;
  readonly count: number;
}

export function* normalizationHypotheses({ subject, numeric, analytic, layer }: GradientComparison): Hypotheses {
  if (subject !== 'input' || !layer || layer.upstream.length !== numeric.length) return;
  const { inputShape, upstream, input } = layer;
  if (inputShape.length < 2 || inputShape.length > MAX_RANK || input.length > MAX_ENTRIES) return;
  const layouts = layoutsOf(inputShape);
  const scales = scalesOf(layer);
  const tolerance = TOLERANCE * maxAbs(numeric);
  const fits = (values: Float64Array): boolean =>
    values.every((value, i) => Number.isNaN(numeric[i]) || Math.abs(value - numeric[i]!) <= tolerance);
  for (const layout of layouts) {
    yield;
    for (const scale of scales)
      for (const isCentered of [true, false]) {
        yield;
        for (const eps of epsilonsOf(layer)) {
          const terms = termsOf(input, upstream, scale, layout, eps, isCentered);
          if (!fits(formula(terms, isCentered ? 1 : 0, 1))) continue;
          const unscaled = termsOf(input, upstream, () => 1, layout, eps, isCentered);
          yield* faultsOf(terms, unscaled, isCentered, numeric, layer);
          for (const other of layouts) {
            yield;
            if (other === layout) continue;
            yield {
              cause: 'axes_wrong',
              description: `is normalized along ${axesName(other.axes)} in the backward pass, and along ${axesName(layout.axes)} in the forward pass`,
              values: formula(termsOf(input, upstream, scale, other, eps, isCentered), isCentered ? 1 : 0, 1),
            };
          }
          yield* errorHypotheses(terms, layout, analytic, numeric);
          return;
        }
      }
  }
}

/** rstd (g - a·mean(g) - b·x̂·mean(g x̂)), where a = b = 1 is the right gradient. */
const formula = ({ meanGradient, meanGradientTimesX, normalized, std, scaled }: Terms, a: number, b: number) =>
  scaled.map((g, i) => (g - a * meanGradient[i]! - b * normalized[i]! * meanGradientTimesX[i]!) / std[i]!);

function* faultsOf(
  terms: Terms,
  unscaled: Terms,
  isCentered: boolean,
  numeric: Float64Array,
  layer: LayerExperiment,
): Hypotheses {
  const { normalized, std, count, scaled, meanGradientTimesX, mean } = terms;
  const a = isCentered ? 1 : 0;
  const constant = (what: string, values: Float64Array): Hypothesis => ({
    cause: 'statistics_constant',
    description: `treats ${what} as constant, although it depends on the input`,
    values,
  });
  for (const running of layer.buffers.values()) {
    const entries = entriesByAxis(layer.inputShape, running.length);
    for (const entryOf of entries)
      for (const eps of epsilonsOf(layer))
        yield {
          cause: 'other_mode',
          description: 'uses the running statistics, as in evaluation, where the forward pass used those of the batch',
          values: scaled.map((g, i) => g / Math.sqrt(running[entryOf(i)]! + eps)),
        };
  }
  if (isCentered) yield constant('the mean', formula(terms, 0, 1));
  yield constant(isCentered ? 'the variance' : 'the root mean square', formula(terms, a, 0));
  if (isCentered) yield constant('the mean and the variance, each of them,', formula(terms, 0, 0));
  const termTwice = (what: string, values: Float64Array): Hypothesis => ({
    cause: 'term_twice',
    description: `contains the term of ${what} twice: its factor is 2 instead of 1`,
    values,
  });
  if (isCentered) yield termTwice('the mean', formula(terms, 2, 1));
  yield termTwice(isCentered ? 'the variance' : 'the root mean square', formula(terms, a, 2));
  const termSign = (what: string, values: Float64Array): Hypothesis => ({
    cause: 'term_sign',
    description: `has the term of ${what} with the wrong sign`,
    values,
  });
  if (isCentered) yield termSign('the mean', formula(terms, -1, 1));
  yield termSign(isCentered ? 'the variance' : 'the root mean square', formula(terms, a, -1));
  if (isCentered)
    yield {
      cause: 'not_normalized',
      description: 'uses the input instead of the centered input',
      values: scaled.map(
        (g, i) =>
          (g - terms.meanGradient[i]! - (normalized[i]! + mean[i]! / std[i]!) * meanGradientTimesX[i]!) / std[i]!,
      ),
    };
  const scale = (description: string, values: Float64Array): Hypothesis => ({
    cause: 'scale_missing',
    description,
    values,
  });
  yield scale(
    'lacks the division by the standard deviation',
    zipWith(numeric, std, (n, d) => n * d),
  );
  yield scale(
    'is divided by the variance instead of its square root',
    zipWith(numeric, std, (n, d) => n / d),
  );
  yield scale('lacks the parameter that scales the output, as if it were 1', formula(unscaled, a, 1));
  yield {
    cause: 'unbiased',
    description: 'divides by n - 1 instead of n',
    values: formula(terms, a, count / (count - 1)),
  };
  if (isCentered)
    yield {
      cause: 'unbiased',
      description: 'divides by n - 1 instead of n',
      values: formula(terms, count / (count - 1), count / (count - 1)),
    };
  yield {
    cause: 'wrong_count',
    description: `lacks the division of its sums by their ${count} entries`,
    values: formula(terms, a * count, count),
  };
}

/** The pattern of the error within the entries that are normalized together. */
function* errorHypotheses(
  { normalized }: Terms,
  { groupOf, groups, axes }: Layout,
  analytic: Float64Array,
  numeric: Float64Array,
): Hypotheses {
  const along = axesName(axes);
  for (const [by, what] of [
    [null, 'the mean'],
    [normalized, 'the variance'],
  ] as const) {
    const products = new Float64Array(groups);
    const squares = new Float64Array(groups);
    analytic.forEach((value, i) => {
      const basis = by?.[i] ?? 1;
      products[groupOf[i]!]! += (value - numeric[i]!) * basis;
      squares[groupOf[i]!]! += basis * basis;
    });
    yield {
      cause: 'term_wrong',
      description:
        by === null
          ? `has a wrong term of ${what}: it is off by the same number for all values that are normalized together (${along})`
          : `has a wrong term of ${what}: for all values that are normalized together (${along}), the error is proportional to the normalized input`,
      values: numeric.map((n, i) => n + ((by?.[i] ?? 1) * products[groupOf[i]!]!) / squares[groupOf[i]!]!),
    };
  }
}

/** All subsets of axes to normalize along, smallest first; the batch is axis 0. */
function layoutsOf(shape: Shape): Layout[] {
  const size = shape.reduce((product, n) => product * n, 1);
  const layouts: Layout[] = [];
  for (let chosen = 1; chosen < 2 ** shape.length; chosen++) {
    const axes = shape.flatMap((n, axis) => ((chosen >> axis) & 1 && n > 1 ? [axis] : []));
    if (axes.length === 0 || layouts.some((layout) => layout.axes.join() === axes.join())) continue;
    const groupOf = new Int32Array(size);
    for (let i = 0; i < size; i++) {
      let rest = i;
      let group = 0;
      let factor = 1;
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        if (!axes.includes(axis)) {
          group += (rest % shape[axis]!) * factor;
          factor *= shape[axis]!;
        }
        rest = Math.floor(rest / shape[axis]!);
      }
      groupOf[i] = group;
    }
    layouts.push({ axes, groupOf, groups: groupOf.reduce((most, group) => Math.max(most, group), 0) + 1 });
  }
  return layouts.sort((a, b) => a.axes.length - b.axes.length);
}

/** For each axis of this size after the batch, and for all of them together: the parameter entry for a position. */
function entriesByAxis(shape: Shape, entries: number): ((i: number) => number)[] {
  const inSample = shape.slice(1).reduce((product, n) => product * n, 1);
  if (entries === 1) return [() => 0];
  const found: ((i: number) => number)[] = entries === inSample ? [(i) => i % inSample] : [];
  shape.forEach((size, axis) => {
    if (axis === 0 || size !== entries || entries === inSample) return;
    const inner = numel(shape.slice(axis + 1));
    found.push((i) => Math.floor(i / inner) % size);
  });
  // The trailing axes together, as in layer normalization.
  for (let axis = 1; axis < shape.length - 1; axis++) {
    const size = shape.slice(axis).reduce((product, n) => product * n, 1);
    if (size === entries && size !== inSample) found.push((i) => i % size);
  }
  return found;
}

/** What may multiply the normalized input: nothing, or a parameter along some axis. */
function scalesOf({ parameters, inputShape }: LayerExperiment): ((i: number) => number)[] {
  return [
    () => 1,
    ...[...parameters.values()].flatMap((values) =>
      entriesByAxis(inputShape, values.length).map((entryOf) => (i: number) => values[entryOf(i)]!),
    ),
  ];
}

function epsilonsOf({ options }: LayerExperiment): readonly number[] {
  const given: unknown[] = typeof options === 'object' && options !== null ? Object.values(options) : [];
  const nested = given.flatMap((value) =>
    typeof value === 'object' && value !== null ? (Object.values(value) as unknown[]) : [value],
  );
  return [...new Set([...nested.filter((n): n is number => typeof n === 'number' && n > 0 && n < 0.1), ...EPSILONS])];
}

function termsOf(
  input: Float64Array,
  upstream: Float64Array,
  scale: (i: number) => number,
  { groupOf, groups }: Layout,
  eps: number,
  isCentered: boolean,
): Terms {
  const count = input.length / groups;
  const meanBy = (value: (i: number) => number): Float64Array => {
    const sums = new Float64Array(groups);
    for (let i = 0; i < input.length; i++) sums[groupOf[i]!]! += value(i) / count;
    return input.map((_, i) => sums[groupOf[i]!]!);
  };
  const mean = isCentered ? meanBy((i) => input[i]!) : new Float64Array(input.length);
  const variance = meanBy((i) => (input[i]! - mean[i]!) ** 2);
  const std = variance.map((value) => Math.sqrt(value + eps));
  const normalized = input.map((value, i) => (value - mean[i]!) / std[i]!);
  const scaled = upstream.map((g, i) => g * scale(i));
  return {
    meanGradient: meanBy((i) => scaled[i]!),
    meanGradientTimesX: meanBy((i) => scaled[i]! * normalized[i]!),
    normalized,
    std,
    mean,
    scaled,
    count,
  };
}

const axesName = (axes: readonly number[]): string => {
  const names = axes.map((axis) => (axis === 0 ? 'the batch' : `axis ${axis}`));
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
};
