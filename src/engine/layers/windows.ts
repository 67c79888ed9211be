// What layers with windows over images share: their options, and what they say of inputs that do not fit.
import * as z from 'zod/mini';
import { formatShape, type Shape } from '../kernels/tensor';
import { type Pair, strideOf, type Windows, windowsOver } from '../kernels/windows';
import type { Misfit, Sight } from './layer';

/** One number for both directions, or [height, width]; gives the second form. */
const pair = (least: 0 | 1, description: string) => {
  const each = z.int().check(z.gte(least, `must be ${least} or more`));
  return z
    .pipe(
      z.union([each, z.array(each).check(z.length(2, 'must be [height, width]'))]),
      z.transform((given): Pair => (typeof given === 'number' ? [given, given] : [given[0], given[1]])),
    )
    .check(z.describe(`${description} One number, or [height, width].`));
};

/** In the order that people read them in. */
const windowOptions = <Stride extends z.ZodMiniType>(stride: Stride) => ({
  kernel_size: pair(1, 'Size of a window.'),
  stride,
  padding: z.prefault(pair(0, 'Rim of zeros around the image.'), 0),
});

export const convolutionOptions = windowOptions(z.prefault(pair(1, 'Steps from one window to the next.'), 1));
export const poolingOptions = windowOptions(z.optional(pair(1, 'Steps from one window to the next; `kernel_size` unless given.')));

/** PyTorch's rule for pooling: otherwise a window could hold nothing but padding. */
export const paddingFits = z.superRefine<Windows>(({ kernel_size, padding }, context) => {
  const limits = kernel_size.map((size) => Math.floor(size / 2));
  if (padding.every((size, i) => size <= limits[i])) return;
  context.addIssue({
    code: 'custom', path: ['padding'], input: padding,
    message: `A padding of ${formatShape(padding)} is more than half of the windows' ${formatShape(kernel_size)}.`,
    params: { code: 'too-much-padding', remedy: `Choose at most ${formatShape(limits)}.` },
  });
});

/** Why windows cannot be laid over an input. */
export function windowsMisfit(input: Shape, windows: Windows): Misfit | undefined {
  if (input.length !== 3) {
    return { needs: 'needs images, channels × height × width', remedy: 'Take data of images, and put this layer ahead of any "flatten".' };
  }
  const [, height, width] = input;
  const { kernel_size, padding } = windows;
  if (windowsOver(height, width, windows).every((size) => size >= 1)) return undefined;
  const least = kernel_size.map((size, i) => Math.max(1, size - 2 * padding[i]));
  const padded = padding.some((size) => size > 0) ? ' beside the padding' : '';
  return {
    needs: `has windows of ${formatShape(kernel_size)} and needs at least ${formatShape(least)}${padded}`,
    remedy: 'Choose a smaller "kernel_size" or more "padding", or shrink the image less in the layers ahead.',
    option: 'kernel_size',
  };
}

export const windowedShape = (channels: number, [, height, width]: Shape, windows: Windows): Shape => [
  channels,
  ...windowsOver(height, width, windows),
];

export function windowsSee(windows: Windows): Sight {
  const stride = strideOf(windows);
  return windows.kernel_size.map((size, axis) => ({ size, stride: stride[axis] }));
}
