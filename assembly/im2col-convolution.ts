// Convolution by im2col, one strip of windows at a time: the patches are written to scratch memory, one row per
// position in a window, and multiplied while they are in the cache. Each chunk of a job writes to its own memory, in a
// fixed order.
import {
  BIAS,
  CHANNELS,
  HEIGHT,
  IMAGES,
  KERNEL_X,
  KERNEL_Y,
  OUT_CHANNELS,
  OUT_SIZE,
  OUT_WIDTH,
  PADDING_X,
  PADDING_Y,
  PARTS,
  PATCH_SIZE,
  size,
  STRIDE_X,
  STRIDE_Y,
  WEIGHT,
  WIDTH,
  X,
  Y,
} from './convolution-job';
import { gemmPackedB, gemmUnpacked, packB } from './gemm';
import { jobField } from './job';
import { real } from './real';
import { im2colBuffer, packedB } from './scratch';
import { ADD } from './tile';
import { LANES, loadPartial, SIZE, splat, storePartial, VECTOR } from './vectors';

/** Windows per chunk; positions in a window at a time; the same for the input gradient. */
export const STRIP: i32 = 32;
const DEPTH: i32 = 1024 / <i32>SIZE;
const STRIP_BACK: i32 = 64;
/** Maximum number of positions of a window in one channel. */
export const MAX_KERNEL_AREA_BACK: i32 = 256;

/**
 * The vector of a row of `width` elements from element x on, 0 outside of the row; reads at most one vector too far.
 */
// @ts-ignore: decorator
@inline
function loadWithin(row: usize, x: i32, width: i32): v128 {
  if (x <= -LANES || x >= width) return splat(0);
  const v = v128.load(row + <isize>x * SIZE);
  if (x >= 0 && x + LANES <= width) return v;
  // Each lane's own x, repeated for each 32 bits; negative values are large when unsigned.
  const each = sizeof<real>() == 8 ? i32x4(0, 0, 1, 1) : i32x4(0, 1, 2, 3);
  return v128.and(v, i32x4.lt_u(i32x4.add(i32x4.splat(x), each), i32x4.splat(width)));
}

/**
 * Writes the values at `count` positions of the windows from `first` on, one row of `step` bytes per position, 0 in the
 * padding.
 */
function im2col(to: usize, step: usize, image: usize, place: i32, places: i32, first: i32, windows: i32): void {
  const height = size(HEIGHT),
    width = size(WIDTH),
    kernelX = size(KERNEL_X),
    across = size(OUT_WIDTH);
  const strideY = size(STRIDE_Y),
    strideX = size(STRIDE_X),
    paddingX = size(PADDING_X),
    paddingY = size(PADDING_Y);
  const kernelY = size(KERNEL_Y),
    area = kernelY * kernelX;
  const top = (first / across) * strideY - paddingY,
    firstColumn = first % across;
  const plane = <usize>(height * width) * SIZE,
    rowSize = <usize>width * SIZE;
  image += <usize>(place / area) * plane;
  let ky = (place % area) / kernelX,
    kx = place % kernelX;
  for (; places > 0; places--) {
    let y = top + ky;
    let column = firstColumn;
    let at = to;
    for (let left = windows; left > 0;) {
      const run = min(across - column, left);
      const x = column * strideX + kx - paddingX;
      if (y < 0 || y >= height) memory.fill(at, 0, <usize>run * SIZE);
      else {
        const row = image + <usize>y * rowSize;
        if (strideX == 1) {
          let t = 0;
          for (; t + LANES <= run; t += LANES) v128.store(at + <usize>t * SIZE, loadWithin(row, x + t, width));
          if (t < run) storePartial(at + <usize>t * SIZE, loadWithin(row, x + t, width), run - t);
        } else {
          for (let t = 0; t < run; t++) {
            const from = x + t * strideX;
            store<real>(at + <usize>t * SIZE, from >= 0 && from < width ? load<real>(row + <usize>from * SIZE) : 0);
          }
        }
      }
      at += <usize>run * SIZE;
      left -= run;
      y += strideY;
      column = 0;
    }
    to += step;
    if (++kx == kernelX) {
      kx = 0;
      if (++ky == kernelY) {
        ky = 0;
        image += plane;
      }
    }
  }
}

/** Adds rows in the layout of `im2col` back to the image. */
function col2im(from: usize, step: usize, image: usize, place: i32, places: i32, first: i32, windows: i32): void {
  const height = size(HEIGHT),
    width = size(WIDTH),
    kernelX = size(KERNEL_X),
    across = size(OUT_WIDTH);
  const strideY = size(STRIDE_Y),
    strideX = size(STRIDE_X),
    paddingX = size(PADDING_X),
    paddingY = size(PADDING_Y);
  const kernelY = size(KERNEL_Y),
    area = kernelY * kernelX;
  const top = (first / across) * strideY - paddingY,
    firstColumn = first % across;
  const plane = <usize>(height * width) * SIZE,
    rowSize = <usize>width * SIZE;
  image += <usize>(place / area) * plane;
  let ky = (place % area) / kernelX,
    kx = place % kernelX;
  for (; places > 0; places--) {
    let y = top + ky;
    let column = firstColumn;
    let at = from;
    for (let left = windows; left > 0;) {
      const run = min(across - column, left);
      const x = column * strideX + kx - paddingX;
      if (y >= 0 && y < height) {
        const row = image + <usize>y * rowSize;
        if (strideX == 1) {
          let t = max(0, -x);
          const inside = min(run, width - x);
          for (; t + LANES <= inside; t += LANES) {
            const to = row + <usize>(x + t) * SIZE;
            v128.store(to, v128.add<real>(v128.load(to), v128.load(at + <usize>t * SIZE)));
          }
          if (t < inside) {
            const to = row + <usize>(x + t) * SIZE;
            storePartial(
              to,
              v128.add<real>(loadPartial(to, inside - t), loadPartial(at + <usize>t * SIZE, inside - t)),
              inside - t,
            );
          }
        } else {
          for (let t = 0; t < run; t++) {
            const into = x + t * strideX;
            if (into < 0 || into >= width) continue;
            const to = row + <usize>into * SIZE;
            store<real>(to, load<real>(to) + load<real>(at + <usize>t * SIZE));
          }
        }
      }
      at += <usize>run * SIZE;
      left -= run;
      y += strideY;
      column = 0;
    }
    from += step;
    if (++kx == kernelX) {
      kx = 0;
      if (++ky == kernelY) {
        ky = 0;
        image += plane;
      }
    }
  }
}

/** Some windows of one image, all output channels. */
export function convolveChunk(index: i32): void {
  const strips = size(PARTS),
    windows = size(OUT_SIZE),
    places = size(PATCH_SIZE),
    outputs = size(OUT_CHANNELS);
  const image = index / strips,
    first = (index % strips) * STRIP;
  const count = min(STRIP, windows - first);
  const from = jobField(X) + <usize>(image * size(CHANNELS) * size(HEIGHT) * size(WIDTH)) * SIZE;
  const row = <usize>windows * SIZE;
  const to = jobField(Y) + <usize>(image * outputs) * row + <usize>first * SIZE;
  const bias = jobField(BIAS);
  if (bias) {
    for (let output = 0; output < outputs; output++) {
      const value = v128.load_splat<real>(bias + <usize>output * SIZE);
      let at = to + <usize>output * row;
      for (let left = count; left > 0; left -= LANES) {
        storePartial(at, value, left);
        at += VECTOR;
      }
    }
  }
  const rows = im2colBuffer();
  for (let place = 0; place < places; place += DEPTH) {
    const depth = min(DEPTH, places - place);
    im2col(rows, STRIP * SIZE, from, place, depth, first, count);
    gemmUnpacked(
      outputs,
      count,
      depth,
      jobField(WEIGHT) + <usize>place * SIZE,
      <usize>places * SIZE,
      SIZE,
      rows,
      STRIP * SIZE,
      to,
      row,
      place > 0 || bias ? ADD : 0,
      0,
    );
  }
}

/** The gradients of the weights at some positions of the window, from all images in order. */
export function convolveBackwardWeightChunk(index: i32): void {
  const part = size(PARTS),
    windows = size(OUT_SIZE),
    places = size(PATCH_SIZE),
    outputs = size(OUT_CHANNELS);
  const place = index * part,
    count = min(part, places - place);
  const imageSize = <usize>(size(CHANNELS) * size(HEIGHT) * size(WIDTH)) * SIZE;
  const row = <usize>windows * SIZE;
  const rows = im2colBuffer(),
    panels = packedB();
  let image = jobField(X),
    dy = jobField(Y);
  for (let left = size(IMAGES); left > 0; left--) {
    for (let first = 0; first < windows; first += DEPTH) {
      const depth = min(DEPTH, windows - first);
      im2col(rows, DEPTH * SIZE, image, place, count, first, depth);
      packB(panels, rows, SIZE, DEPTH * SIZE, depth, count);
      gemmPackedB(
        outputs,
        count,
        depth,
        dy + <usize>first * SIZE,
        row,
        SIZE,
        panels,
        jobField(WEIGHT) + <usize>place * SIZE,
        <usize>places * SIZE,
        ADD,
        0,
      );
    }
    image += imageSize;
    dy += <usize>outputs * row;
  }
}

/** The gradients of some channels of one image. */
export function convolveBackwardInputChunk(index: i32): void {
  const groupSize = size(PARTS),
    channels = size(CHANNELS),
    windows = size(OUT_SIZE),
    outputs = size(OUT_CHANNELS);
  const groups = (channels + groupSize - 1) / groupSize;
  const image = index / groups,
    channel = (index % groups) * groupSize;
  const area = size(KERNEL_Y) * size(KERNEL_X);
  const place = channel * area,
    places = min(groupSize, channels - channel) * area;
  const plane = <usize>(size(HEIGHT) * size(WIDTH)) * SIZE;
  const to = jobField(X) + <usize>(image * channels) * plane;
  memory.fill(to + <usize>channel * plane, 0, <usize>min(groupSize, channels - channel) * plane);
  const row = <usize>windows * SIZE;
  const dy = jobField(Y) + <usize>(image * outputs) * row;
  const weightRow = <usize>size(PATCH_SIZE) * SIZE;
  const rows = im2colBuffer(),
    panels = packedB();
  for (let first = 0; first < windows; first += STRIP_BACK) {
    const count = min(STRIP_BACK, windows - first);
    for (let output = 0; output < outputs; output += DEPTH) {
      const depth = min(DEPTH, outputs - output);
      packB(panels, dy + <usize>output * row + <usize>first * SIZE, row, SIZE, depth, count);
      gemmPackedB(
        places,
        count,
        depth,
        jobField(WEIGHT) + <usize>output * weightRow + <usize>place * SIZE,
        SIZE,
        weightRow,
        panels,
        rows,
        STRIP_BACK * SIZE,
        output > 0 ? ADD : 0,
        0,
      );
    }
    col2im(rows, STRIP_BACK * SIZE, to, place, places, first, count);
  }
}
