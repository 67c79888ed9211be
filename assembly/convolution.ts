// Convolution as matrix products, without im2col of a whole image. Most convolutions work directly on a copy of the
// image (implicit-gemm.ts, nhwc-weight-gradient.ts); those with strides, few windows per row or few channels use im2col
// (im2col-convolution.ts).
import {
  BIAS,
  exceedsParallelThreshold,
  OUT_SIZE,
  PARTS,
  PATCH_SIZE,
  setConvolutionJob,
  size,
} from './convolution-job';
import { MAX_KERNEL_AREA_BACK, STRIP } from './im2col-convolution';
import { planImplicitGemm } from './implicit-gemm';
import {
  CONVOLVE,
  CONVOLVE_BACKWARD_INPUT,
  CONVOLVE_BACKWARD_WEIGHT,
  FLIP_KERNEL,
  IMPLICIT_GEMM,
  setJobField,
} from './job';
import { accumulateSum, planeSum, planNhwcWeightGradient } from './nhwc-weight-gradient';
import { parallelFor } from './parallel';
import { SIZE } from './vectors';

/** y[images, outputs, …windows]; weight [outputs, positions]. */
export function conv2d(
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
  setConvolutionJob(
    CONVOLVE,
    y,
    x,
    weight,
    bias,
    images,
    channels,
    height,
    width,
    outputs,
    kernelY,
    kernelX,
    strideY,
    strideX,
    paddingY,
    paddingX,
  );
  const chunks = planImplicitGemm();
  if (chunks > 0) {
    parallelFor(chunks, exceedsParallelThreshold());
    return;
  }
  const strips = (size(OUT_SIZE) + STRIP - 1) / STRIP;
  setJobField(CONVOLVE, PARTS, strips);
  parallelFor(images * strips, exceedsParallelThreshold());
}

/** Adds to dWeight, and to dBias unless it is 0. */
export function conv2dBackwardWeight(
  dWeight: usize,
  dBias: usize,
  dy: usize,
  x: usize,
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
  setConvolutionJob(
    CONVOLVE_BACKWARD_WEIGHT,
    dy,
    x,
    dWeight,
    dBias,
    images,
    channels,
    height,
    width,
    outputs,
    kernelY,
    kernelX,
    strideY,
    strideX,
    paddingY,
    paddingX,
  );
  const chunks = planNhwcWeightGradient();
  if (chunks > 0) {
    parallelFor(chunks, exceedsParallelThreshold());
    return;
  }
  const places = size(PATCH_SIZE);
  // A kernel with few positions gets small chunks, so that there are enough of them.
  const part = places < 256 ? STRIP / 2 : STRIP;
  setJobField(CONVOLVE_BACKWARD_WEIGHT, PARTS, part);
  parallelFor((places + part - 1) / part, exceedsParallelThreshold());
  if (dBias) sumChannels(dBias, dy, images, outputs, size(OUT_SIZE));
}

function sumChannels(sums: usize, dy: usize, images: i32, channels: i32, n: i32): void {
  const plane = <usize>n * SIZE;
  for (let channel = 0; channel < channels; channel++) {
    let total: f64 = 0;
    for (let image = 0; image < images; image++)
      total += <f64>planeSum(dy + <usize>(image * channels + channel) * plane, n);
    accumulateSum(sums + <usize>channel * SIZE, total);
  }
}

/**
 * Writes all of dx. Windows have at most MAX_KERNEL_AREA_BACK positions per channel. `flipped` is memory for as many
 * weights, or 0.
 */
export function conv2dBackwardInput(
  dx: usize,
  dy: usize,
  weight: usize,
  flipped: usize,
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
  if (
    implicitGemmBackwardInput(
      dx,
      dy,
      weight,
      flipped,
      images,
      channels,
      height,
      width,
      outputs,
      kernelY,
      kernelX,
      strideY,
      strideX,
      paddingY,
      paddingX,
    )
  )
    return;
  setConvolutionJob(
    CONVOLVE_BACKWARD_INPUT,
    dy,
    dx,
    weight,
    0,
    images,
    channels,
    height,
    width,
    outputs,
    kernelY,
    kernelX,
    strideY,
    strideX,
    paddingY,
    paddingX,
  );
  const groupSize = min(channels, MAX_KERNEL_AREA_BACK / (kernelY * kernelX));
  setJobField(CONVOLVE_BACKWARD_INPUT, PARTS, groupSize);
  parallelFor(images * ((channels + groupSize - 1) / groupSize), exceedsParallelThreshold());
}

/**
 * Computes dx as a convolution of dy with the flipped weights, which are written to `flipped`. @returns false if
 * another algorithm is faster
 */
function implicitGemmBackwardInput(
  dx: usize,
  dy: usize,
  weight: usize,
  flipped: usize,
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
): bool {
  if (!flipped || strideY != 1 || strideX != 1) return false;
  const down = height + 2 * paddingY - kernelY + 1,
    across = width + 2 * paddingX - kernelX + 1;
  setConvolutionJob(
    IMPLICIT_GEMM,
    dx,
    dy,
    flipped,
    0,
    images,
    outputs,
    down,
    across,
    channels,
    kernelY,
    kernelX,
    1,
    1,
    kernelY - 1 - paddingY,
    kernelX - 1 - paddingX,
  );
  const chunks = planImplicitGemm();
  if (chunks == 0) return false;
  setJobField(FLIP_KERNEL, BIAS, weight);
  parallelFor(channels, exceedsParallelThreshold());
  setJobField(IMPLICIT_GEMM, BIAS, 0);
  parallelFor(chunks, exceedsParallelThreshold());
  return true;
}
