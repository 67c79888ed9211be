// What simple models make of the training samples, to judge what a network can learn: a linear least-squares fit and
// the nearest neighbor.
import type { TrainingSample } from './training-sample';

/** A linear fit with more columns would take too long while the user types. */
export const MAX_LINEAR_COLUMNS = 100;

/** Samples whose neighbors are searched. */
export const MAX_NEIGHBORS = 400;

/** Columns of a distance that are summed before it is compared with the best one. */
const BLOCK = 8;

/**
 * The share of the first `count` samples whose nearest neighbor among all samples has their class; columns are
 * standardized. Leave-one-out 1-nearest-neighbor accuracy: Cover, Hart, "Nearest neighbor pattern classification",
 * 1967.
 * @param enough a share above which the exact one does not matter: the search ends with what was found until then
 */
export function nearestNeighborAccuracy(
  { inputs, width, samples }: TrainingSample,
  classes: Int32Array,
  count: number,
  enough = Infinity,
): number {
  const scaled = standardizeColumns(inputs, width, samples);
  const step = samples / count;
  let right = 0;
  for (let n = 0; n < count && right <= enough * count; n++) {
    const i = Math.floor(n * step);
    const { nearest } = nearestNeighbor(scaled, width, samples, i);
    if (nearest >= 0 && classes[nearest] === classes[i]) right++;
  }
  return right / count;
}

/** @returns the nearest other row, -1 if there is none, and its squared distance */
export function nearestNeighbor(
  rows: Float64Array,
  width: number,
  samples: number,
  i: number,
): { readonly nearest: number; readonly squaredDistance: number } {
  let nearest = -1;
  let best = Infinity;
  for (let k = 0; k < samples; k++) {
    if (k === i) continue;
    let distance = 0;
    // In blocks, because a comparison after every column would take longer than the columns that it saves.
    for (let j = 0; j < width && distance < best;) {
      for (const end = Math.min(j + BLOCK, width); j < end; j++) {
        const difference = rows[i * width + j]! - rows[k * width + j]!;
        distance += difference * difference;
      }
    }
    if (distance < best) {
      nearest = k;
      best = distance;
    }
  }
  return { nearest, squaredDistance: best };
}

/** Each with mean 0 and standard deviation 1; constant ones are 0. */
export function standardizeColumns(values: Float64Array, width: number, samples: number): Float64Array {
  const scaled = new Float64Array(values.length);
  for (let j = 0; j < width; j++) {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < samples; i++) {
      sum += values[i * width + j]!;
      squares += values[i * width + j]! ** 2;
    }
    const mean = sum / samples;
    const std = Math.sqrt(Math.max(0, squares / samples - mean * mean));
    for (let i = 0; i < samples; i++) scaled[i * width + j] = std > 0 ? (values[i * width + j]! - mean) / std : 0;
  }
  return scaled;
}

/** Training accuracy of the least-squares fit of one-hot targets, with a bias; 0 for too many columns. */
export function linearAccuracy({ inputs, width, samples }: TrainingSample, classes: Int32Array, count: number): number {
  if (width > MAX_LINEAR_COLUMNS) return 0;
  const distinct = [...new Set(classes)].sort((a, b) => a - b);
  const targets = new Float64Array(samples * count);
  classes.forEach((each, i) => (targets[i * count + distinct.indexOf(each)] = 1));
  const scores = fitLinear(standardizeColumns(inputs, width, samples), width, targets, count, true);
  let right = 0;
  for (let i = 0; i < samples; i++) {
    let best = 0;
    for (let c = 1; c < count; c++) if (scores[i * count + c]! > scores[i * count + best]!) best = c;
    if (distinct[best] === classes[i]) right++;
  }
  return right / samples;
}

/**
 * Training accuracy of the least-squares fit of the numbers themselves, whose predictions are cut in order into as many
 * samples of each number as there are.
 */
export function orderedAccuracy({ inputs, width, samples, targets }: TrainingSample): number {
  if (width > MAX_LINEAR_COLUMNS) return 0;
  const predictions = fitLinear(standardizeColumns(inputs, width, samples), width, targets, 1, true);
  const order = Array.from(targets, (_, i) => i).sort((a, b) => predictions[a]! - predictions[b]!);
  const sorted = targets.toSorted();
  return order.filter((i, rank) => targets[i] === sorted[rank]).length / samples;
}

/**
 * Mean squared error of the least-squares fit of values, summed over the outputs; null for too many columns.
 * @param hasBias whether the fit has an intercept
 */
export function linearError(
  { inputs, width, samples, targets, targetWidth }: TrainingSample,
  hasBias: boolean,
): number | null {
  if (width > MAX_LINEAR_COLUMNS) return null;
  // Columns of the same size keep the ridge small for all of them.
  const scaled = new Float64Array(inputs.length);
  for (let j = 0; j < width; j++) {
    let squares = 0;
    for (let i = 0; i < samples; i++) squares += inputs[i * width + j]! ** 2;
    const rms = Math.sqrt(squares / samples);
    for (let i = 0; i < samples; i++) scaled[i * width + j] = rms > 0 ? inputs[i * width + j]! / rms : 0;
  }
  const predictions = fitLinear(scaled, width, targets, targetWidth, hasBias);
  return targets.reduce((sum, target, i) => sum + (target - predictions[i]!) ** 2, 0) / samples;
}

/** Predictions of a least-squares fit with a small ridge. @param targets [samples, outputs] */
export function fitLinear(
  inputs: Float64Array,
  width: number,
  targets: Float64Array,
  outputs: number,
  hasBias: boolean,
): Float64Array {
  const samples = targets.length / outputs;
  const size = width + Number(hasBias);
  const feature = (i: number, j: number): number => (j < width ? inputs[i * width + j]! : 1);
  const columns = size + outputs;
  const system = new Float64Array(size * columns);
  for (let i = 0; i < samples; i++)
    for (let a = 0; a < size; a++) {
      for (let b = 0; b < size; b++) system[a * columns + b]! += feature(i, a) * feature(i, b);
      for (let c = 0; c < outputs; c++) system[a * columns + size + c]! += feature(i, a) * targets[i * outputs + c]!;
    }
  for (let a = 0; a < size; a++) system[a * columns + a]! += 1e-6 * samples;
  solveInPlace(system, size, columns);
  const predictions = new Float64Array(targets.length);
  for (let i = 0; i < samples; i++)
    for (let c = 0; c < outputs; c++)
      for (let a = 0; a < size; a++) predictions[i * outputs + c]! += feature(i, a) * system[a * columns + size + c]!;
  return predictions;
}

/** Pearson's correlation; 0 if one of the two is constant. */
export function correlate(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const { length } = a;
  let [x, y] = [0, 0];
  for (let i = 0; i < length; i++) {
    x += a[i]! / length;
    y += b[i]! / length;
  }
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < length; i++) {
    const [da, db] = [a[i]! - x, b[i]! - y];
    xx += da * da;
    yy += db * db;
    xy += da * db;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0;
}

/** Gauss-Jordan elimination of [A | B], A symmetric positive definite: leaves A⁻¹B in the columns of B. */
function solveInPlace(system: Float64Array, size: number, columns: number): void {
  for (let pivot = 0; pivot < size; pivot++) {
    const scale = 1 / system[pivot * columns + pivot]!;
    for (let c = pivot; c < columns; c++) system[pivot * columns + c]! *= scale;
    for (let row = 0; row < size; row++) {
      const factor = system[row * columns + pivot]!;
      if (row === pivot || factor === 0) continue;
      for (let c = pivot; c < columns; c++) system[row * columns + c]! -= factor * system[pivot * columns + c]!;
    }
  }
}
