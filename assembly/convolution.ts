// Convolution as matrix products, without ever unfolding a whole image. Most go straight from a copy of the image (padded.ts,
// pixels.ts). For the others, with strides, few windows in a row or few channels, what lies under some windows is written into
// scratch memory in rows, one for each place in a window, and multiplied while it is still in the cache. All pieces of
// a job write to places of their own, each in a fixed order.
import {
  ACROSS, BIAS, CHANNELS, describeAll, HEIGHT, IMAGES, isWorth, KERNEL_X, KERNEL_Y, OUTPUTS, PADDING_X, PADDING_Y, PARTS, PLACES, size,
  STRIDE_X, STRIDE_Y, WEIGHT, WIDTH, WINDOWS, X, Y,
} from './convolution-job';
import { convolvePadded, convolvePaddedBack } from './padded';
import { addSum, convolvePixels, sumOfPlane } from './pixels';
import { copyB, fromPanels, fromRows } from './products';
import { ADD } from './tile';
import { CONVOLVE, CONVOLVE_BACK_INPUT, CONVOLVE_BACK_WEIGHT, describe, described } from './jobs';
import { real } from './real';
import { copyOfB, unfolded } from './scratch';
import { share } from './threads';
import { LANES, loadPart, SIZE, splat, storePart, VECTOR } from './vectors';

/** Windows of a piece; places in a window at a time; the same for going back to the input. */
const STRIP: i32 = 32;
const DEPTH: i32 = 1024 / <i32>SIZE;
const STRIP_BACK: i32 = 64;
const MOST_PLACES_BACK: i32 = 256;

/** The vector of a row of `width` elements from element x on, 0 where that is outside; reads at most a vector too far. */
// @ts-ignore: decorator
@inline
function loadWithin(row: usize, x: i32, width: i32): v128 {
  if (x <= -LANES || x >= width) return splat(0);
  const v = v128.load(row + <isize>x * SIZE);
  if (x >= 0 && x + LANES <= width) return v;
  // Each lane's own x, once for each 32 bits of it; below 0 is large when it has no sign.
  const each = sizeof<real>() == 8 ? i32x4(0, 0, 1, 1) : i32x4(0, 1, 2, 3);
  return v128.and(v, i32x4.lt_u(i32x4.add(i32x4.splat(x), each), i32x4.splat(width)));
}

/** Writes what lies at `count` places of the windows from `first` on, a row of `step` bytes for each place, 0 in the padding. */
function unfold(to: usize, step: usize, image: usize, place: i32, places: i32, first: i32, windows: i32): void {
  const height = size(HEIGHT), width = size(WIDTH), kernelX = size(KERNEL_X), across = size(ACROSS);
  const strideY = size(STRIDE_Y), strideX = size(STRIDE_X), paddingX = size(PADDING_X), paddingY = size(PADDING_Y);
  const kernelY = size(KERNEL_Y), area = kernelY * kernelX;
  const top = first / across * strideY - paddingY, firstColumn = first % across;
  const plane = <usize>(height * width) * SIZE, rowSize = <usize>width * SIZE;
  image += <usize>(place / area) * plane;
  let ky = place % area / kernelX, kx = place % kernelX;
  for (; places > 0; places--) {
    let y = top + ky;
    let column = firstColumn;
    let at = to;
    for (let left = windows; left > 0; ) {
      const run = min(across - column, left);
      const x = column * strideX + kx - paddingX;
      if (y < 0 || y >= height) memory.fill(at, 0, <usize>run * SIZE);
      else {
        const row = image + <usize>y * rowSize;
        if (strideX == 1) {
          let t = 0;
          for (; t + LANES <= run; t += LANES) v128.store(at + <usize>t * SIZE, loadWithin(row, x + t, width));
          if (t < run) storePart(at + <usize>t * SIZE, loadWithin(row, x + t, width), run - t);
        } else {
          for (let t = 0; t < run; t++) {
            const from = x + t * strideX;
            store<real>(at + <usize>t * SIZE, from >= 0 && from < width ? load<real>(row + <usize>from * SIZE) : 0);
          }
        }
      }
      at += <usize>run * SIZE;
      left -= run; y += strideY; column = 0;
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

/** Adds rows as `unfold` writes them back to where they came from. */
function fold(from: usize, step: usize, image: usize, place: i32, places: i32, first: i32, windows: i32): void {
  const height = size(HEIGHT), width = size(WIDTH), kernelX = size(KERNEL_X), across = size(ACROSS);
  const strideY = size(STRIDE_Y), strideX = size(STRIDE_X), paddingX = size(PADDING_X), paddingY = size(PADDING_Y);
  const kernelY = size(KERNEL_Y), area = kernelY * kernelX;
  const top = first / across * strideY - paddingY, firstColumn = first % across;
  const plane = <usize>(height * width) * SIZE, rowSize = <usize>width * SIZE;
  image += <usize>(place / area) * plane;
  let ky = place % area / kernelX, kx = place % kernelX;
  for (; places > 0; places--) {
    let y = top + ky;
    let column = firstColumn;
    let at = from;
    for (let left = windows; left > 0; ) {
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
            storePart(to, v128.add<real>(loadPart(to, inside - t), loadPart(at + <usize>t * SIZE, inside - t)), inside - t);
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
      left -= run; y += strideY; column = 0;
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

/** y[images, outputs, …windows]; weight [outputs, places]. */
export function conv2d(
  y: usize, x: usize, weight: usize, bias: usize, images: i32, channels: i32, height: i32, width: i32, outputs: i32,
  kernelY: i32, kernelX: i32, strideY: i32, strideX: i32, paddingY: i32, paddingX: i32,
): void {
  describeAll(CONVOLVE, y, x, weight, bias, images, channels, height, width, outputs, kernelY, kernelX, strideY, strideX, paddingY, paddingX);
  if (convolvePadded()) return;
  const strips = (size(WINDOWS) + STRIP - 1) / STRIP;
  describe(CONVOLVE, PARTS, strips);
  share(images * strips, isWorth());
}

/** Some windows of one image, all output channels. */
export function convolvePiece(index: i32): void {
  const strips = size(PARTS), windows = size(WINDOWS), places = size(PLACES), outputs = size(OUTPUTS);
  const image = index / strips, first = (index % strips) * STRIP;
  const count = min(STRIP, windows - first);
  const from = described(X) + <usize>(image * size(CHANNELS) * size(HEIGHT) * size(WIDTH)) * SIZE;
  const row = <usize>windows * SIZE;
  const to = described(Y) + <usize>(image * outputs) * row + <usize>first * SIZE;
  const bias = described(BIAS);
  if (bias) {
    for (let output = 0; output < outputs; output++) {
      const value = v128.load_splat<real>(bias + <usize>output * SIZE);
      let at = to + <usize>output * row;
      for (let left = count; left > 0; left -= LANES) {
        storePart(at, value, left);
        at += VECTOR;
      }
    }
  }
  const rows = unfolded();
  for (let place = 0; place < places; place += DEPTH) {
    const depth = min(DEPTH, places - place);
    unfold(rows, STRIP * SIZE, from, place, depth, first, count);
    fromRows(
      outputs, count, depth, described(WEIGHT) + <usize>place * SIZE, <usize>places * SIZE, SIZE, rows, STRIP * SIZE,
      to, row, place > 0 || bias ? ADD : 0, 0,
    );
  }
}

/** Adds to dWeight, and to dBias unless it is 0. */
export function conv2dBackwardWeight(
  dWeight: usize, dBias: usize, dy: usize, x: usize, images: i32, channels: i32, height: i32, width: i32, outputs: i32,
  kernelY: i32, kernelX: i32, strideY: i32, strideX: i32, paddingY: i32, paddingX: i32,
): void {
  describeAll(CONVOLVE_BACK_WEIGHT, dy, x, dWeight, dBias, images, channels, height, width, outputs, kernelY, kernelX, strideY, strideX, paddingY, paddingX);
  if (convolvePixels()) return;
  const places = size(PLACES);
  // Few places make small pieces, so that there are enough of them.
  const part = places < 256 ? STRIP / 2 : STRIP;
  describe(CONVOLVE_BACK_WEIGHT, PARTS, part);
  share((places + part - 1) / part, isWorth());
  if (dBias) sumChannels(dBias, dy, images, outputs, size(WINDOWS));
}

/** The gradients of the weights at some places of the window, from all images in their order. */
export function convolveBackWeightPiece(index: i32): void {
  const part = size(PARTS), windows = size(WINDOWS), places = size(PLACES), outputs = size(OUTPUTS);
  const place = index * part, count = min(part, places - place);
  const imageSize = <usize>(size(CHANNELS) * size(HEIGHT) * size(WIDTH)) * SIZE;
  const row = <usize>windows * SIZE;
  const rows = unfolded(), panels = copyOfB();
  let image = described(X), dy = described(Y);
  for (let left = size(IMAGES); left > 0; left--) {
    for (let first = 0; first < windows; first += DEPTH) {
      const depth = min(DEPTH, windows - first);
      unfold(rows, DEPTH * SIZE, image, place, count, first, depth);
      copyB(panels, rows, SIZE, DEPTH * SIZE, depth, count);
      fromPanels(
        outputs, count, depth, dy + <usize>first * SIZE, row, SIZE, panels,
        described(WEIGHT) + <usize>place * SIZE, <usize>places * SIZE, ADD, 0,
      );
    }
    image += imageSize; dy += <usize>outputs * row;
  }
}

function sumChannels(sums: usize, dy: usize, images: i32, channels: i32, n: i32): void {
  const plane = <usize>n * SIZE;
  for (let channel = 0; channel < channels; channel++) {
    let total: f64 = 0;
    for (let image = 0; image < images; image++) total += <f64>sumOfPlane(dy + <usize>(image * channels + channel) * plane, n);
    addSum(sums + <usize>channel * SIZE, total);
  }
}

/** Writes all of dx. Windows have at most MOST_PLACES_BACK places in a channel. `turned` is room for as many weights, or 0. */
export function conv2dBackwardInput(
  dx: usize, dy: usize, weight: usize, turned: usize, images: i32, channels: i32, height: i32, width: i32, outputs: i32,
  kernelY: i32, kernelX: i32, strideY: i32, strideX: i32, paddingY: i32, paddingX: i32,
): void {
  if (convolvePaddedBack(dx, dy, weight, turned, images, channels, height, width, outputs, kernelY, kernelX, strideY, strideX, paddingY, paddingX)) return;
  describeAll(CONVOLVE_BACK_INPUT, dy, dx, weight, 0, images, channels, height, width, outputs, kernelY, kernelX, strideY, strideX, paddingY, paddingX);
  const together = min(channels, MOST_PLACES_BACK / (kernelY * kernelX));
  describe(CONVOLVE_BACK_INPUT, PARTS, together);
  share(images * ((channels + together - 1) / together), isWorth());
}

/** The gradients of some channels of one image. */
export function convolveBackInputPiece(index: i32): void {
  const together = size(PARTS), channels = size(CHANNELS), windows = size(WINDOWS), outputs = size(OUTPUTS);
  const groups = (channels + together - 1) / together;
  const image = index / groups, channel = (index % groups) * together;
  const area = size(KERNEL_Y) * size(KERNEL_X);
  const place = channel * area, places = min(together, channels - channel) * area;
  const plane = <usize>(size(HEIGHT) * size(WIDTH)) * SIZE;
  const to = described(X) + <usize>(image * channels) * plane;
  memory.fill(to + <usize>channel * plane, 0, <usize>min(together, channels - channel) * plane);
  const row = <usize>windows * SIZE;
  const dy = described(Y) + <usize>(image * outputs) * row;
  const weightRow = <usize>size(PLACES) * SIZE;
  const rows = unfolded(), panels = copyOfB();
  for (let first = 0; first < windows; first += STRIP_BACK) {
    const count = min(STRIP_BACK, windows - first);
    for (let output = 0; output < outputs; output += DEPTH) {
      const depth = min(DEPTH, outputs - output);
      copyB(panels, dy + <usize>output * row + <usize>first * SIZE, row, SIZE, depth, count);
      fromPanels(
        places, count, depth, described(WEIGHT) + <usize>output * weightRow + <usize>place * SIZE, SIZE, weightRow, panels,
        rows, STRIP_BACK * SIZE, output > 0 ? ADD : 0, 0,
      );
    }
    fold(rows, STRIP_BACK * SIZE, to, place, places, first, count);
  }
}
