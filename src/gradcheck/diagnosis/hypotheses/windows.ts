// Mistakes in layers with windows over images, and where several outputs contribute to the gradient of one input.
import { dilationOf, strideOf, type WindowOptions } from '../../../engine/kernels/windows';
import type { Shape, Shape4 } from '../../../engine/kernels/tensor';
import type { Hypothesis, Hypotheses } from './hypothesis';
import type { LayerExperiment, GradientComparison } from '../gradient-comparison';

const isWindows = (options: unknown): options is WindowOptions =>
  typeof options === 'object' && options !== null && 'kernel_size' in options && 'padding' in options;

type Visit = (y: number, x: number, weight: number) => void;

/** Visits every number in every window, in the order of the outputs, skipping the padding. */
function visitWindows(
  { inputShape, outputShape }: LayerExperiment,
  windows: WindowOptions,
  mixesChannels: boolean,
  each: Visit,
): void {
  const [samples, channels, height, width] = inputShape as Shape4;
  const [, outChannels, rows, columns] = outputShape as Shape4;
  const [[kh, kw], [sh, sw], [ph, pw]] = [windows.kernel_size, strideOf(windows), windows.padding];
  const [[dh, dw], { groups = 1 }] = [dilationOf(windows), windows];
  const [groupInputs, groupOutputs] = [channels / groups, outChannels / groups];
  for (let y = 0; y < samples * outChannels * rows * columns; y++) {
    const [v, u, out, sample] = [
      y % columns,
      Math.floor(y / columns) % rows,
      Math.floor(y / columns / rows) % outChannels,
      Math.floor(y / columns / rows / outChannels),
    ];
    const first = mixesChannels ? Math.floor(out / groupOutputs) * groupInputs : out;
    for (let channel = first; channel < first + (mixesChannels ? groupInputs : 1); channel++) {
      for (let i = 0; i < kh; i++)
        for (let j = 0; j < kw; j++) {
          const [row, column] = [u * sh - ph + i * dh, v * sw - pw + j * dw];
          if (row >= 0 && row < height && column >= 0 && column < width) {
            each(
              y,
              ((sample * channels + channel) * height + row) * width + column,
              ((out * groupInputs + (mixesChannels ? channel - first : channel)) * kh + i) * kw + j,
            );
          }
        }
    }
  }
}

/** Keeps or removes the contribution of positions of the output gradient. */
const maskUpstream = (
  { upstream, outputShape }: LayerExperiment,
  keep: (out: number, row: number, column: number) => boolean,
): Float64Array => {
  const [, outs, rows, columns] = outputShape as Shape4;
  return upstream.map((u, y) =>
    keep(Math.floor(y / columns / rows) % outs, Math.floor(y / columns) % rows, y % columns) ? u : 0,
  );
};

export function* windowHypotheses(comparison: GradientComparison): Hypotheses {
  const { subject, layer } = comparison;
  if (!layer) return;
  if (layer.outputShape.length === 4) yield* positionHypotheses(layer);
  const { options, parameters } = layer;
  if (layer.inputShape.length === 4 && layer.outputShape.length === 4 && isWindows(options)) {
    // The weight of a transposed convolution has another layout.
    if (parameters.has('weight') && !('output_padding' in options))
      yield* convolutionHypotheses(comparison, layer, options);
    else if (subject === 'input') yield* poolingHypotheses(layer, options);
  }
  if (subject === 'input') yield* overwriteHypotheses(layer);
}

/** Rows, columns or channels of the output gradient that are omitted, or are all that is used. */
function* positionHypotheses(layer: LayerExperiment): Hypotheses {
  const [, outs, rows, columns] = layer.outputShape as Shape4;
  type Mask = readonly [words: string, keep: Parameters<typeof maskUpstream>[1], cause?: Hypothesis['cause']];
  const masks: Mask[] = [
    ['leaves the last row of places out', (_, row) => row < rows - 1],
    ['leaves the first row of places out', (_, row) => row > 0],
    ['leaves the last column of places out', (_, __, column) => column < columns - 1],
    ['leaves the first column of places out', (_, __, column) => column > 0],
    ['comes from the first place of an image alone', (_, row, column) => row === 0 && column === 0],
    ['comes from the last place of an image alone', (_, row, column) => row === rows - 1 && column === columns - 1],
    ['comes from the last output channel alone', (out) => out === outs - 1, 'channel_missing'],
    ['comes from the first output channel alone', (out) => out === 0, 'channel_missing'],
    ['leaves the last output channel out', (out) => out < outs - 1, 'channel_missing'],
    ['leaves the first output channel out', (out) => out > 0, 'channel_missing'],
  ];
  for (const [description, keep, cause = 'place_missing'] of masks) {
    const values = yield* layer.numericGradientWith({ upstream: maskUpstream(layer, keep) });
    if (values) yield { cause, description, values };
  }
}

/** The windows without one of their options. */
function* windowsWithoutOption(own: WindowOptions): Iterable<readonly [string, WindowOptions]> {
  const [stride, dilation] = [strideOf(own), dilationOf(own)];
  if (stride.some((size) => size > 1)) yield ['stride', { ...own, stride: [1, 1] }];
  if (own.padding.some((size) => size > 0)) yield ['padding', { ...own, stride, padding: [0, 0] }];
  if (dilation.some((size) => size > 1)) yield ['dilation', { ...own, stride, dilation: [1, 1] }];
}

function* convolutionHypotheses(
  { subject, tensor, numeric }: GradientComparison,
  layer: LayerExperiment,
  ownWindows: WindowOptions,
): Hypotheses {
  const { upstream, input, parameters } = layer;
  const weight = parameters.get('weight') ?? input;
  const inputGradient = (windows: WindowOptions, weights: Float64Array): Float64Array => {
    const values = new Float64Array(input.length);
    visitWindows(layer, windows, true, (y, x, w) => (values[x]! += upstream[y]! * weights[w]!));
    return values;
  };
  for (const [name, reducedWindows] of windowsWithoutOption(ownWindows)) {
    const values = subject === 'input' ? inputGradient(reducedWindows, weight) : new Float64Array(numeric.length);
    if (tensor === 'weight')
      visitWindows(layer, reducedWindows, true, (y, x, w) => (values[w]! += upstream[y]! * input[x]!));
    yield { cause: 'options_ignored', description: `ignores the ${name}`, values };
  }
  if (subject !== 'input') return;
  for (const [cause, description, values] of flippedWindows(weight, [1, 1, ...ownWindows.kernel_size])) {
    yield {
      cause,
      description: `is made with weights whose window ${description}`,
      values: inputGradient(ownWindows, values),
    };
  }
  yield {
    cause: 'weights_ignored',
    description: 'leaves the weights out',
    values: inputGradient(
      ownWindows,
      weight.map(() => 1),
    ),
  };
}

/** Each window of a four-dimensional tensor flipped or, if it is square, transposed. */
export function* flippedWindows(
  values: Float64Array,
  shape: Shape,
): Iterable<readonly [Hypothesis['cause'], string, Float64Array]> {
  if (shape.length !== 4) return;
  const [height, width] = shape.slice(2) as [number, number];
  const size = height * width;
  const rearrange = (from: (row: number, column: number) => number): Float64Array =>
    values.map((_, i) => values[i - (i % size) + from(Math.floor((i % size) / width), i % width)]!);
  if (size > 1) yield ['mirrored', 'is turned around', rearrange((row, column) => size - 1 - row * width - column)];
  if (height > 1 && width > 1) {
    yield ['mirrored', 'is upside down', rearrange((row, column) => (height - 1 - row) * width + column)];
    yield ['mirrored', 'is mirrored from left to right', rearrange((row, column) => row * width + width - 1 - column)];
  }
  if (height === width && height > 1)
    yield ['transposed', 'is transposed', rearrange((row, column) => column * width + row)];
}

function* poolingHypotheses(layer: LayerExperiment, own: WindowOptions): Hypotheses {
  const { upstream, input, output } = layer;
  const inputsUnder = Array.from(upstream, (): number[] => []);
  visitWindows(layer, own, false, (y, x) => inputsUnder[y]!.push(x));
  const distribute = (
    shareOut: (seen: readonly number[], y: number) => Iterable<readonly [number, number]>,
  ): Float64Array => {
    const values = new Float64Array(input.length);
    inputsUnder.forEach((seen, y) => {
      for (const [x, share] of shareOut(seen, y)) values[x]! += share * upstream[y]!;
    });
    return values;
  };
  const extremeOf = (seen: readonly number[], sign: number): number =>
    seen.reduce((a, b) => (sign * input[b]! > sign * input[a]! ? b : a));
  const area = own.kernel_size[0] * own.kernel_size[1];
  if (inputsUnder.every((seen, y) => seen.length > 0 && input[extremeOf(seen, 1)] === output[y])) {
    const wrong = (description: string, values: Float64Array): Hypothesis => ({
      cause: 'winners_ignored',
      description,
      values,
    });
    yield wrong(
      'goes to every number of a window, and should go to the largest only',
      distribute((seen) => seen.map((x) => [x, 1])),
    );
    yield wrong(
      'is shared out evenly, as in average pooling, and should go to the largest of a window',
      distribute((seen) => seen.map((x) => [x, 1 / seen.length])),
    );
    yield wrong(
      'goes to the first number of a window, and should go to the largest',
      distribute((seen) => [[seen[0]!, 1]]),
    );
    yield wrong(
      'goes to the last number of a window, and should go to the largest',
      distribute((seen) => [[seen[seen.length - 1]!, 1]]),
    );
    yield wrong(
      'goes to the smallest number of a window, and should go to the largest',
      distribute((seen) => [[extremeOf(seen, -1), 1]]),
    );
    return;
  }
  for (const [where, at] of [
    ['first', 0],
    ['last', -1],
  ] as const) {
    yield {
      cause: 'place_missing',
      description: `goes to the ${where} number of a window alone`,
      values: distribute((seen) => (seen.length > 0 ? [[seen.at(at) ?? 0, 1 / area]] : [])),
    };
  }
}

/** If several output positions contribute to one input, only the last one counts. */
function* overwriteHypotheses(layer: LayerExperiment): Hypotheses {
  const jacobian = yield* layer.forwardJacobian();
  if (!jacobian) return;
  const { inputs, outputs, numeric } = jacobian;
  const [, , rows = 1, columns = 1] = layer.outputShape;
  const inImage = layer.outputShape.length === 4 ? rows * columns : outputs;
  const values = new Float64Array(layer.samples * inputs);
  for (let sample = 0; sample < layer.samples; sample++)
    for (let i = 0; i < inputs; i++) {
      let last = -1;
      let share = 0;
      for (let o = 0; o < outputs; o++) {
        const derivative = numeric[(sample * outputs + o) * inputs + i]!;
        if (derivative === 0 || o % inImage < last) continue;
        if (o % inImage > last) share = 0;
        last = o % inImage;
        share += derivative * layer.upstream[sample * outputs + o]!;
      }
      values[sample * inputs + i] = share;
    }
  const description =
    'has only the contribution of the last output where several outputs depend on one input: contributions must be added (+=), not written over each other (=)';
  yield { cause: 'overwritten', description, values };
  // Channel by channel: the last one alone counts.
  const inOrder = new Float64Array(values.length);
  for (let sample = 0; sample < layer.samples; sample++)
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++) {
        const derivative = numeric[(sample * outputs + o) * inputs + i]!;
        if (derivative !== 0) inOrder[sample * inputs + i] = derivative * layer.upstream[sample * outputs + o]!;
      }
  yield { cause: 'overwritten', description, values: inOrder };
}
