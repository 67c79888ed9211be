// Mistakes in layers with windows over images: backward passes as loops, each with one mistake.
import type { LayerDefinition } from '../../../src/engine/layers/layer';
import { strideOf, type WindowOptions, outputSize } from '../../../src/engine/kernels/windows';
import {
  afterBackward,
  type Cause,
  type Context,
  type Fault,
  withBackwardOverrides,
  type Site,
  type Values,
} from './fault';

/** One number of the input in one window, with flat indices for lookups. */
interface WindowElement {
  readonly sample: number;
  /** Channel of the input and of the output; pooling uses only one. */
  readonly channel: number;
  readonly out: number;
  /** The window, and the position in it. */
  readonly u: number;
  readonly v: number;
  readonly i: number;
  readonly j: number;
  readonly x: number;
  readonly y: number;
}

const windowsOf = ({ options }: Pick<Context, 'options'>): WindowOptions => options as WindowOptions;

/** Visits every number in every window, without padding. @param windows replaces the layer's own */
function* windowElements(
  { input, output, options }: Context,
  convolution: boolean,
  windows = windowsOf({ options }),
): Iterable<WindowElement> {
  const [samples, channels, height, width] = input.shape;
  const [, outs, rows, columns] = output.shape;
  const [[kh, kw], [sh, sw], [ph, pw]] = [windows.kernel_size, strideOf(windows), windows.padding];
  for (let sample = 0; sample < samples; sample++)
    for (let out = 0; out < outs; out++)
      for (let u = 0; u < rows; u++)
        for (let v = 0; v < columns; v++) {
          const y = ((sample * outs + out) * rows + u) * columns + v;
          for (let channel = convolution ? 0 : out; channel < (convolution ? channels : out + 1); channel++) {
            for (let i = 0; i < kh; i++)
              for (let j = 0; j < kw; j++) {
                const [row, column] = [u * sh - ph + i, v * sw - pw + j];
                if (row < 0 || row >= height || column < 0 || column >= width) continue;
                yield {
                  sample,
                  channel,
                  out,
                  u,
                  v,
                  i,
                  j,
                  y,
                  x: ((sample * channels + channel) * height + row) * width + column,
                };
              }
          }
        }
}

type Write = (gradient: Values, context: Context) => void;

const writeGradient =
  (tensor: string, write: Write) =>
  (inner: LayerDefinition): LayerDefinition =>
    afterBackward(inner, tensor, ({ data }, context) => {
      data.fill(0);
      write(data, context);
    });

const isSite =
  (
    kind: Site['kind'],
    tensor: string,
    matches: (windows: WindowOptions & { readonly count_include_pad?: boolean }, site: Site) => boolean = () => true,
  ) =>
  (site: Site): boolean =>
    site.kind === kind && site.tensor === tensor && matches(site.options as WindowOptions, site);

const overlaps = (windows: WindowOptions): boolean =>
  strideOf(windows).some((stride, axis) => stride < windows.kernel_size[axis]);
const isPadded = ({ padding }: WindowOptions): boolean => padding.some((size) => size > 0);
const isSquare = ({ kernel_size: [height, width] }: WindowOptions): boolean => height === width && height > 1;
const isLargerThanOne = ({ kernel_size }: WindowOptions): boolean => kernel_size.every((size) => size > 1);

const weightIndexOf = (
  {
    parameters,
    input: {
      shape: [, channels],
    },
    options,
  }: Context,
  { out, channel, i, j }: Pick<WindowElement, 'out' | 'channel' | 'i' | 'j'>,
): number => {
  const [kh, kw] = windowsOf({ options }).kernel_size;
  return Math.min(((out * channels + channel) * kh + i) * kw + j, parameters.weight.data.length - 1);
};

/** dW = Σ dy x, where `by` selects the numbers and where they are added. */
const weightFault = (
  by: (context: Context, at: WindowElement) => Pick<WindowElement, 'out' | 'channel' | 'i' | 'j'> | null,
  windows?: (own: WindowOptions) => WindowOptions,
) =>
  writeGradient('weight', (gradient, context) => {
    for (const at of windowElements(context, true, windows?.(windowsOf(context)))) {
      const to = by(context, at);
      if (to) gradient[weightIndexOf(context, to)] += context.gradOutput.data[at.y] * context.input.data[at.x];
    }
  });

/** dx = Σ dy w, where `by` selects the weight. */
const inputFault = (
  by: (context: Context, at: WindowElement) => number,
  windows?: (own: WindowOptions) => WindowOptions,
) =>
  writeGradient('input', (gradient, context) => {
    for (const at of windowElements(context, true, windows?.(windowsOf(context))))
      gradient[at.x] += context.gradOutput.data[at.y] * by(context, at);
  });

const weightOf = (context: Context, at: WindowElement): number =>
  context.parameters.weight.data[weightIndexOf(context, at)];
const flipped = (context: Context, at: WindowElement): WindowElement => {
  const [kh, kw] = windowsOf(context).kernel_size;
  return { ...at, i: kh - 1 - at.i, j: kw - 1 - at.j };
};
const noStride = (windows: WindowOptions): WindowOptions => ({ ...windows, stride: [1, 1] });
const noPadding = (windows: WindowOptions): WindowOptions => ({ ...windows, padding: [0, 0] });
const isStrided = (windows: WindowOptions): boolean => strideOf(windows).some((stride) => stride > 1);

const biasFault = (use: (u: number, v: number, rows: number) => boolean) =>
  writeGradient(
    'bias',
    (
      gradient,
      {
        gradOutput: {
          data,
          shape: [, outs, rows, columns],
        },
      },
    ) =>
      data.forEach((dy, i) => {
        if (use(Math.floor(i / columns) % rows, i % columns, rows))
          gradient[Math.floor(i / (rows * columns)) % outs] += dy;
      }),
  );

const imageFault = (
  kind: string,
  causes: readonly Cause[],
  fits: Fault['fits'],
  layer: NonNullable<Fault['layer']>,
): Fault => ({ kind, causes, fits, layer, networkKind: 'images' });

const positionCount = ({
  output: {
    shape: [, , rows, columns],
  },
}: Context): number => rows * columns;

const CONVOLUTIONS: readonly Fault[] = [
  imageFault(
    'convolution: gradient of the weights turned around',
    ['mirrored'],
    isSite('conv2d', 'weight', isLargerThanOne),
    weightFault((context, at) => flipped(context, at)),
  ),
  imageFault(
    'convolution: weights turned around on the way back',
    ['mirrored'],
    isSite('conv2d', 'input', isLargerThanOne),
    inputFault((context, at) => weightOf(context, flipped(context, at))),
  ),
  imageFault(
    'convolution: rows and columns of the weights swapped',
    ['transposed'],
    isSite('conv2d', 'weight', isSquare),
    weightFault((_, at) => ({ ...at, i: at.j, j: at.i })),
  ),
  imageFault(
    'convolution: stride forgotten, weights',
    ['options_ignored'],
    isSite('conv2d', 'weight', isStrided),
    weightFault((_, at) => at, noStride),
  ),
  imageFault(
    'convolution: stride forgotten on the way back',
    ['options_ignored'],
    isSite('conv2d', 'input', isStrided),
    inputFault(weightOf, noStride),
  ),
  imageFault(
    'convolution: padding forgotten, weights',
    ['options_ignored'],
    isSite('conv2d', 'weight', isPadded),
    weightFault((_, at) => at, noPadding),
  ),
  imageFault(
    'convolution: padding forgotten on the way back',
    ['options_ignored'],
    isSite('conv2d', 'input', isPadded),
    inputFault(weightOf, noPadding),
  ),
  imageFault('convolution: averaged over the places, weights', ['factor'], isSite('conv2d', 'weight'), (inner) =>
    afterBackward(inner, 'weight', ({ data }, context) =>
      data.forEach((value, i) => (data[i] = value / positionCount(context))),
    ),
  ),
  imageFault('convolution: averaged over the places, bias', ['factor'], isSite('conv2d', 'bias'), (inner) =>
    afterBackward(inner, 'bias', ({ data }, context) =>
      data.forEach((value, i) => (data[i] = value / positionCount(context))),
    ),
  ),
  imageFault(
    'convolution: bias of the first place only',
    ['place_missing'],
    isSite('conv2d', 'bias'),
    biasFault((u, v) => u === 0 && v === 0),
  ),
  imageFault(
    'convolution: last row of places left out, weights',
    ['place_missing'],
    isSite('conv2d', 'weight'),
    weightFault(({ output: { shape } }, at) => (at.u === shape[2] - 1 ? null : at)),
  ),
  imageFault(
    'convolution: last row of places left out, bias',
    ['place_missing'],
    isSite('conv2d', 'bias'),
    biasFault((u, _, rows) => u < rows - 1),
  ),
  imageFault(
    'convolution: last column of the weights left out',
    ['single_entries'],
    isSite('conv2d', 'weight', ({ kernel_size }) => kernel_size[1] > 1),
    weightFault(({ options }, at) => (at.j === windowsOf({ options }).kernel_size[1] - 1 ? null : at)),
  ),
  imageFault(
    'convolution: first image only',
    ['one_sample'],
    isSite('conv2d', 'weight'),
    weightFault((_, at) => (at.sample === 0 ? at : null)),
  ),
  imageFault(
    'convolution: last output channel only is handed back',
    ['channel_missing'],
    isSite('conv2d', 'input'),
    inputFault((context, at) => (at.out === context.output.shape[1] - 1 ? weightOf(context, at) : 0)),
  ),
  imageFault(
    'convolution: overlapping windows overwrite each other',
    ['overwritten'],
    isSite('conv2d', 'input', overlaps),
    writeGradient('input', (gradient, context) => {
      const last = new Map<number, number>();
      for (const at of windowElements(context, true)) {
        const window = at.u * context.output.shape[3] + at.v;
        const share = context.gradOutput.data[at.y] * weightOf(context, at);
        if ((last.get(at.x) ?? -1) > window) continue;
        gradient[at.x] = last.get(at.x) === window ? gradient[at.x] + share : share;
        last.set(at.x, window);
      }
    }),
  ),
  imageFault(
    'convolution: handed back without the weights',
    ['weights_ignored'],
    isSite('conv2d', 'input'),
    inputFault(() => 1),
  ),
];

/** The windows of a pooling with the numbers that they contain. */
function* poolingWindows(context: Context): Iterable<readonly [y: number, under: readonly WindowElement[]]> {
  const under: WindowElement[] = [];
  for (const at of windowElements(context, false)) {
    if (under.length > 0 && under[0].y !== at.y) yield [under[0].y, under.splice(0)];
    under.push(at);
  }
  if (under.length > 0) yield [under[0].y, under];
}

/** Each window passes its gradient to some of its numbers. */
const poolingFault = (
  shareOut: (under: readonly WindowElement[], context: Context) => readonly (readonly [WindowElement, number])[],
  overwrite = false,
) =>
  writeGradient('input', (gradient, context) => {
    for (const [y, under] of poolingWindows(context))
      for (const [{ x }, share] of shareOut(under, context)) {
        gradient[x] = share * context.gradOutput.data[y] + (overwrite ? 0 : gradient[x]);
      }
  });

const extremeElement = (
  under: readonly WindowElement[],
  { input: { data } }: Context,
  sign: 1 | -1 = 1,
): WindowElement => under.reduce((best, at) => (sign * data[at.x] > sign * data[best.x] ? at : best));
const windowArea = ({ options }: Context): number =>
  windowsOf({ options }).kernel_size[0] * windowsOf({ options }).kernel_size[1];

const POOLINGS: readonly Fault[] = [
  imageFault(
    'max pooling: handed to every pixel',
    ['winners_ignored'],
    isSite('max_pool2d', 'input'),
    poolingFault((under) => under.map((at) => [at, 1] as const)),
  ),
  imageFault(
    'max pooling: shared out as in average pooling',
    ['winners_ignored'],
    isSite('max_pool2d', 'input'),
    poolingFault((under) => under.map((at) => [at, 1 / under.length] as const)),
  ),
  imageFault(
    'max pooling: handed to the first pixel',
    ['winners_ignored'],
    isSite('max_pool2d', 'input'),
    poolingFault((under) => [[under[0], 1]]),
  ),
  imageFault(
    'max pooling: handed to the smallest pixel',
    ['winners_ignored'],
    isSite('max_pool2d', 'input'),
    poolingFault((under, context) => [[extremeElement(under, context, -1), 1]]),
  ),
  imageFault(
    'max pooling: overlapping windows overwrite each other',
    ['overwritten'],
    isSite('max_pool2d', 'input', overlaps),
    poolingFault((under, context) => [[extremeElement(under, context), 1]], true),
  ),
  imageFault(
    'max pooling: winners of the step before',
    ['from_earlier_call'],
    isSite('max_pool2d', 'input'),
    (inner) => {
      let last: Values | null = null;
      return withBackwardOverrides(inner, 'input', ({ input: { data } }) => {
        const before = last ?? data;
        last = data.slice();
        return { input: data.map((_, i) => before[i % before.length]) };
      });
    },
  ),
  imageFault(
    'average pooling: not divided',
    ['factor'],
    isSite('avg_pool2d', 'input', (windows) => !isPadded(windows)),
    poolingFault((under) => under.map((at) => [at, 1] as const)),
  ),
  imageFault(
    'average pooling: divided by the height alone',
    ['factor'],
    isSite('avg_pool2d', 'input', (windows) => !isPadded(windows) && isLargerThanOne(windows)),
    poolingFault((under, context) => under.map((at) => [at, 1 / windowsOf(context).kernel_size[0]] as const)),
  ),
  imageFault(
    'average pooling: handed to the first pixel',
    ['place_missing'],
    isSite('avg_pool2d', 'input', (windows) => !isPadded(windows)),
    poolingFault((under, context) => [[under[0], 1 / windowArea(context)]]),
  ),
  imageFault(
    'average pooling: overlapping windows overwrite each other',
    ['overwritten'],
    isSite('avg_pool2d', 'input', (windows) => overlaps(windows) && !isPadded(windows)),
    poolingFault((under, context) => under.map((at) => [at, 1 / windowArea(context)] as const), true),
  ),
  imageFault(
    'average pooling: count_include_pad forgotten',
    ['options_ignored'],
    isSite('avg_pool2d', 'input', (windows) => isPadded(windows) && windows.count_include_pad === false),
    poolingFault((under, context) => under.map((at) => [at, 1 / windowArea(context)] as const)),
  ),
];

/** Whether windows fit an image of this size. */
export const fitsOver = ([, height, width]: readonly number[], windows: WindowOptions): boolean =>
  outputSize(height, width, windows).every((size) => size >= 2);

export const IMAGE_FAULTS: readonly Fault[] = [...CONVOLUTIONS, ...POOLINGS];
