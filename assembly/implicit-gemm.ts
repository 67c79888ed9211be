// Convolution directly from a padded copy of the image, without im2col, for stride 1: neighboring windows are neighbors
// in memory, and a table contains the offset of each position of a window. The copy is hardly larger than the image.
// Backward to the input is the same with dy and flipped weights.
import {
  OUT_WIDTH,
  BAND,
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
} from './convolution-job';
import { IMPLICIT_GEMM, jobField, setJobField } from './job';
import { COLUMNS, gemmIndirect } from './gemm';
import { real } from './real';
import { packedB, im2colBuffer } from './scratch';
import { ADD, SET, storeVector } from './tile';
import { LANES, SIZE, splat, VECTOR } from './vectors';

/** Positions of a window at a time. */
const DEPTH: i32 = 1024 / <i32>SIZE;
/** Aim for about this many chunks. */
const TARGET_CHUNKS: i32 = 8;
/** Bytes for the padded copy; 1 KB is left, because its last vectors may overrun. */
const MAX_COPY_BYTES: i32 = 128 * 1024 - 1024;
/** Entries of the offset table. */
export const MAX_OFFSETS: i32 = 8192;
/** Output channels at a time if windows must be assembled. */
const OUT_CHANNELS_PER_GROUP: i32 = 256;

/** The table precedes the copy, and assembled windows follow the table. */
// @ts-ignore: decorator
@inline
export function offsets(): usize {
  return packedB();
}

// @ts-ignore: decorator
@inline
export function resultBuffer(): usize {
  return packedB() + 4 * MAX_OFFSETS;
}

/** Splits the convolution of the job into chunks. @returns how many; 0 if another algorithm is faster */
export function planImplicitGemm(): i32 {
  const images = size(IMAGES),
    channels = size(CHANNELS),
    outHeight = size(OUT_HEIGHT),
    outWidth = size(OUT_WIDTH);
  const kernelY = size(KERNEL_Y),
    area = kernelY * size(KERNEL_X),
    rowSize = (size(WIDTH) + 2 * size(PADDING_X)) * <i32>SIZE;
  if (size(STRIDE_Y) != 1 || size(STRIDE_X) != 1 || size(PADDING_X) < 0 || size(PADDING_Y) < 0) return 0;
  // A panel does not span rows, so the end of a partly filled one is wasted work.
  const panels = (outWidth + COLUMNS - 1) / COLUMNS;
  if (4 * outWidth < 3 * panels * COLUMNS) return 0;
  const bands = max(1, TARGET_CHUNKS / images);
  let band = (outHeight + bands - 1) / bands;
  if ((band + kernelY - 1) * rowSize > MAX_COPY_BYTES) band = MAX_COPY_BYTES / rowSize - kernelY + 1;
  if (band < 1) return 0;
  const most = min(MAX_COPY_BYTES / ((band + kernelY - 1) * rowSize), MAX_OFFSETS / area);
  if (most < 1) return 0;
  setJobField(IMPLICIT_GEMM, BAND, band);
  const parts = (outHeight + band - 1) / band;
  setJobField(IMPLICIT_GEMM, PARTS, parts);
  setJobField(IMPLICIT_GEMM, GROUP_SIZE, min(most, channels));
  return images * parts;
}

/**
 * The weights of one input channel for all outputs, with each window reversed. The job is that of the input gradient:
 * its input channels are the layer's outputs, and the field BIAS holds the address of the layer's weights.
 */
export function flipKernelChunk(channel: i32): void {
  const channels = size(OUT_CHANNELS),
    outputs = size(CHANNELS),
    area = size(KERNEL_Y) * size(KERNEL_X);
  const bytes = <usize>area * SIZE;
  let to = jobField(WEIGHT) + <usize>(channel * outputs) * bytes;
  let from = jobField(BIAS) + <usize>channel * bytes;
  for (let output = 0; output < outputs; output++) {
    let at = from + bytes;
    let left = area;
    for (; left >= LANES; left -= LANES) {
      at -= VECTOR;
      const x = v128.load(at);
      v128.store(to, sizeof<real>() == 8 ? v128.shuffle<f64>(x, x, 1, 0) : v128.shuffle<f32>(x, x, 3, 2, 1, 0));
      to += VECTOR;
    }
    for (; left > 0; left--) {
      at -= SIZE;
      store<real>(to, load<real>(at));
      to += SIZE;
    }
    from += <usize>channels * bytes;
  }
}

// @ts-ignore: decorator
@inline
function fillVectors(to: usize, n: i32, x: v128): void {
  for (; n > 0; n -= LANES) {
    v128.store(to, x);
    to += VECTOR;
  }
}

/**
 * Copies rows `top` to `top + rows` of some channels, counted in the image without padding, and adds padding; each row
 * may be written one vector too far.
 */
function copyWithPadding(to: usize, image: usize, channels: i32, top: i32, rows: i32): void {
  const height = size(HEIGHT),
    width = size(WIDTH),
    padding = size(PADDING_X);
  const step = <usize>(width + 2 * padding) * SIZE,
    before = <usize>padding * SIZE,
    inside = <usize>width * SIZE;
  const zero = splat(0);
  for (let channel = 0; channel < channels; channel++) {
    for (let y = top; y < top + rows; y++) {
      if (y < 0 || y >= height) fillVectors(to, width + 2 * padding, zero);
      else {
        const row = image + <usize>y * inside;
        fillVectors(to, padding, zero);
        for (let o: usize = 0; o < inside; o += VECTOR) v128.store(to + before + o, v128.load(row + o));
        fillVectors(to + before + inside, padding, zero);
      }
      to += step;
    }
    image += <usize>height * inside;
  }
}

/** The offset in the copy of each position of the first window. */
function fillOffsets(channels: i32, rows: i32): void {
  const kernelY = size(KERNEL_Y),
    kernelX = size(KERNEL_X),
    width = size(WIDTH) + 2 * size(PADDING_X);
  let to = offsets();
  for (let channel = 0; channel < channels; channel++) {
    for (let ky = 0; ky < kernelY; ky++) {
      let at = <u32>((channel * rows + ky) * width) * <u32>SIZE;
      for (let kx = 0; kx < kernelX; kx++) {
        store<u32>(to, at);
        to += 4;
        at += <u32>SIZE;
      }
    }
  }
}

/** Some rows of windows of one image, for all output channels. */
export function implicitGemmChunk(index: i32): void {
  const parts = size(PARTS),
    channels = size(CHANNELS),
    outputs = size(OUT_CHANNELS),
    outWidth = size(OUT_WIDTH);
  const image = index / parts,
    top = (index % parts) * size(BAND);
  const rows = min(size(BAND), size(OUT_HEIGHT) - top);
  const plane = <usize>(size(HEIGHT) * size(WIDTH)) * SIZE,
    row = <usize>size(OUT_SIZE) * SIZE;
  const to = jobField(Y) + <usize>(image * outputs) * row + <usize>(top * outWidth) * SIZE;
  const bias = jobField(BIAS);
  for (let output = 0; output < outputs; output++) {
    const value = bias ? v128.load_splat<real>(bias + <usize>output * SIZE) : splat(0);
    let at = to + <usize>output * row;
    for (let left = rows * outWidth; left > 0; left -= LANES) {
      storeVector(at, value, SET, 0, left);
      at += VECTOR;
    }
  }
  const padded = im2colBuffer();
  const high = rows + size(KERNEL_Y) - 1;
  for (let channel = 0; channel < channels; channel += size(GROUP_SIZE)) {
    const count = min(size(GROUP_SIZE), channels - channel);
    copyWithPadding(
      padded,
      jobField(X) + <usize>(image * channels + channel) * plane,
      count,
      top - size(PADDING_Y),
      high,
    );
    fillOffsets(count, high);
    multiplyChannels(to, channel, count, rows);
  }
}

/** Adds the contribution of some channels to the windows of a chunk, two panels of windows at a time. */
function multiplyChannels(to: usize, channel: i32, channels: i32, rows: i32): void {
  const outWidth = size(OUT_WIDTH),
    outputs = size(OUT_CHANNELS),
    area = size(KERNEL_Y) * size(KERNEL_X);
  const width = size(WIDTH) + 2 * size(PADDING_X);
  const row = <usize>size(OUT_SIZE) * SIZE,
    weightRow = <usize>size(PATCH_SIZE) * SIZE;
  const weight = jobField(WEIGHT) + <usize>(channel * area) * SIZE;
  const places = channels * area;
  const inRow = (outWidth + COLUMNS - 1) / COLUMNS,
    panels = rows * inRow;
  for (let panel = 0; panel < panels; panel += 2) {
    const y = panel / inRow,
      x = (panel % inRow) * COLUMNS;
    const next = min(panel + 1, panels - 1);
    const y2 = next / inRow,
      x2 = (next % inRow) * COLUMNS;
    const first = min(COLUMNS, outWidth - x),
      second = next > panel ? min(COLUMNS, outWidth - x2) : 0;
    const from = im2colBuffer() + <usize>(y * width + x) * SIZE;
    const further = <usize>((y2 - y) * width + x2 - x) * SIZE;
    const at = to + <usize>(y * outWidth + x) * SIZE,
      at2 = to + <usize>(y2 * outWidth + x2) * SIZE;
    if (first == COLUMNS && second == COLUMNS) {
      for (let place = 0; place < places; place += DEPTH) {
        gemmIndirect(
          outputs,
          min(DEPTH, places - place),
          weight + <usize>place * SIZE,
          weightRow,
          from,
          offsets() + 4 * <usize>place,
          further,
          at,
          row,
          ADD,
        );
      }
      continue;
    }
    for (let output = 0; output < outputs; output += OUT_CHANNELS_PER_GROUP) {
      const count = min(OUT_CHANNELS_PER_GROUP, outputs - output);
      for (let place = 0; place < places; place += DEPTH) {
        gemmIndirect(
          count,
          min(DEPTH, places - place),
          weight + <usize>output * weightRow + <usize>place * SIZE,
          weightRow,
          from,
          offsets() + 4 * <usize>place,
          further,
          resultBuffer(),
          4 * VECTOR,
          place > 0 ? ADD : SET,
        );
      }
      for (let i = 0; i < count; i++) {
        const sums = resultBuffer() + <usize>i * 4 * VECTOR,
          offset = <usize>(output + i) * row;
        addPart(at + offset, sums, first);
        addPart(at2 + offset, sums + 2 * VECTOR, second);
      }
    }
  }
}

function addPart(to: usize, from: usize, n: i32): void {
  for (; n > 0; n -= LANES) {
    storeVector(to, v128.load(from), ADD, 0, n);
    to += VECTOR;
    from += VECTOR;
  }
}
