// What a convolution is told: addresses and sizes, the same for all its ways and for all threads.
import { describe, described } from './jobs';

/** Multiply-adds that are worth handing a part to another thread. */
const WORTH: i64 = 500000;

/** What the job says, by number. */
export const Y = 0, X = 1, WEIGHT = 2, BIAS = 3, IMAGES = 4, CHANNELS = 5, HEIGHT = 6, WIDTH = 7, OUTPUTS = 8, KERNEL_Y = 9, KERNEL_X = 10,
  STRIDE_Y = 11, STRIDE_X = 12, PADDING_Y = 13, PADDING_X = 14, DOWN = 15, ACROSS = 16, PLACES = 17, WINDOWS = 18, PARTS = 19,
  BAND = 20, TOGETHER = 21;

// @ts-ignore: decorator
@inline
export function size(which: usize): i32 {
  return <i32>described(which);
}

export function describeAll(
  kind: i32, y: usize, x: usize, weight: usize, bias: usize, images: i32, channels: i32, height: i32, width: i32, outputs: i32,
  kernelY: i32, kernelX: i32, strideY: i32, strideX: i32, paddingY: i32, paddingX: i32,
): void {
  describe(kind, Y, y); describe(kind, X, x); describe(kind, WEIGHT, weight); describe(kind, BIAS, bias);
  describe(kind, IMAGES, images); describe(kind, CHANNELS, channels); describe(kind, HEIGHT, height); describe(kind, WIDTH, width);
  describe(kind, OUTPUTS, outputs); describe(kind, KERNEL_Y, kernelY); describe(kind, KERNEL_X, kernelX);
  describe(kind, STRIDE_Y, strideY); describe(kind, STRIDE_X, strideX);
  describe(kind, PADDING_Y, paddingY); describe(kind, PADDING_X, paddingX);
  const down = (height + 2 * paddingY - kernelY) / strideY + 1, across = (width + 2 * paddingX - kernelX) / strideX + 1;
  describe(kind, DOWN, down); describe(kind, ACROSS, across);
  describe(kind, PLACES, channels * kernelY * kernelX); describe(kind, WINDOWS, down * across);
}

// @ts-ignore: decorator
@inline
export function isWorth(): bool {
  return <i64>size(IMAGES) * size(OUTPUTS) * size(PLACES) * size(WINDOWS) >= WORTH;
}
