// Normalization to mean 0 and variance 1: of each channel over the batch, or of each sample over its own numbers.
// Computes in float64, two numbers at a time. The reference is src/engine/kernels/normalization.ts.
import { real } from './real';
import { loadOne, loadPair, SIZE, sumPair } from './vectors';

const PAIR: usize = 2 * SIZE;

// @ts-ignore: decorator
@inline
function number(at: usize, i: i32, otherwise: f64): f64 {
  return at ? <f64>load<real>(at + <usize>i * SIZE) : otherwise;
}

// @ts-ignore: decorator
@inline
function put(at: usize, i: i32, value: f64): void {
  store<real>(at + <usize>i * SIZE, <real>value);
}

// @ts-ignore: decorator
@inline
function addTo(at: usize, i: i32, value: f64): void {
  put(at, i, number(at, i, 0) + value);
}

// @ts-ignore: decorator
@inline
function storePair(at: usize, x: v128): void {
  if (sizeof<real>() == 8) v128.store(at, x);
  else v128.store64_lane(at, f32x4.demote_f64x2_zero(x), 0);
}

/** The sum of n contiguous numbers. */
function sumOf(x: usize, n: i32): f64 {
  let sum = f64x2.splat(0);
  for (; n > 1; n -= 2) {
    sum = f64x2.add(sum, loadPair(x));
    x += PAIR;
  }
  if (n > 0) sum = f64x2.add(sum, loadOne(x));
  return sumPair(sum);
}

/** The sum of the squared deviations from `middle`. */
function sumOfSquaredDeviations(x: usize, n: i32, middle: f64): f64 {
  const center = f64x2.splat(middle);
  let sum = f64x2.splat(0);
  for (; n > 1; n -= 2) {
    const d = f64x2.sub(loadPair(x), center);
    sum = f64x2.add(sum, f64x2.mul(d, d));
    x += PAIR;
  }
  let rest: f64 = 0;
  if (n > 0) {
    const d = <f64>load<real>(x) - middle;
    rest = d * d;
  }
  return sumPair(sum) + rest;
}

/** The sum of dy (x - middle). */
function deviationProductSum(dy: usize, x: usize, n: i32, middle: f64): f64 {
  const center = f64x2.splat(middle);
  let sum = f64x2.splat(0);
  for (; n > 1; n -= 2) {
    sum = f64x2.add(sum, f64x2.mul(loadPair(dy), f64x2.sub(loadPair(x), center)));
    dy += PAIR;
    x += PAIR;
  }
  return sumPair(sum) + (n > 0 ? <f64>load<real>(dy) * (<f64>load<real>(x) - middle) : 0);
}

/** Two adjacent channels with one number per sample. */
function momentsPair(mean: usize, variance: usize, x: usize, samples: i32, step: usize): void {
  const count = f64x2.splat(<f64>samples);
  let sum = f64x2.splat(0),
    squares = f64x2.splat(0);
  for (let i = 0, at = x; i < samples; i++, at += step) sum = f64x2.add(sum, loadPair(at));
  const middle = f64x2.div(sum, count);
  for (let i = 0, at = x; i < samples; i++, at += step) {
    const d = f64x2.sub(loadPair(at), middle);
    squares = f64x2.add(squares, f64x2.mul(d, d));
  }
  storePair(mean, middle);
  storePair(variance, f64x2.div(squares, count));
}

/** Mean and biased variance of each channel; x is [samples, channels, size]. */
export function channelMoments(mean: usize, variance: usize, x: usize, samples: i32, channels: i32, size: i32): void {
  const plane = <usize>size * SIZE,
    sample = <usize>channels * plane;
  const count = <f64>samples * <f64>size;
  let channel = 0;
  for (; size == 1 && channel + 1 < channels; channel += 2) {
    const at = <usize>channel * SIZE;
    momentsPair(mean + at, variance + at, x + at, samples, sample);
  }
  for (; channel < channels; channel++) {
    const from = x + <usize>channel * plane;
    let sum: f64 = 0,
      squares: f64 = 0;
    for (let i = 0; i < samples; i++) sum += sumOf(from + <usize>i * sample, size);
    const middle = sum / count;
    for (let i = 0; i < samples; i++) squares += sumOfSquaredDeviations(from + <usize>i * sample, size, middle);
    put(mean, channel, middle);
    put(variance, channel, squares / count);
  }
}

export function normalizeChannels(
  y: usize,
  x: usize,
  mean: usize,
  variance: usize,
  weight: usize,
  bias: usize,
  samples: i32,
  channels: i32,
  size: i32,
  eps: f64,
): void {
  for (let sample = 0; sample < samples; sample++) {
    for (let channel = 0; channel < channels; channel++) {
      const middle = number(mean, channel, 0),
        shift = number(bias, channel, 0);
      const scale = number(weight, channel, 1) / Math.sqrt(number(variance, channel, 1) + eps);
      const center = f64x2.splat(middle),
        by = f64x2.splat(scale),
        up = f64x2.splat(shift);
      let n = size;
      for (; n > 1; n -= 2) {
        storePair(y, f64x2.add(f64x2.mul(f64x2.sub(loadPair(x), center), by), up));
        y += PAIR;
        x += PAIR;
      }
      if (n > 0) {
        put(y, 0, (number(x, 0, 0) - middle) * scale + shift);
        y += SIZE;
        x += SIZE;
      }
    }
  }
}

/** The same as below for two adjacent channels with one number per sample. */
function backwardPair(
  dx: usize,
  dWeight: usize,
  dBias: usize,
  dy: usize,
  x: usize,
  mean: usize,
  variance: usize,
  weight: usize,
  samples: i32,
  step: usize,
  eps: f64,
  useBatchStats: i32,
): void {
  const middle = loadPair(mean),
    count = f64x2.splat(<f64>samples);
  const inverse = f64x2.div(f64x2.splat(1), f64x2.sqrt(f64x2.add(loadPair(variance), f64x2.splat(eps))));
  let sum = f64x2.splat(0),
    product = f64x2.splat(0);
  for (let i = 0, at: usize = 0; i < samples; i++, at += step) {
    const arriving = loadPair(dy + at);
    sum = f64x2.add(sum, arriving);
    product = f64x2.add(product, f64x2.mul(arriving, f64x2.sub(loadPair(x + at), middle)));
  }
  if (dWeight) storePair(dWeight, f64x2.add(loadPair(dWeight), f64x2.mul(product, inverse)));
  if (dBias) storePair(dBias, f64x2.add(loadPair(dBias), sum));
  if (!dx) return;
  const by = weight ? f64x2.mul(loadPair(weight), inverse) : inverse;
  const shift = useBatchStats ? f64x2.div(sum, count) : f64x2.splat(0);
  const slope = useBatchStats ? f64x2.div(f64x2.mul(f64x2.mul(product, inverse), inverse), count) : f64x2.splat(0);
  for (let i = 0, at: usize = 0; i < samples; i++, at += step) {
    const through = f64x2.mul(f64x2.sub(loadPair(x + at), middle), slope);
    storePair(dx + at, f64x2.mul(by, f64x2.sub(f64x2.sub(loadPair(dy + at), shift), through)));
  }
}

/**
 * Writes dx, and adds to dWeight and dBias; each unless its address is 0. With useBatchStats, mean and variance depend
 * on x.
 */
export function normalizeChannelsBackward(
  dx: usize,
  dWeight: usize,
  dBias: usize,
  dy: usize,
  x: usize,
  mean: usize,
  variance: usize,
  weight: usize,
  samples: i32,
  channels: i32,
  size: i32,
  eps: f64,
  useBatchStats: i32,
): void {
  const plane = <usize>size * SIZE,
    step = <usize>channels * plane;
  const count = <f64>samples * <f64>size;
  let channel = 0;
  for (; size == 1 && channel + 1 < channels; channel += 2) {
    const at = <usize>channel * SIZE;
    backwardPair(
      dx ? dx + at : 0,
      dWeight ? dWeight + at : 0,
      dBias ? dBias + at : 0,
      dy + at,
      x + at,
      mean + at,
      variance + at,
      weight ? weight + at : 0,
      samples,
      step,
      eps,
      useBatchStats,
    );
  }
  for (; channel < channels; channel++) {
    const offset = <usize>channel * plane;
    const middle = number(mean, channel, 0);
    const inverse = 1 / Math.sqrt(number(variance, channel, 1) + eps);
    let sum: f64 = 0,
      product: f64 = 0;
    for (let sample = 0; sample < samples; sample++) {
      const at = offset + <usize>sample * step;
      sum += sumOf(dy + at, size);
      product += deviationProductSum(dy + at, x + at, size, middle);
    }
    if (dWeight) addTo(dWeight, channel, product * inverse);
    if (dBias) addTo(dBias, channel, sum);
    if (!dx) continue;
    const scale = number(weight, channel, 1) * inverse;
    // The gradient through the mean, and through the variance.
    const shift = useBatchStats ? sum / count : 0,
      slope = useBatchStats ? (product * inverse * inverse) / count : 0;
    const center = f64x2.splat(middle),
      by = f64x2.splat(scale),
      down = f64x2.splat(shift),
      tilt = f64x2.splat(slope);
    for (let sample = 0; sample < samples; sample++) {
      let at = offset + <usize>sample * step,
        n = size;
      for (; n > 1; n -= 2) {
        const through = f64x2.mul(f64x2.sub(loadPair(x + at), center), tilt);
        storePair(dx + at, f64x2.mul(by, f64x2.sub(f64x2.sub(loadPair(dy + at), down), through)));
        at += PAIR;
      }
      if (n > 0) put(dx + at, 0, scale * (number(dy + at, 0, 0) - shift - (number(x + at, 0, 0) - middle) * slope));
    }
  }
}

/** Normalizes each row; weight and bias are indexed by the position in the row. */
export function normalizeRows(y: usize, x: usize, weight: usize, bias: usize, rows: i32, size: i32, eps: f64): void {
  const row = <usize>size * SIZE;
  for (; rows > 0; rows--) {
    const middle = sumOf(x, size) / <f64>size;
    const inverse = 1 / Math.sqrt(sumOfSquaredDeviations(x, size, middle) / <f64>size + eps);
    const center = f64x2.splat(middle),
      by = f64x2.splat(inverse);
    let i = 0;
    for (; i + 1 < size; i += 2) {
      const at = <usize>i * SIZE;
      let normal = f64x2.mul(f64x2.sub(loadPair(x + at), center), by);
      if (weight) normal = f64x2.mul(normal, loadPair(weight + at));
      if (bias) normal = f64x2.add(normal, loadPair(bias + at));
      storePair(y + at, normal);
    }
    if (i < size) put(y, i, (number(x, i, 0) - middle) * inverse * number(weight, i, 1) + number(bias, i, 0));
    x += row;
    y += row;
  }
}

export function normalizeRowsBackward(
  dx: usize,
  dWeight: usize,
  dBias: usize,
  dy: usize,
  x: usize,
  weight: usize,
  rows: i32,
  size: i32,
  eps: f64,
): void {
  const row = <usize>size * SIZE,
    count = <f64>size;
  for (; rows > 0; rows--) {
    const middle = sumOf(x, size) / count;
    const inverse = 1 / Math.sqrt(sumOfSquaredDeviations(x, size, middle) / count + eps);
    const center = f64x2.splat(middle),
      by = f64x2.splat(inverse);
    let sums = f64x2.splat(0),
      products = f64x2.splat(0);
    let i = 0;
    for (; i + 1 < size; i += 2) {
      const at = <usize>i * SIZE;
      const normal = f64x2.mul(f64x2.sub(loadPair(x + at), center), by),
        arriving = loadPair(dy + at),
        scaled = weight ? f64x2.mul(arriving, loadPair(weight + at)) : arriving;
      sums = f64x2.add(sums, scaled);
      products = f64x2.add(products, f64x2.mul(scaled, normal));
      if (dWeight) storePair(dWeight + at, f64x2.add(loadPair(dWeight + at), f64x2.mul(arriving, normal)));
      if (dBias) storePair(dBias + at, f64x2.add(loadPair(dBias + at), arriving));
    }
    let sum = sumPair(sums),
      product = sumPair(products);
    if (i < size) {
      const normal = (number(x, i, 0) - middle) * inverse,
        arriving = number(dy, i, 0),
        scaled = arriving * number(weight, i, 1);
      sum += scaled;
      product += scaled * normal;
      if (dWeight) addTo(dWeight, i, arriving * normal);
      if (dBias) addTo(dBias, i, arriving);
    }
    if (dx) {
      const mean = f64x2.splat(sum / count),
        slope = f64x2.splat(product / count);
      for (i = 0; i + 1 < size; i += 2) {
        const at = <usize>i * SIZE;
        const normal = f64x2.mul(f64x2.sub(loadPair(x + at), center), by);
        let scaled = loadPair(dy + at);
        if (weight) scaled = f64x2.mul(scaled, loadPair(weight + at));
        storePair(dx + at, f64x2.mul(by, f64x2.sub(f64x2.sub(scaled, mean), f64x2.mul(normal, slope))));
      }
      if (i < size) {
        const normal = (number(x, i, 0) - middle) * inverse;
        put(dx, i, inverse * (number(dy, i, 0) * number(weight, i, 1) - sum / count - (normal * product) / count));
      }
      dx += row;
    }
    x += row;
    dy += row;
  }
}
