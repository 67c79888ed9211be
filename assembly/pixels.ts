// The gradients of a convolution's weights, from a copy of the image in which the channels of a pixel lie side by side: what a row
// of a window sees is one stretch of it. So the gradients are products of dy, as it lies, with the copy, where a table says
// where each window begins; nothing is unfolded. They add up in scratch memory over all images and are then put in place.
import {
  ACROSS, BIAS, CHANNELS, DOWN, HEIGHT, IMAGES, isWorth, KERNEL_X, KERNEL_Y, OUTPUTS, PADDING_X, PADDING_Y, PARTS, PLACES, size,
  STRIDE_X, STRIDE_Y, TOGETHER, WEIGHT, WIDTH, WINDOWS, X, Y, BAND,
} from './convolution-job';
import { CONVOLVE_PIXELS, describe, described } from './jobs';
import { MOST_LISTED, table, together } from './padded';
import { COLUMNS, fromTable, transpose } from './products';
import { real } from './real';
import { unfolded } from './scratch';
import { share } from './threads';
import { ADD } from './tile';
import { LANES, loadPart, SIZE, splat, sumOfLanes, VECTOR } from './vectors';

/** Windows at a time. */
const DEPTH: i32 = 1024 / <i32>SIZE;
/** Channels of a piece, and most output channels. */
const CHANNELS_OF_PIECE: i32 = 16;
const OUTPUTS_OF_PIECE: i32 = 32;
const PIECES: i32 = 8;
/** Room for the copy, of which the last pixels may be written too far; for the sums; and behind those for the biases' in f64. */
const ROOM: i32 = 128 * 1024 - 1024;
const ROOM_OF_SUMS: i32 = 88 * 1024;

/** Elements from a pixel to the next: whole vectors, unless all channels fit into one. */
// @ts-ignore: decorator
@inline
function pixelOf(channels: i32): i32 {
  return channels <= LANES ? channels : (channels + LANES - 1) & -LANES;
}

/** Elements of a row of sums, what a row of a window sees in whole tiles. */
// @ts-ignore: decorator
@inline
function stretchOf(channels: i32): i32 {
  const tile = 2 * COLUMNS;
  return (size(KERNEL_X) * pixelOf(channels) + tile - 1) / tile * tile;
}

/** Says how the gradients that are described are cut. @returns whether this way is good for them */
function plan(): bool {
  const channels = min(CHANNELS_OF_PIECE, size(CHANNELS));
  const kernelY = size(KERNEL_Y), strideY = size(STRIDE_Y);
  const stretch = stretchOf(channels);
  // Of each tile most is wanted.
  if (5 * size(KERNEL_X) * channels < 3 * stretch) return false;
  const rowSize = (size(WIDTH) + 2 * size(PADDING_X)) * pixelOf(channels) * <i32>SIZE;
  const fit = ROOM / rowSize - kernelY;
  if (fit < 0 || size(ACROSS) > MOST_LISTED) return false;
  const band = min(fit / strideY + 1, MOST_LISTED / size(ACROSS));
  const groups = (size(CHANNELS) + CHANNELS_OF_PIECE - 1) / CHANNELS_OF_PIECE;
  let outputs = min(OUTPUTS_OF_PIECE, ROOM_OF_SUMS / (kernelY * stretch * <i32>SIZE));
  if (outputs < 1) return false;
  while (outputs > 8 && groups * ((size(OUTPUTS) + outputs - 1) / outputs) < PIECES) outputs /= 2;
  describe(CONVOLVE_PIXELS, BAND, min(band, size(DOWN)));
  describe(CONVOLVE_PIXELS, TOGETHER, outputs);
  describe(CONVOLVE_PIXELS, PARTS, (size(OUTPUTS) + outputs - 1) / outputs);
  share(groups * size(PARTS), isWorth());
  return true;
}

/** Adds to dWeight and dBias, if this way is good for what is described. @returns whether it did */
export function convolvePixels(): bool {
  return plan();
}

/** Rows `top` to `top + rows` of some channels, counted in the image without padding, with padding; a few pixels may be written too far. */
function copyPixels(to: usize, image: usize, channels: i32, top: i32, rows: i32): void {
  const height = size(HEIGHT), width = size(WIDTH);
  const pixel = <usize>pixelOf(channels) * SIZE;
  const rim = <usize>size(PADDING_X) * pixel, inside = <usize>width * pixel;
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
      const r0 = row + <usize>channel * plane, r1 = r0 + plane, r2 = r1 + plane, r3 = r2 + plane;
      let at = to + <usize>channel * SIZE;
      for (let o: usize = 0; o < <usize>width * SIZE; o += VECTOR) {
        const x = v128.load(r0 + o), y = count > 1 ? v128.load(r1 + o) : zero;
        const z = LANES == 4 && count > 2 ? v128.load(r2 + o) : zero, w = LANES == 4 && count > 3 ? v128.load(r3 + o) : zero;
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

/** Where in the copy each window of so many rows begins. */
function list(rows: i32, pixel: i32): void {
  const across = size(ACROSS);
  const step = <u32>(size(STRIDE_X) * pixel) * <u32>SIZE;
  const down = <u32>(size(STRIDE_Y) * (size(WIDTH) + 2 * size(PADDING_X)) * pixel) * <u32>SIZE;
  let to = table();
  for (let y = 0; y < rows; y++) {
    let at = <u32>y * down;
    for (let x = 0; x < across; x++) {
      store<u32>(to, at);
      to += 4; at += step;
    }
  }
}

/** The gradients of the weights of some output channels for some channels, from all images in their order; with the first channels also the biases'. */
export function convolvePixelsPiece(index: i32): void {
  const parts = size(PARTS), most = size(TOGETHER), allChannels = size(CHANNELS), kernelY = size(KERNEL_Y);
  const channel = index / parts * CHANNELS_OF_PIECE, output = index % parts * most;
  const channels = min(CHANNELS_OF_PIECE, allChannels - channel), outputs = min(most, size(OUTPUTS) - output);
  const pixel = pixelOf(channels), stretch = stretchOf(channels);
  const width = size(WIDTH) + 2 * size(PADDING_X), across = size(ACROSS);
  const plane = <usize>(size(HEIGHT) * size(WIDTH)) * SIZE, row = <usize>size(WINDOWS) * SIZE;
  const sums = together(), sumRow = <usize>(kernelY * stretch) * SIZE;
  const biases = sums + ROOM_OF_SUMS;
  const withBias = channel == 0 && described(BIAS) != 0;
  clear(sums, sums + <usize>outputs * sumRow);
  for (let i = 0; i < outputs; i++) store<f64>(biases + 8 * <usize>i, 0);
  let listed = 0;
  for (let image = 0; image < size(IMAGES); image++) {
    const from = described(X) + <usize>(image * allChannels + channel) * plane;
    const dy = described(Y) + <usize>(image * size(OUTPUTS) + output) * row;
    for (let top = 0; top < size(DOWN); top += size(BAND)) {
      const rows = min(size(BAND), size(DOWN) - top), windows = rows * across;
      copyPixels(unfolded(), from, channels, top * size(STRIDE_Y) - size(PADDING_Y), (rows - 1) * size(STRIDE_Y) + kernelY);
      if (rows != listed) list(rows, pixel);
      listed = rows;
      for (let first = 0; first < windows; first += DEPTH) {
        for (let ky = 0; ky < kernelY; ky++) {
          for (let j = 0; j < stretch; j += 2 * COLUMNS) {
            fromTable(
              outputs, min(DEPTH, windows - first), dy + <usize>(top * across + first) * SIZE, row,
              unfolded() + <usize>(ky * width * pixel + j) * SIZE, table() + 4 * <usize>first, 2 * VECTOR,
              sums + <usize>(ky * stretch + j) * SIZE, sumRow, ADD,
            );
          }
        }
      }
    }
    if (withBias) {
      for (let i = 0; i < outputs; i++) {
        const at = biases + 8 * <usize>i;
        store<f64>(at, load<f64>(at) + <f64>sumOfPlane(dy + <usize>i * row, size(WINDOWS)));
      }
    }
  }
  for (let i = 0; i < outputs; i++) {
    putInPlace(described(WEIGHT) + <usize>((output + i) * size(PLACES)) * SIZE, sums + <usize>i * sumRow, channel, channels);
    if (withBias) addSum(described(BIAS) + <usize>(output + i) * SIZE, load<f64>(biases + 8 * <usize>i));
  }
}

/** Adds the sums for one output channel to its gradients. */
function putInPlace(to: usize, sums: usize, channel: i32, channels: i32): void {
  const kernelY = size(KERNEL_Y), kernelX = size(KERNEL_X);
  const pixel = pixelOf(channels), stretch = stretchOf(channels);
  to += <usize>(channel * kernelY * kernelX) * SIZE;
  for (let c = 0; c < channels; c++) {
    for (let ky = 0; ky < kernelY; ky++) {
      let from = sums + <usize>(ky * stretch + c) * SIZE;
      for (let kx = 0; kx < kernelX; kx++) {
        store<real>(to, <real>(load<real>(to) + load<real>(from)));
        to += SIZE; from += <usize>pixel * SIZE;
      }
    }
  }
}

/** The sum of n elements in a row. */
export function sumOfPlane(at: usize, n: i32): real {
  let sum = splat(0);
  for (; n >= LANES; n -= LANES) {
    sum = v128.add<real>(sum, v128.load(at));
    at += VECTOR;
  }
  if (n > 0) sum = v128.add<real>(sum, loadPart(at, n));
  return sumOfLanes(sum);
}

export function addSum(to: usize, sum: f64): void {
  store<real>(to, <real>(<f64>load<real>(to) + sum));
}
