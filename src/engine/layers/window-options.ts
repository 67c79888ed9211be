// Options and shape checks that convolution and pooling share.
import * as z from 'zod/mini';
import { alias } from '../option-schemas';
import { formatShape, type Shape, type Shape3 } from '../kernels/tensor';
import { type Pair, strideOf, type WindowOptions, outputSize, windowSpan } from '../kernels/windows';
import type { InputMismatch, LayerReceptiveField } from './layer';

/** One number for both directions, or [height, width]; parses to the second form. */
export const sizePair = (minimum: 0 | 1, description: string, ...aliases: string[]) => {
  // `abort` keeps checks of the whole layer from running: they rely on both sizes.
  const each = z.int({ abort: true }).check(z.gte(minimum, { abort: true }));
  return z
    .pipe(
      z.union([each, z.array(each).check(z.length(2, { abort: true }))]),
      z.transform((given): Pair => (typeof given === 'number' ? [given, given] : [given[0]!, given[1]!])),
    )
    .check(z.describe(`${description} One number, or [height, width].`), alias(...aliases));
};

/** In the order of the docs. */
const windowOptions = <Stride extends z.ZodMiniType>(stride: Stride) => ({
  kernel_size: sizePair(1, 'Size of the window.', 'kernel', 'filter_size', 'window', 'pool_size'),
  stride,
  padding: z.prefault(sizePair(0, 'Zeros added on each side of the image.', 'pad'), 0),
});

export const convolutionOptions = windowOptions(
  z.prefault(sizePair(1, 'Distance from one window to the next.', 'strides'), 1),
);
export const dilationOption = z.prefault(
  sizePair(1, 'Distance between the positions of a window.', 'dilation_rate'),
  1,
);
export const poolingOptions = windowOptions(
  z.optional(sizePair(1, 'Distance from one window to the next. By default, `kernel_size`.', 'strides')),
);

/** PyTorch's rule for pooling: otherwise a window could contain only padding. */
export const validatePadding = z.superRefine<WindowOptions>(({ kernel_size, padding }, context) => {
  const limits = kernel_size.map((size) => Math.floor(size / 2));
  if (padding.every((size, i) => size <= limits[i]!)) return;
  context.addIssue({
    code: 'custom',
    path: ['padding'],
    input: padding,
    message: `A padding of ${formatShape(padding)} is more than half of the window size ${formatShape(kernel_size)}.`,
    params: { code: 'too-much-padding', remedy: `Choose at most ${formatShape(limits)}.` },
  });
});

/** For layers that take images. */
export const NEEDS_IMAGES: InputMismatch = {
  requirement: 'needs images, channels × height × width',
  remedy: 'Use data with images, and put this layer before any "flatten".',
};

/** Why an input does not fit the windows. */
export function checkWindowedInput(input: Shape, windows: WindowOptions): InputMismatch | undefined {
  if (input.length !== 3) return NEEDS_IMAGES;
  const [, height, width] = input as Shape3;
  const { padding } = windows;
  const span = windowSpan(windows);
  if (outputSize(height, width, windows).every((size) => size >= 1)) return undefined;
  const minimum = span.map((size, i) => Math.max(1, size - 2 * padding[i]!));
  const padded = padding.some((size) => size > 0) ? ' besides the padding' : '';
  return {
    requirement: `has windows of ${formatShape(span)} and needs at least ${formatShape(minimum)}${padded}`,
    remedy: 'Choose a smaller "kernel_size" or more "padding", or shrink the image less in the layers before.',
    option: 'kernel_size',
  };
}

export const windowedOutputShape = (channels: number, [, height, width]: Shape, windows: WindowOptions): Shape => [
  channels,
  ...outputSize(height!, width!, windows),
];

export function windowedReceptiveField(windows: WindowOptions): LayerReceptiveField {
  const stride = strideOf(windows);
  return windowSpan(windows).map((size, axis) => ({ size, stride: stride[axis]! }));
}
