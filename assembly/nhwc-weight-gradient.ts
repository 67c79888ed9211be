// The weight gradients of a convolution from an NHWC copy of the image: what a row of a window sees is contiguous. So
// the gradients are products of dy, in place, with the copy, where a table contains the offset of each window; im2col
// is not needed. They are accumulated in scratch memory over all images and then moved to their places.
import {
  OUT_WIDTH,
  BIAS,
  CHANNELS,
  OUT_HEIGHT,
  HEIGHT,
  IMAGES,
  KERNEL_X,
  KERNEL_Y,
  OUT_CHANNELS,
  PADDING_X,
  PADDING_Y,
  PARTS,
  PATCH_SIZE,
  size,
  STRIDE_X,
  STRIDE_Y,
  GROUP_SIZE,
  WEIGHT,
  WIDTH,
  OUT_SIZE,
  X,
  Y,
  BAND,
} from './convolution-job';
import { NHWC_WEIGHT_GRADIENT, jobField, setJobField } from './job';
import { MAX_OFFSETS, offsets, resultBuffer } from './implicit-gemm';
import { COLUMNS, gemmIndirect, transpose } from './gemm';
import { real } from './real';
import { im2colBuffer } from './scratch';
import { ADD } from './tile';
import { LANES, loadPartial, SIZE, splat, sumLanes, VECTOR } from './vectors';

/** Windows at a time. */
const DEPTH: i32 = 1024 / <i32>SIZE;
/** Channels per chunk, and the most output channels. */
const CHANNELS_PER_CHUNK: i32 = 16;
const OUT_CHANNELS_PER_CHUNK: i32 = 32;
const MIN_CHUNKS: i32 = 8;
/**
 * Memory for the copy, whose last pixels may be written too far; for the sums; and after those, for the bias sums in
 * float64.
 */
const ROOM: i32 = 128 * 1024 - 1024;
const SUMS_BYTES: i32 = 88 * 1024;

/** Elements from one pixel to the next: whole vectors, unless all channels fit into one. */
// @ts-ignore: decorator
@inline
function pixelStride(channels: i32): i32 {
  return channels <= LANES ? channels : (channels + LANES - 1) & -LANES;
}

/** Elements per row of sums: what a row of a window sees, in whole tiles. */
// @ts-ignore: decorator
@inline
function sumRowLength(channels: i32): i32 {
  const tile = 2 * COLUMNS;
  return ((size(KERNEL_X) * pixelStride(channels) + tile - 1) / tile) * tile;
}

/** Splits the gradients of the job into chunks. @returns how many; 0 if another algorithm is faster */
export function planNhwcWeightGradient(): i32 {
  const channels = min(CHANNELS_PER_CHUNK, size(CHANNELS));
  const kernelY = size(KERNEL_Y),
    strideY = size(STRIDE_Y);
  const rowLength = sumRowLength(channels);
  // Most of each tile must be useful.
  if (5 * size(KERNEL_X) * channels < 3 * rowLength) return 0;
  const rowSize = (size(WIDTH) + 2 * size(PADDING_X)) * pixelStride(channels) * <i32>SIZE;
  const fit = ROOM / rowSize - kernelY;
  if (fit < 0 || size(OUT_WIDTH) > MAX_OFFSETS) return 0;
  const band = min(fit / strideY + 1, MAX_OFFSETS / size(OUT_WIDTH));
  const groups = (size(CHANNELS) + CHANNELS_PER_CHUNK - 1) / CHANNELS_PER_CHUNK;
  let outputs = min(OUT_CHANNELS_PER_CHUNK, SUMS_BYTES / (kernelY * rowLength * <i32>SIZE));
  if (outputs < 1) return 0;
  while (outputs > 8 && groups * ((size(OUT_CHANNELS) + outputs - 1) / outputs) < MIN_CHUNKS) outputs /= 2;
  setJobField(NHWC_WEIGHT_GRADIENT, BAND, min(band, size(OUT_HEIGHT)));
  setJobField(NHWC_WEIGHT_GRADIENT, GROUP_SIZE, outputs);
  const parts = (size(OUT_CHANNELS) + outputs - 1) / outputs;
  setJobField(NHWC_WEIGHT_GRADIENT, PARTS, parts);
  return groups * parts;
}

/**
 * Copies rows `top` to `top + rows` of some channels, counted in the image without padding, and adds padding; a few
 * pixels may be written too far.
 */
function copyToNhwc(to: usize, image: usize, channels: i32, top: i32, rows: i32): void {
  const height = size(HEIGHT),
    width = size(WIDTH);
  const pixel = <usize>pixelStride(channels) * SIZE;
  const rim = <usize>size(PADDING_X) * pixel,
    inside = <usize>width * pixel;
  const plane = <usize>(height * width) * SIZE;
  const zero = splat(0);
  for (let y = top; y < top + rows; y++) {
    if (y < 0 || y >= height) {
      clear(to, to + 2 * rim + inside);
      to += 2 * rim + inside;
      continue;
    }
    clear(to, to + rim);
    to += rim;
    const row = image + <usize>(y * width) * SIZE;
    for (let channel = 0; channel < channels; channel += LANES) {
      const count = channels - channel;
      const r0 = row + <usize>channel * plane,
        r1 = r0 + plane,
        r2 = r1 + plane,
        r3 = r2 + plane;
      let at = to + <usize>channel * SIZE;
      for (let o: usize = 0; o < <usize>width * SIZE; o += VECTOR) {
        const x = v128.load(r0 + o),
          y = count > 1 ? v128.load(r1 + o) : zero;
        const z = LANES == 4 && count > 2 ? v128.load(r2 + o) : zero,
          w = LANES == 4 && count > 3 ? v128.load(r3 + o) : zero;
        transpose(at, pixel, x, y, z, w);
        at += LANES * pixel;
      }
    }
    to += inside;
    clear(to, to + rim);
    to += rim;
  }
}

// @ts-ignore: decorator
@inline
function clear(from: usize, end: usize): void {
  for (; from < end; from += VECTOR) v128.store(from, splat(0));
}

/** The offset in the copy of each window in this many rows. */
function fillOffsets(rows: i32, pixel: i32): void {
  const across = size(OUT_WIDTH);
  const step = <u32>(size(STRIDE_X) * pixel) * <u32>SIZE;
  const down = <u32>(size(STRIDE_Y) * (size(WIDTH) + 2 * size(PADDING_X)) * pixel) * <u32>SIZE;
  let to = offsets();
  for (let y = 0; y < rows; y++) {
    let at = <u32>y * down;
    for (let x = 0; x < across; x++) {
      store<u32>(to, at);
      to += 4;
      at += step;
    }
  }
}

/**
 * The weight gradients of some output channels for some input channels, from all images in order; the first input
 * channels also compute the bias gradients.
 */
export function nhwcWeightGradientChunk(index: i32): void {
  const parts = size(PARTS),
    most = size(GROUP_SIZE),
    allChannels = size(CHANNELS),
    kernelY = size(KERNEL_Y);
  const channel = (index / parts) * CHANNELS_PER_CHUNK,
    output = (index % parts) * most;
  const channels = min(CHANNELS_PER_CHUNK, allChannels - channel),
    outputs = min(most, size(OUT_CHANNELS) - output);
  const pixel = pixelStride(channels),
    rowLength = sumRowLength(channels);
  const width = size(WIDTH) + 2 * size(PADDING_X),
    across = size(OUT_WIDTH);
  const plane = <usize>(size(HEIGHT) * size(WIDTH)) * SIZE,
    row = <usize>size(OUT_SIZE) * SIZE;
  const sums = resultBuffer(),
    sumRow = <usize>(kernelY * rowLength) * SIZE;
  const biases = sums + SUMS_BYTES;
  const withBias = channel == 0 && jobField(BIAS) != 0;
  clear(sums, sums + <usize>outputs * sumRow);
  for (let i = 0; i < outputs; i++) store<f64>(biases + 8 * <usize>i, 0);
  let offsetRows = 0;
  for (let image = 0; image < size(IMAGES); image++) {
    const from = jobField(X) + <usize>(image * allChannels + channel) * plane;
    const dy = jobField(Y) + <usize>(image * size(OUT_CHANNELS) + output) * row;
    for (let top = 0; top < size(OUT_HEIGHT); top += size(BAND)) {
      const rows = min(size(BAND), size(OUT_HEIGHT) - top),
        windows = rows * across;
      copyToNhwc(
        im2colBuffer(),
        from,
        channels,
        top * size(STRIDE_Y) - size(PADDING_Y),
        (rows - 1) * size(STRIDE_Y) + kernelY,
      );
      if (rows != offsetRows) fillOffsets(rows, pixel);
      offsetRows = rows;
      for (let first = 0; first < windows; first += DEPTH) {
        for (let ky = 0; ky < kernelY; ky++) {
          for (let j = 0; j < rowLength; j += 2 * COLUMNS) {
            gemmIndirect(
              outputs,
              min(DEPTH, windows - first),
              dy + <usize>(top * across + first) * SIZE,
              row,
              im2colBuffer() + <usize>(ky * width * pixel + j) * SIZE,
              offsets() + 4 * <usize>first,
              2 * VECTOR,
              sums + <usize>(ky * rowLength + j) * SIZE,
              sumRow,
              ADD,
            );
          }
        }
      }
    }
    if (withBias) {
      for (let i = 0; i < outputs; i++) {
        const at = biases + 8 * <usize>i;
        store<f64>(at, load<f64>(at) + <f64>planeSum(dy + <usize>i * row, size(OUT_SIZE)));
      }
    }
  }
  for (let i = 0; i < outputs; i++) {
    scatterSums(
      jobField(WEIGHT) + <usize>((output + i) * size(PATCH_SIZE)) * SIZE,
      sums + <usize>i * sumRow,
      channel,
      channels,
    );
    if (withBias) accumulateSum(jobField(BIAS) + <usize>(output + i) * SIZE, load<f64>(biases + 8 * <usize>i));
  }
}

/** Adds the sums for one output channel to its gradients. */
function scatterSums(to: usize, sums: usize, channel: i32, channels: i32): void {
  const kernelY = size(KERNEL_Y),
    kernelX = size(KERNEL_X);
  const pixel = pixelStride(channels),
    rowLength = sumRowLength(channels);
  to += <usize>(channel * kernelY * kernelX) * SIZE;
  for (let c = 0; c < channels; c++) {
    for (let ky = 0; ky < kernelY; ky++) {
      let from = sums + <usize>(ky * rowLength + c) * SIZE;
      for (let kx = 0; kx < kernelX; kx++) {
        store<real>(to, <real>(load<real>(to) + load<real>(from)));
        to += SIZE;
        from += <usize>pixel * SIZE;
      }
    }
  }
}

/** The sum of n contiguous elements. */
export function planeSum(at: usize, n: i32): real {
  let sum = splat(0);
  for (; n >= LANES; n -= LANES) {
    sum = v128.add<real>(sum, v128.load(at));
    at += VECTOR;
  }
  if (n > 0) sum = v128.add<real>(sum, loadPartial(at, n));
  return sumLanes(sum);
}

export function accumulateSum(to: usize, sum: f64): void {
  store<real>(to, <real>(<f64>load<real>(to) + sum));
}
