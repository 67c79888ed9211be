// The job of a convolution: addresses and sizes, the same for each algorithm and for all threads.
import { jobField, setJobField } from './job';

/** Multiply-adds from which a convolution runs in parallel. */
const PARALLEL_THRESHOLD: i64 = 500000;

/** Fields of the job. */
export const Y = 0,
  X = 1,
  WEIGHT = 2,
  BIAS = 3,
  IMAGES = 4,
  CHANNELS = 5,
  HEIGHT = 6,
  WIDTH = 7,
  OUT_CHANNELS = 8,
  KERNEL_Y = 9,
  KERNEL_X = 10,
  STRIDE_Y = 11,
  STRIDE_X = 12,
  PADDING_Y = 13,
  PADDING_X = 14,
  OUT_HEIGHT = 15,
  OUT_WIDTH = 16,
  PATCH_SIZE = 17,
  OUT_SIZE = 18,
  PARTS = 19,
  BAND = 20,
  GROUP_SIZE = 21;

// @ts-ignore: decorator
@inline
export function size(which: usize): i32 {
  return <i32>jobField(which);
}

export function setConvolutionJob(
  kind: i32,
  y: usize,
  x: usize,
  weight: usize,
  bias: usize,
  images: i32,
  channels: i32,
  height: i32,
  width: i32,
  outputs: i32,
  kernelY: i32,
  kernelX: i32,
  strideY: i32,
  strideX: i32,
  paddingY: i32,
  paddingX: i32,
): void {
  setJobField(kind, Y, y);
  setJobField(kind, X, x);
  setJobField(kind, WEIGHT, weight);
  setJobField(kind, BIAS, bias);
  setJobField(kind, IMAGES, images);
  setJobField(kind, CHANNELS, channels);
  setJobField(kind, HEIGHT, height);
  setJobField(kind, WIDTH, width);
  setJobField(kind, OUT_CHANNELS, outputs);
  setJobField(kind, KERNEL_Y, kernelY);
  setJobField(kind, KERNEL_X, kernelX);
  setJobField(kind, STRIDE_Y, strideY);
  setJobField(kind, STRIDE_X, strideX);
  setJobField(kind, PADDING_Y, paddingY);
  setJobField(kind, PADDING_X, paddingX);
  const down = (height + 2 * paddingY - kernelY) / strideY + 1,
    across = (width + 2 * paddingX - kernelX) / strideX + 1;
  setJobField(kind, OUT_HEIGHT, down);
  setJobField(kind, OUT_WIDTH, across);
  setJobField(kind, PATCH_SIZE, channels * kernelY * kernelX);
  setJobField(kind, OUT_SIZE, down * across);
}

// @ts-ignore: decorator
@inline
export function exceedsParallelThreshold(): bool {
  return <i64>size(IMAGES) * size(OUT_CHANNELS) * size(PATCH_SIZE) * size(OUT_SIZE) >= PARALLEL_THRESHOLD;
}
