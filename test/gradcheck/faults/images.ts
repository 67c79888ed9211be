// What goes wrong in layers with windows over images: backward written out in loops, each with one mistake.
import type { LayerDefinition } from '../../../src/engine/layers/layer';
import { strideOf, type Windows, windowsOver } from '../../../src/engine/kernels/windows';
import { after, type Cause, type Context, type Fault, madeFrom, type Site, type Values } from './fault';

/** One number of the input under one window; as flat indices where numbers are looked up. */
interface Seen {
  readonly sample: number;
  /** Of the input and of the output; a pooling looks at one channel only. */
  readonly channel: number;
  readonly out: number;
  /** The window, and the place in it. */
  readonly u: number;
  readonly v: number;
  readonly i: number;
  readonly j: number;
  readonly x: number;
  readonly y: number;
}

const windowsOf = ({ options }: Pick<Context, 'options'>): Windows => options as Windows;

/** Every number under every window; outside of the image is left out. @param windows in place of the layer's own */
function* seen({ input, output, options }: Context, convolution: boolean, windows = windowsOf({ options })): Iterable<Seen> {
  const [samples, channels, height, width] = input.shape;
  const [, outs, rows, columns] = output.shape;
  const [[kh, kw], [sh, sw], [ph, pw]] = [windows.kernel_size, strideOf(windows), windows.padding];
  for (let sample = 0; sample < samples; sample++) for (let out = 0; out < outs; out++) for (let u = 0; u < rows; u++) for (let v = 0; v < columns; v++) {
    const y = ((sample * outs + out) * rows + u) * columns + v;
    for (let channel = convolution ? 0 : out; channel < (convolution ? channels : out + 1); channel++) {
      for (let i = 0; i < kh; i++) for (let j = 0; j < kw; j++) {
        const [row, column] = [u * sh - ph + i, v * sw - pw + j];
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        yield { sample, channel, out, u, v, i, j, y, x: ((sample * channels + channel) * height + row) * width + column };
      }
    }
  }
}

type Write = (gradient: Values, context: Context) => void;

const made = (tensor: string, write: Write) => (inner: LayerDefinition): LayerDefinition =>
  after(inner, tensor, ({ data }, context) => {
    data.fill(0);
    write(data, context);
  });

const isOf = (kind: Site['kind'], tensor: string, also: (windows: Windows & { readonly count_include_pad?: boolean }, site: Site) => boolean = () => true) => (site: Site): boolean =>
  site.kind === kind && site.tensor === tensor && also(site.options as Windows, site);

const overlaps = (windows: Windows): boolean => strideOf(windows).some((stride, axis) => stride < windows.kernel_size[axis]);
const padded = ({ padding }: Windows): boolean => padding.some((size) => size > 0);
const square = ({ kernel_size: [height, width] }: Windows): boolean => height === width && height > 1;
const many = ({ kernel_size }: Windows): boolean => kernel_size.every((size) => size > 1);

const weightAt = ({ parameters, input: { shape: [, channels] }, options }: Context, { out, channel, i, j }: Pick<Seen, 'out' | 'channel' | 'i' | 'j'>): number => {
  const [kh, kw] = windowsOf({ options }).kernel_size;
  return Math.min(((out * channels + channel) * kh + i) * kw + j, parameters.weight.data.length - 1);
};

/** dW = Σ dy x, where `by` says which window numbers are used and where they are added. */
const weights = (by: (context: Context, at: Seen) => Pick<Seen, 'out' | 'channel' | 'i' | 'j'> | null, windows?: (own: Windows) => Windows) =>
  made('weight', (gradient, context) => {
    for (const at of seen(context, true, windows?.(windowsOf(context)))) {
      const to = by(context, at);
      if (to) gradient[weightAt(context, to)] += context.gradOutput.data[at.y] * context.input.data[at.x];
    }
  });

/** dx = Σ dy w: `by` says which weight. */
const handedBack = (by: (context: Context, at: Seen) => number, windows?: (own: Windows) => Windows) =>
  made('input', (gradient, context) => {
    for (const at of seen(context, true, windows?.(windowsOf(context)))) gradient[at.x] += context.gradOutput.data[at.y] * by(context, at);
  });

const own = (context: Context, at: Seen): number => context.parameters.weight.data[weightAt(context, at)];
const around = (context: Context, at: Seen): Seen => {
  const [kh, kw] = windowsOf(context).kernel_size;
  return { ...at, i: kh - 1 - at.i, j: kw - 1 - at.j };
};
const noStride = (windows: Windows): Windows => ({ ...windows, stride: [1, 1] });
const noPadding = (windows: Windows): Windows => ({ ...windows, padding: [0, 0] });
const strides = (windows: Windows): boolean => strideOf(windows).some((stride) => stride > 1);

const biases = (use: (u: number, v: number, rows: number) => boolean) =>
  made('bias', (gradient, { gradOutput: { data, shape: [, outs, rows, columns] } }) =>
    data.forEach((dy, i) => {
      if (use(Math.floor(i / columns) % rows, i % columns, rows)) gradient[Math.floor(i / (rows * columns)) % outs] += dy;
    }));

const fault = (kind: string, causes: readonly Cause[], fits: Fault['fits'], layer: NonNullable<Fault['layer']>): Fault => ({ kind, causes, fits, layer, within: 'images' });

const placesOf = ({ output: { shape: [, , rows, columns] } }: Context): number => rows * columns;

const CONVOLUTIONS: readonly Fault[] = [
  fault('convolution: gradient of the weights turned around', ['mirrored'], isOf('conv2d', 'weight', many), weights((context, at) => around(context, at))),
  fault('convolution: weights turned around on the way back', ['mirrored'], isOf('conv2d', 'input', many), handedBack((context, at) => own(context, around(context, at)))),
  fault('convolution: rows and columns of the weights swapped', ['transposed'], isOf('conv2d', 'weight', square), weights((_, at) => ({ ...at, i: at.j, j: at.i }))),
  fault('convolution: stride forgotten, weights', ['options_ignored'], isOf('conv2d', 'weight', strides), weights((_, at) => at, noStride)),
  fault('convolution: stride forgotten on the way back', ['options_ignored'], isOf('conv2d', 'input', strides), handedBack(own, noStride)),
  fault('convolution: padding forgotten, weights', ['options_ignored'], isOf('conv2d', 'weight', padded), weights((_, at) => at, noPadding)),
  fault('convolution: padding forgotten on the way back', ['options_ignored'], isOf('conv2d', 'input', padded), handedBack(own, noPadding)),
  fault('convolution: averaged over the places, weights', ['factor'], isOf('conv2d', 'weight'), (inner) => after(inner, 'weight', ({ data }, context) => data.forEach((value, i) => (data[i] = value / placesOf(context))))),
  fault('convolution: averaged over the places, bias', ['factor'], isOf('conv2d', 'bias'), (inner) => after(inner, 'bias', ({ data }, context) => data.forEach((value, i) => (data[i] = value / placesOf(context))))),
  fault('convolution: bias of the first place only', ['place_missing'], isOf('conv2d', 'bias'), biases((u, v) => u === 0 && v === 0)),
  fault('convolution: last row of places left out, weights', ['place_missing'], isOf('conv2d', 'weight'), weights(({ output: { shape } }, at) => (at.u === shape[2] - 1 ? null : at))),
  fault('convolution: last row of places left out, bias', ['place_missing'], isOf('conv2d', 'bias'), biases((u, _, rows) => u < rows - 1)),
  fault('convolution: last column of the weights left out', ['single_entries'], isOf('conv2d', 'weight', ({ kernel_size }) => kernel_size[1] > 1), weights(({ options }, at) => (at.j === windowsOf({ options }).kernel_size[1] - 1 ? null : at))),
  fault('convolution: first image only', ['one_sample'], isOf('conv2d', 'weight'), weights((_, at) => (at.sample === 0 ? at : null))),
  fault('convolution: last output channel only is handed back', ['channel_missing'], isOf('conv2d', 'input'), handedBack((context, at) => (at.out === context.output.shape[1] - 1 ? own(context, at) : 0))),
  fault('convolution: overlapping windows overwrite each other', ['overwritten'], isOf('conv2d', 'input', overlaps), made('input', (gradient, context) => {
    const last = new Map<number, number>();
    for (const at of seen(context, true)) {
      const window = at.u * context.output.shape[3] + at.v;
      const share = context.gradOutput.data[at.y] * own(context, at);
      if ((last.get(at.x) ?? -1) > window) continue;
      gradient[at.x] = last.get(at.x) === window ? gradient[at.x] + share : share;
      last.set(at.x, window);
    }
  })),
  fault('convolution: handed back without the weights', ['weights_ignored'], isOf('conv2d', 'input'), handedBack(() => 1)),
];

/** Windows of a pooling, each with what it looks at. */
function* pools(context: Context): Iterable<readonly [y: number, under: readonly Seen[]]> {
  const under: Seen[] = [];
  for (const at of seen(context, false)) {
    if (under.length > 0 && under[0].y !== at.y) yield [under[0].y, under.splice(0)];
    under.push(at);
  }
  if (under.length > 0) yield [under[0].y, under];
}

/** Each window hands its gradient to some of what it saw. */
const pooled = (give: (under: readonly Seen[], context: Context) => readonly (readonly [Seen, number])[], overwrite = false) =>
  made('input', (gradient, context) => {
    for (const [y, under] of pools(context)) for (const [{ x }, share] of give(under, context)) {
      gradient[x] = share * context.gradOutput.data[y] + (overwrite ? 0 : gradient[x]);
    }
  });

const winner = (under: readonly Seen[], { input: { data } }: Context, sign: 1 | -1 = 1): Seen => under.reduce((best, at) => (sign * data[at.x] > sign * data[best.x] ? at : best));
const areaOf = ({ options }: Context): number => windowsOf({ options }).kernel_size[0] * windowsOf({ options }).kernel_size[1];

const POOLINGS: readonly Fault[] = [
  fault('max pooling: handed to every pixel', ['winners_ignored'], isOf('max_pool2d', 'input'), pooled((under) => under.map((at) => [at, 1] as const))),
  fault('max pooling: shared out as in average pooling', ['winners_ignored'], isOf('max_pool2d', 'input'), pooled((under) => under.map((at) => [at, 1 / under.length] as const))),
  fault('max pooling: handed to the first pixel', ['winners_ignored'], isOf('max_pool2d', 'input'), pooled((under) => [[under[0], 1]])),
  fault('max pooling: handed to the smallest pixel', ['winners_ignored'], isOf('max_pool2d', 'input'), pooled((under, context) => [[winner(under, context, -1), 1]])),
  fault('max pooling: overlapping windows overwrite each other', ['overwritten'], isOf('max_pool2d', 'input', overlaps), pooled((under, context) => [[winner(under, context), 1]], true)),
  fault('max pooling: winners of the step before', ['from_earlier_call'], isOf('max_pool2d', 'input'), (inner) => {
    let last: Values | null = null;
    return madeFrom(inner, 'input', ({ input: { data } }) => {
      const before = last ?? data;
      last = data.slice();
      return { input: data.map((_, i) => before[i % before.length]) };
    });
  }),
  fault('average pooling: not divided', ['factor'], isOf('avg_pool2d', 'input', (windows) => !padded(windows)), pooled((under) => under.map((at) => [at, 1] as const))),
  fault('average pooling: divided by the height alone', ['factor'], isOf('avg_pool2d', 'input', (windows) => !padded(windows) && many(windows)), pooled((under, context) => under.map((at) => [at, 1 / windowsOf(context).kernel_size[0]] as const))),
  fault('average pooling: handed to the first pixel', ['place_missing'], isOf('avg_pool2d', 'input', (windows) => !padded(windows)), pooled((under, context) => [[under[0], 1 / areaOf(context)]])),
  fault('average pooling: overlapping windows overwrite each other', ['overwritten'], isOf('avg_pool2d', 'input', (windows) => overlaps(windows) && !padded(windows)), pooled((under, context) => under.map((at) => [at, 1 / areaOf(context)] as const), true)),
  fault('average pooling: count_include_pad forgotten', ['options_ignored'], isOf('avg_pool2d', 'input', (windows) => padded(windows) && windows.count_include_pad === false), pooled((under, context) => under.map((at) => [at, 1 / areaOf(context)] as const))),
];

/** Whether windows can be laid over an image of this size. */
export const fitsOver = ([, height, width]: readonly number[], windows: Windows): boolean => windowsOver(height, width, windows).every((size) => size >= 2);

export const OF_IMAGES: readonly Fault[] = [...CONVOLUTIONS, ...POOLINGS];
