// What goes wrong in layers with windows over images, and where several outputs hand back to one input.
import { strideOf, type Windows } from '../../engine/kernels/windows';
import type { Shape } from '../../engine/kernels/tensor';
import type { Guess } from './guess';
import type { LayerTrial, Trial } from './trial';

const isWindows = (options: unknown): options is Windows => typeof options === 'object' && options !== null && 'kernel_size' in options && 'padding' in options;

type Visit = (y: number, x: number, weight: number) => void;

/** Every number under every window, in the order of the outputs; outside of the image is left out. */
function visit({ inputShape: [samples, channels, height, width], outputShape: [, outs, rows, columns] }: LayerTrial, windows: Windows, mixes: boolean, each: Visit): void {
  const [[kh, kw], [sh, sw], [ph, pw]] = [windows.kernel_size, strideOf(windows), windows.padding];
  for (let y = 0; y < samples * outs * rows * columns; y++) {
    const [v, u, out, sample] = [y % columns, Math.floor(y / columns) % rows, Math.floor(y / columns / rows) % outs, Math.floor(y / columns / rows / outs)];
    for (let channel = mixes ? 0 : out; channel < (mixes ? channels : out + 1); channel++) {
      for (let i = 0; i < kh; i++) for (let j = 0; j < kw; j++) {
        const [row, column] = [u * sh - ph + i, v * sw - pw + j];
        if (row >= 0 && row < height && column >= 0 && column < width) {
          each(y, ((sample * channels + channel) * height + row) * width + column, ((out * channels + channel) * kh + i) * kw + j);
        }
      }
    }
  }
}

/** A place's share of the arriving gradient kept or not. */
const masked = ({ upstream, outputShape: [, outs, rows, columns] }: LayerTrial, keep: (out: number, row: number, column: number) => boolean): Float64Array =>
  upstream.map((u, y) => (keep(Math.floor(y / columns / rows) % outs, Math.floor(y / columns) % rows, y % columns) ? u : 0));

export function* windows(trial: Trial): Iterable<Guess> {
  const { of, layer } = trial;
  if (!layer) return;
  if (layer.outputShape.length === 4) yield* places(layer);
  const { options, parameters } = layer;
  if (layer.inputShape.length === 4 && layer.outputShape.length === 4 && isWindows(options)) {
    if (parameters.has('weight')) yield* convolution(trial, layer, options);
    else if (of === 'input') yield* pooling(layer, options);
  }
  if (of === 'input') yield* overwritten(layer);
}

/** Rows, columns or channels of the output that are left out, or are all that is used. */
function* places(layer: LayerTrial): Iterable<Guess> {
  const [, outs, rows, columns] = layer.outputShape;
  type Part = readonly [words: string, keep: Parameters<typeof masked>[1], cause?: Guess['cause']];
  const parts: Part[] = [
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
  for (const [words, keep, cause = 'place_missing'] of parts) {
    const values = layer.numericWith({ upstream: masked(layer, keep) });
    if (values) yield { cause, words, values };
  }
}

/** The windows as they would be without one of their options. */
function* forgotten(own: Windows): Iterable<readonly [string, Windows]> {
  const { kernel_size, padding } = own;
  const stride = strideOf(own);
  if (stride.some((size) => size > 1)) yield ['stride', { kernel_size, stride: [1, 1], padding }];
  if (padding.some((size) => size > 0)) yield ['padding', { kernel_size, stride, padding: [0, 0] }];
}

function* convolution({ of, tensor, numeric }: Trial, layer: LayerTrial, own: Windows): Iterable<Guess> {
  const { upstream, input, parameters } = layer;
  const weight = parameters.get('weight') ?? input;
  const handedBack = (windows: Windows, weights: Float64Array): Float64Array => {
    const values = new Float64Array(input.length);
    visit(layer, windows, true, (y, x, w) => (values[x] += upstream[y] * weights[w]));
    return values;
  };
  for (const [name, without] of forgotten(own)) {
    const values = of === 'input' ? handedBack(without, weight) : new Float64Array(numeric.length);
    if (tensor === 'weight') visit(layer, without, true, (y, x, w) => (values[w] += upstream[y] * input[x]));
    yield { cause: 'options_ignored', words: `ignores the ${name}`, values };
  }
  if (of !== 'input') return;
  for (const [cause, words, values] of turned(weight, [1, 1, ...own.kernel_size])) {
    yield { cause, words: `is made with weights whose window ${words}`, values: handedBack(own, values) };
  }
  yield { cause: 'weights_ignored', words: 'leaves the weights out', values: handedBack(own, weight.map(() => 1)) };
}

/** Each window of a tensor of four dimensions turned around or, where it is square, transposed. */
export function* turned(values: Float64Array, shape: Shape): Iterable<readonly [Guess['cause'], string, Float64Array]> {
  if (shape.length !== 4) return;
  const [height, width] = shape.slice(2);
  const size = height * width;
  const moved = (from: (row: number, column: number) => number): Float64Array =>
    values.map((_, i) => values[i - (i % size) + from(Math.floor((i % size) / width), i % width)]);
  if (size > 1) yield ['mirrored', 'is turned around', moved((row, column) => size - 1 - row * width - column)];
  if (height > 1 && width > 1) {
    yield ['mirrored', 'is upside down', moved((row, column) => (height - 1 - row) * width + column)];
    yield ['mirrored', 'is mirrored from left to right', moved((row, column) => row * width + width - 1 - column)];
  }
  if (height === width && height > 1) yield ['transposed', 'is transposed', moved((row, column) => column * width + row)];
}

function* pooling(layer: LayerTrial, own: Windows): Iterable<Guess> {
  const { upstream, input, output } = layer;
  const under = Array.from(upstream, (): number[] => []);
  visit(layer, own, false, (y, x) => under[y].push(x));
  const shared = (give: (seen: readonly number[], y: number) => Iterable<readonly [number, number]>): Float64Array => {
    const values = new Float64Array(input.length);
    under.forEach((seen, y) => {
      for (const [x, share] of give(seen, y)) values[x] += share * upstream[y];
    });
    return values;
  };
  const best = (seen: readonly number[], sign: number): number => seen.reduce((a, b) => (sign * input[b] > sign * input[a] ? b : a));
  const area = own.kernel_size[0] * own.kernel_size[1];
  if (under.every((seen, y) => seen.length > 0 && input[best(seen, 1)] === output[y])) {
    const wrong = (words: string, values: Float64Array): Guess => ({ cause: 'winners_ignored', words, values });
    yield wrong('goes to every number of a window, and should go to the largest only', shared((seen) => seen.map((x) => [x, 1])));
    yield wrong('is shared out evenly, as in average pooling, and should go to the largest of a window', shared((seen) => seen.map((x) => [x, 1 / seen.length])));
    yield wrong('goes to the first number of a window, and should go to the largest', shared((seen) => [[seen[0], 1]]));
    yield wrong('goes to the last number of a window, and should go to the largest', shared((seen) => [[seen[seen.length - 1], 1]]));
    yield wrong('goes to the smallest number of a window, and should go to the largest', shared((seen) => [[best(seen, -1), 1]]));
    return;
  }
  for (const [where, at] of [['first', 0], ['last', -1]] as const) {
    yield { cause: 'place_missing', words: `goes to the ${where} number of a window alone`, values: shared((seen) => (seen.length > 0 ? [[seen.at(at) ?? 0, 1 / area]] : [])) };
  }
}

/** Where several places of the output hand back to one number of the input, the last one alone counts. */
function* overwritten(layer: LayerTrial): Iterable<Guess> {
  const found = layer.slopes();
  if (!found) return;
  const { inputs, outputs, right } = found;
  const [, , rows = 1, columns = 1] = layer.outputShape;
  const inImage = layer.outputShape.length === 4 ? rows * columns : outputs;
  const values = new Float64Array(layer.samples * inputs);
  for (let sample = 0; sample < layer.samples; sample++) for (let i = 0; i < inputs; i++) {
    let last = -1;
    let share = 0;
    for (let o = 0; o < outputs; o++) {
      const slope = right[(sample * outputs + o) * inputs + i];
      if (slope === 0 || o % inImage < last) continue;
      if (o % inImage > last) share = 0;
      last = o % inImage;
      share += slope * layer.upstream[sample * outputs + o];
    }
    values[sample * inputs + i] = share;
  }
  yield { cause: 'overwritten', words: 'has only what the last output gave where several hand back to one input: they have to be added up', values };
}
