// Windows that move over images, for convolution and pooling: sizes, and what lies under a window. An image is
// [channels, height, width]; padding is a rim of zeros on all four sides.
import type { Shape } from './tensor';

/** Height and width. */
export type Pair = readonly [number, number];

/** Named as layers name these options, so that a layer's options are its windows. */
export interface Windows {
  readonly kernel_size: Pair;
  /** How far one window is from the next; as far as a window is long unless given. */
  readonly stride?: Pair;
  readonly padding: Pair;
}

export const strideOf = ({ kernel_size, stride }: Windows): Pair => stride ?? kernel_size;

const places = (size: number, kernel: number, stride: number, padding: number): number =>
  Math.floor((size + 2 * padding - kernel) / stride) + 1;

/** How many windows there are, from top to bottom and from left to right; below 1 where none fits. */
export function windowsOver(height: number, width: number, windows: Windows): Pair {
  const { kernel_size, padding } = windows;
  const stride = strideOf(windows);
  return [places(height, kernel_size[0], stride[0], padding[0]), places(width, kernel_size[1], stride[1], padding[1])];
}

/** The shape of one image unfolded: a column for each window, a row for each place in it, channel after channel. */
export function unfoldedShape([channels, height, width]: Shape, windows: Windows): Shape {
  const { kernel_size } = windows;
  const [rows, columns] = windowsOver(height, width, windows);
  return [channels * kernel_size[0] * kernel_size[1], rows * columns];
}
