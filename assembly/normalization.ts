// Normalization to mean 0 and variance 1: of each channel over the batch, or of each sample over its own numbers.
// Computes in float64, two numbers at a time. The reference is src/engine/kernels/normalization.ts.
import { real } from './real';
import { loadOne, loadPair, SIZE, sumPair } from './vectors';

const PAIR: usize = 2 * SIZE;

// @ts-ignore: decorator
@inline
function loadOr(at: usize, i: i32, fallback: f64): f64 {
  return at ? <f64>load<real>(at + <usize>i * SIZE) : fallback;
}

// @ts-ignore: decorator
@inline
function storeAt(at: usize, i: i32, value: f64): void {
  store<real>(at + <usize>i * SIZE, <real>value);
}

// @ts-ignore: decorator
@inline
function addAt(at: usize, i: i32, value: f64): void {
  storeAt(at, i, loadOr(at, i, 0) + value);
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

/** The sum of the squared deviations from `mu`. */
function sumOfSquaredDeviations(x: usize, n: i32, mu: f64): f64 {
  const muPair = f64x2.splat(mu);
  let sum = f64x2.splat(0);
  for (; n > 1; n -= 2) {
    const d = f64x2.sub(loadPair(x), muPair);
    sum = f64x2.add(sum, f64x2.mul(d, d));
    x += PAIR;
  }
  let rest: f64 = 0;
  if (n > 0) {
    const d = <f64>load<real>(x) - mu;
    rest = d * d;
  }
  return sumPair(sum) + rest;
}

/** The sum of dy (x - mu). */
function deviationProductSum(dy: usize, x: usize, n: i32, mu: f64): f64 {
  const muPair = f64x2.splat(mu);
  let sum = f64x2.splat(0);
  for (; n > 1; n -= 2) {
    sum = f64x2.add(sum, f64x2.mul(loadPair(dy), f64x2.sub(loadPair(x), muPair)));
    dy += PAIR;
    x += PAIR;
  }
  return sumPair(sum) + (n > 0 ? <f64>load<real>(dy) * (<f64>load<real>(x) - mu) : 0);
}

/** Two adjacent channels with one number per sample. */
function momentsPair(mean: usize, variance: usize, x: usize, samples: i32, step: usize): void {
  const count = f64x2.splat(<f64>samples);
  let sum = f64x2.splat(0),
    squares = f64x2.splat(0);
  for (let i = 0, at = x; i < samples; i++, at += step) sum = f64x2.add(sum, loadPair(at));
  const mu = f64x2.div(sum, count);
  for (let i = 0, at = x; i < samples; i++, at += step) {
    const d = f64x2.sub(loadPair(at), mu);
    squares = f64x2.add(squares, f64x2.mul(d, d));
  }
  storePair(mean, mu);
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
    const mu = sum / count;
    for (let i = 0; i < samples; i++) squares += sumOfSquaredDeviations(from + <usize>i * sample, size, mu);
    storeAt(mean, channel, mu);
    storeAt(variance, channel, squares / count);
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
      const mu = loadOr(mean, channel, 0),
        shift = loadOr(bias, channel, 0);
      const scale = loadOr(weight, channel, 1) / Math.sqrt(loadOr(variance, channel, 1) + eps);
      const muPair = f64x2.splat(mu),
        scalePair = f64x2.splat(scale),
        shiftPair = f64x2.splat(shift);
      let n = size;
      for (; n > 1; n -= 2) {
        storePair(y, f64x2.add(f64x2.mul(f64x2.sub(loadPair(x), muPair), scalePair), shiftPair));
        y += PAIR;
        x += PAIR;
      }
      if (n > 0) {
        storeAt(y, 0, (loadOr(x, 0, 0) - mu) * scale + shift);
        y += SIZE;
        x += SIZE;
      }
    }
  }
}

/** `normalizeChannelsBackward` for two adjacent channels with one number per sample. */
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
  const mu = loadPair(mean),
    count = f64x2.splat(<f64>samples);
  const rstd = f64x2.div(f64x2.splat(1), f64x2.sqrt(f64x2.add(loadPair(variance), f64x2.splat(eps))));
  let sum = f64x2.splat(0),
    dot = f64x2.splat(0);
  for (let i = 0, at: usize = 0; i < samples; i++, at += step) {
    const upstream = loadPair(dy + at);
    sum = f64x2.add(sum, upstream);
    dot = f64x2.add(dot, f64x2.mul(upstream, f64x2.sub(loadPair(x + at), mu)));
  }
  if (dWeight) storePair(dWeight, f64x2.add(loadPair(dWeight), f64x2.mul(dot, rstd)));
  if (dBias) storePair(dBias, f64x2.add(loadPair(dBias), sum));
  if (!dx) return;
  const scale = weight ? f64x2.mul(loadPair(weight), rstd) : rstd;
  const meanTerm = useBatchStats ? f64x2.div(sum, count) : f64x2.splat(0);
  const varianceFactor = useBatchStats ? f64x2.div(f64x2.mul(f64x2.mul(dot, rstd), rstd), count) : f64x2.splat(0);
  for (let i = 0, at: usize = 0; i < samples; i++, at += step) {
    const varianceTerm = f64x2.mul(f64x2.sub(loadPair(x + at), mu), varianceFactor);
    storePair(dx + at, f64x2.mul(scale, f64x2.sub(f64x2.sub(loadPair(dy + at), meanTerm), varianceTerm)));
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
    const mu = loadOr(mean, channel, 0);
    const rstd = 1 / Math.sqrt(loadOr(variance, channel, 1) + eps);
    let sum: f64 = 0,
      dot: f64 = 0;
    for (let sample = 0; sample < samples; sample++) {
      const at = offset + <usize>sample * step;
      sum += sumOf(dy + at, size);
      dot += deviationProductSum(dy + at, x + at, size, mu);
    }
    if (dWeight) addAt(dWeight, channel, dot * rstd);
    if (dBias) addAt(dBias, channel, sum);
    if (!dx) continue;
    const scale = loadOr(weight, channel, 1) * rstd;
    // The gradient through the mean, and through the variance.
    const meanTerm = useBatchStats ? sum / count : 0,
      varianceFactor = useBatchStats ? (dot * rstd * rstd) / count : 0;
    const muPair = f64x2.splat(mu),
      scalePair = f64x2.splat(scale),
      meanTermPair = f64x2.splat(meanTerm),
      varianceFactorPair = f64x2.splat(varianceFactor);
    for (let sample = 0; sample < samples; sample++) {
      let at = offset + <usize>sample * step,
        n = size;
      for (; n > 1; n -= 2) {
        const varianceTerm = f64x2.mul(f64x2.sub(loadPair(x + at), muPair), varianceFactorPair);
        storePair(dx + at, f64x2.mul(scalePair, f64x2.sub(f64x2.sub(loadPair(dy + at), meanTermPair), varianceTerm)));
        at += PAIR;
      }
      if (n > 0)
        storeAt(dx + at, 0, scale * (loadOr(dy + at, 0, 0) - meanTerm - (loadOr(x + at, 0, 0) - mu) * varianceFactor));
    }
  }
}

/** Normalizes each row; weight and bias are indexed by the position in the row. */
export function normalizeRows(y: usize, x: usize, weight: usize, bias: usize, rows: i32, size: i32, eps: f64): void {
  const row = <usize>size * SIZE;
  for (; rows > 0; rows--) {
    const mu = sumOf(x, size) / <f64>size;
    const rstd = 1 / Math.sqrt(sumOfSquaredDeviations(x, size, mu) / <f64>size + eps);
    const muPair = f64x2.splat(mu),
      rstdPair = f64x2.splat(rstd);
    let i = 0;
    for (; i + 1 < size; i += 2) {
      const at = <usize>i * SIZE;
      let xHat = f64x2.mul(f64x2.sub(loadPair(x + at), muPair), rstdPair);
      if (weight) xHat = f64x2.mul(xHat, loadPair(weight + at));
      if (bias) xHat = f64x2.add(xHat, loadPair(bias + at));
      storePair(y + at, xHat);
    }
    if (i < size) storeAt(y, i, (loadOr(x, i, 0) - mu) * rstd * loadOr(weight, i, 1) + loadOr(bias, i, 0));
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
    const mu = sumOf(x, size) / count;
    const rstd = 1 / Math.sqrt(sumOfSquaredDeviations(x, size, mu) / count + eps);
    const muPair = f64x2.splat(mu),
      rstdPair = f64x2.splat(rstd);
    let sumOfPairs = f64x2.splat(0),
      dotPair = f64x2.splat(0);
    let i = 0;
    for (; i + 1 < size; i += 2) {
      const at = <usize>i * SIZE;
      const xHat = f64x2.mul(f64x2.sub(loadPair(x + at), muPair), rstdPair),
        upstream = loadPair(dy + at),
        scaled = weight ? f64x2.mul(upstream, loadPair(weight + at)) : upstream;
      sumOfPairs = f64x2.add(sumOfPairs, scaled);
      dotPair = f64x2.add(dotPair, f64x2.mul(scaled, xHat));
      if (dWeight) storePair(dWeight + at, f64x2.add(loadPair(dWeight + at), f64x2.mul(upstream, xHat)));
      if (dBias) storePair(dBias + at, f64x2.add(loadPair(dBias + at), upstream));
    }
    let sum = sumPair(sumOfPairs),
      dot = sumPair(dotPair);
    if (i < size) {
      const xHat = (loadOr(x, i, 0) - mu) * rstd,
        upstream = loadOr(dy, i, 0),
        scaled = upstream * loadOr(weight, i, 1);
      sum += scaled;
      dot += scaled * xHat;
      if (dWeight) addAt(dWeight, i, upstream * xHat);
      if (dBias) addAt(dBias, i, upstream);
    }
    if (dx) {
      const meanTerm = f64x2.splat(sum / count),
        varianceFactor = f64x2.splat(dot / count);
      for (i = 0; i + 1 < size; i += 2) {
        const at = <usize>i * SIZE;
        const xHat = f64x2.mul(f64x2.sub(loadPair(x + at), muPair), rstdPair);
        let scaled = loadPair(dy + at);
        if (weight) scaled = f64x2.mul(scaled, loadPair(weight + at));
        storePair(
          dx + at,
          f64x2.mul(rstdPair, f64x2.sub(f64x2.sub(scaled, meanTerm), f64x2.mul(xHat, varianceFactor))),
        );
      }
      if (i < size) {
        const xHat = (loadOr(x, i, 0) - mu) * rstd;
        storeAt(dx, i, rstd * (loadOr(dy, i, 0) * loadOr(weight, i, 1) - sum / count - (xHat * dot) / count));
      }
      dx += row;
    }
    x += row;
    dy += row;
  }
}
