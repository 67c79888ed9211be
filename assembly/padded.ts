// Convolution whose windows lie side by side, straight from a copy of the image with its padding: neighbouring windows are
// neighbours in memory there, and a table says where in the copy each place of a window begins. So nothing is unfolded, and the
// copy is hardly larger than the image. Backward to the input is the same: the weights turned around go over dy.
import {
  ACROSS, BAND, BIAS, CHANNELS, describeAll, DOWN, HEIGHT, IMAGES, isWorth, KERNEL_X, KERNEL_Y, OUTPUTS, PADDING_X, PADDING_Y, PARTS, PLACES,
  size, STRIDE_X, STRIDE_Y, TOGETHER, WEIGHT, WIDTH, WINDOWS, X, Y,
} from './convolution-job';
import { CONVOLVE_PADDED, describe, described, TURN_AROUND } from './jobs';
import { COLUMNS, fromTable } from './products';
import { real } from './real';
import { copyOfB, unfolded } from './scratch';
import { share } from './threads';
import { ADD, SET, storeVector } from './tile';
import { LANES, SIZE, splat, VECTOR } from './vectors';

/** Places of a window at a time. */
const DEPTH: i32 = 1024 / <i32>SIZE;
/** Pieces that there are to be at least, where there are so many rows of windows. */
const PIECES: i32 = 8;
/** Room for the copy, of which the last vectors may be written too far, and for the table. */
const ROOM: i32 = 128 * 1024 - 1024;
export const MOST_LISTED: i32 = 8192;
/** Output channels at a time whose windows have to be put together. */
const OUTPUTS_TOGETHER: i32 = 256;

/** The table lies ahead of what it is about, and what is put together behind the table. */
// @ts-ignore: decorator
@inline
export function table(): usize {
  return copyOfB();
}

// @ts-ignore: decorator
@inline
export function together(): usize {
  return copyOfB() + 4 * MOST_LISTED;
}

/** Says how the convolution that is described is cut. @returns whether this way is good for it */
function plan(): bool {
  const images = size(IMAGES), channels = size(CHANNELS), down = size(DOWN), across = size(ACROSS);
  const kernelY = size(KERNEL_Y), area = kernelY * size(KERNEL_X), rowSize = (size(WIDTH) + 2 * size(PADDING_X)) * <i32>SIZE;
  if (size(STRIDE_Y) != 1 || size(STRIDE_X) != 1 || size(PADDING_X) < 0 || size(PADDING_Y) < 0) return false;
  // A panel is filled with windows of one row.
  const panels = (across + COLUMNS - 1) / COLUMNS;
  if (4 * across < 3 * panels * COLUMNS) return false;
  const bands = max(1, PIECES / images);
  let band = (down + bands - 1) / bands;
  if ((band + kernelY - 1) * rowSize > ROOM) band = ROOM / rowSize - kernelY + 1;
  if (band < 1) return false;
  const most = min(ROOM / ((band + kernelY - 1) * rowSize), MOST_LISTED / area);
  if (most < 1) return false;
  describe(CONVOLVE_PADDED, BAND, band);
  describe(CONVOLVE_PADDED, PARTS, (down + band - 1) / band);
  describe(CONVOLVE_PADDED, TOGETHER, min(most, channels));
  return true;
}

/** Carries out the convolution that is described. @returns whether it did: otherwise another way is better */
export function convolvePadded(): bool {
  if (!plan()) return false;
  share(size(IMAGES) * size(PARTS), isWorth());
  return true;
}

/** dx from dy: weights turned around go into `turned`, as many as there are weights. @returns whether it did */
export function convolvePaddedBack(
  dx: usize, dy: usize, weight: usize, turned: usize, images: i32, channels: i32, height: i32, width: i32, outputs: i32,
  kernelY: i32, kernelX: i32, strideY: i32, strideX: i32, paddingY: i32, paddingX: i32,
): bool {
  if (!turned || strideY != 1 || strideX != 1) return false;
  const down = height + 2 * paddingY - kernelY + 1, across = width + 2 * paddingX - kernelX + 1;
  describeAll(
    CONVOLVE_PADDED, dx, dy, turned, 0, images, outputs, down, across, channels,
    kernelY, kernelX, 1, 1, kernelY - 1 - paddingY, kernelX - 1 - paddingX,
  );
  if (!plan()) return false;
  describe(TURN_AROUND, BIAS, weight);
  share(channels, isWorth());
  describe(CONVOLVE_PADDED, BIAS, 0);
  share(images * size(PARTS), isWorth());
  return true;
}

/** The weights of one channel of the input, from all outputs, each window from its end to its beginning. */
export function turnAroundPiece(channel: i32): void {
  const channels = size(OUTPUTS), outputs = size(CHANNELS), area = size(KERNEL_Y) * size(KERNEL_X);
  const bytes = <usize>area * SIZE;
  let to = described(WEIGHT) + <usize>(channel * outputs) * bytes;
  let from = described(BIAS) + <usize>channel * bytes;
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

/** Rows `top` to `top + rows` of some channels, counted in the image without padding, with padding; each row may be written a vector too far. */
function copyPadded(to: usize, image: usize, channels: i32, top: i32, rows: i32): void {
  const height = size(HEIGHT), width = size(WIDTH), padding = size(PADDING_X);
  const step = <usize>(width + 2 * padding) * SIZE, before = <usize>padding * SIZE, inside = <usize>width * SIZE;
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

/** Where in the copy each place of a window begins, for the window at its start. */
function list(channels: i32, rows: i32): void {
  const kernelY = size(KERNEL_Y), kernelX = size(KERNEL_X), width = size(WIDTH) + 2 * size(PADDING_X);
  let to = table();
  for (let channel = 0; channel < channels; channel++) {
    for (let ky = 0; ky < kernelY; ky++) {
      let at = <u32>((channel * rows + ky) * width) * <u32>SIZE;
      for (let kx = 0; kx < kernelX; kx++) {
        store<u32>(to, at);
        to += 4; at += <u32>SIZE;
      }
    }
  }
}

/** Some rows of windows of one image, all output channels. */
export function convolvePaddedPiece(index: i32): void {
  const parts = size(PARTS), channels = size(CHANNELS), outputs = size(OUTPUTS), across = size(ACROSS);
  const image = index / parts, top = (index % parts) * size(BAND);
  const rows = min(size(BAND), size(DOWN) - top);
  const plane = <usize>(size(HEIGHT) * size(WIDTH)) * SIZE, row = <usize>size(WINDOWS) * SIZE;
  const to = described(Y) + <usize>(image * outputs) * row + <usize>(top * across) * SIZE;
  const bias = described(BIAS);
  for (let output = 0; output < outputs; output++) {
    const value = bias ? v128.load_splat<real>(bias + <usize>output * SIZE) : splat(0);
    let at = to + <usize>output * row;
    for (let left = rows * across; left > 0; left -= LANES) {
      storeVector(at, value, SET, 0, left);
      at += VECTOR;
    }
  }
  const padded = unfolded();
  const high = rows + size(KERNEL_Y) - 1;
  for (let channel = 0; channel < channels; channel += size(TOGETHER)) {
    const count = min(size(TOGETHER), channels - channel);
    copyPadded(padded, described(X) + <usize>(image * channels + channel) * plane, count, top - size(PADDING_Y), high);
    list(count, high);
    multiply(to, channel, count, rows);
  }
}

/** Adds to the windows of a piece what some channels are, two panels of windows at a time. */
function multiply(to: usize, channel: i32, channels: i32, rows: i32): void {
  const across = size(ACROSS), outputs = size(OUTPUTS), area = size(KERNEL_Y) * size(KERNEL_X);
  const width = size(WIDTH) + 2 * size(PADDING_X);
  const row = <usize>size(WINDOWS) * SIZE, weightRow = <usize>size(PLACES) * SIZE;
  const weight = described(WEIGHT) + <usize>(channel * area) * SIZE;
  const places = channels * area;
  const inRow = (across + COLUMNS - 1) / COLUMNS, panels = rows * inRow;
  for (let panel = 0; panel < panels; panel += 2) {
    const y = panel / inRow, x = panel % inRow * COLUMNS;
    const next = min(panel + 1, panels - 1);
    const y2 = next / inRow, x2 = next % inRow * COLUMNS;
    const first = min(COLUMNS, across - x), second = next > panel ? min(COLUMNS, across - x2) : 0;
    const from = unfolded() + <usize>(y * width + x) * SIZE;
    const further = <usize>((y2 - y) * width + x2 - x) * SIZE;
    const at = to + <usize>(y * across + x) * SIZE, at2 = to + <usize>(y2 * across + x2) * SIZE;
    if (first == COLUMNS && second == COLUMNS) {
      for (let place = 0; place < places; place += DEPTH) {
        fromTable(
          outputs, min(DEPTH, places - place), weight + <usize>place * SIZE, weightRow, from, table() + 4 * <usize>place, further,
          at, row, ADD,
        );
      }
      continue;
    }
    for (let output = 0; output < outputs; output += OUTPUTS_TOGETHER) {
      const count = min(OUTPUTS_TOGETHER, outputs - output);
      for (let place = 0; place < places; place += DEPTH) {
        fromTable(
          count, min(DEPTH, places - place), weight + <usize>output * weightRow + <usize>place * SIZE, weightRow, from,
          table() + 4 * <usize>place, further, together(), 4 * VECTOR, place > 0 ? ADD : SET,
        );
      }
      for (let i = 0; i < count; i++) {
        const sums = together() + <usize>i * 4 * VECTOR, offset = <usize>(output + i) * row;
        addPart(at + offset, sums, first);
        addPart(at2 + offset, sums + 2 * VECTOR, second);
      }
    }
  }
}

function addPart(to: usize, from: usize, n: i32): void {
  for (; n > 0; n -= LANES) {
    storeVector(to, v128.load(from), ADD, 0, n);
    to += VECTOR; from += VECTOR;
  }
}
