// Windows that move over images, for convolution and pooling. An image is [channels, height, width]; padding is a
// border of zeros on all four sides.
import type { Shape, Shape3 } from './tensor';

/** Height and width. */
export type Pair = readonly [number, number];

/** Has the option names of layers, so that a layer's options can be passed directly. */
export interface WindowOptions {
  readonly kernel_size: Pair;
  /** Distance between windows; by default, the size of a window. */
  readonly stride?: Pair | undefined;
  readonly padding: Pair;
  /** Distance between the positions of a window; 1 by default. */
  readonly dilation?: Pair | undefined;
  /** Groups of channels that a convolution computes separately; 1 by default. */
  readonly groups?: number | undefined;
}

export const strideOf = ({ kernel_size, stride }: WindowOptions): Pair => stride ?? kernel_size;

const UNDILATED: Pair = [1, 1];
export const dilationOf = ({ dilation }: WindowOptions): Pair => dilation ?? UNDILATED;

/** Positions from the first to the last of a window, vertically and horizontally. */
export function windowSpan(windows: WindowOptions): Pair {
  const { kernel_size } = windows;
  const dilation = dilationOf(windows);
  return [dilation[0] * (kernel_size[0] - 1) + 1, dilation[1] * (kernel_size[1] - 1) + 1];
}

const outputLength = (size: number, span: number, stride: number, padding: number): number =>
  Math.floor((size + 2 * padding - span) / stride) + 1;

/** The number of windows vertically and horizontally; below 1 if none fits. */
export function outputSize(height: number, width: number, windows: WindowOptions): Pair {
  const { padding } = windows;
  const [span, stride] = [windowSpan(windows), strideOf(windows)];
  return [outputLength(height, span[0], stride[0], padding[0]), outputLength(width, span[1], stride[1], padding[1])];
}

/** The shape of a group of an image after im2col: a column for each window, a row for each channel and place in it. */
export function im2colShape(image: Shape, windows: WindowOptions): Shape {
  const [channels, height, width] = image as Shape3;
  const { kernel_size, groups = 1 } = windows;
  const [rows, columns] = outputSize(height, width, windows);
  return [(channels / groups) * kernel_size[0] * kernel_size[1], rows * columns];
}
