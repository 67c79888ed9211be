// Kernels that every backend may take over as they are: plain loops over the tensors' typed arrays, wherever
// these lie. A backend extends this class and overrides what it has a faster version of.
import { convolve, convolveBackwardInput, convolveBackwardWeight } from './convolution';
import { featureMap, featureMapBackward, type Similarity } from './feature-map';
import { addShares, moveColumns, placeColumns } from './moves';
import { channelMoments, normalizeChannels, normalizeChannelsBackward, normalizeRows, normalizeRowsBackward } from './normalization';
import { onward, type Pointwise, pointwiseFunction } from './pointwise';
import { averagePool, averagePoolBackward, maxPool, maxPoolBackward } from './pooling';
import type { Tensor } from './tensor';
import { type Unary, unaryFunction } from './unary';
import type { Windows } from './windows';

const columns = (x: Tensor): number => x.shape[x.shape.length - 1] ?? 1;

/** Does one after the other, each time. */
export const around = (before: () => void, value: () => number, after: () => void) => (): number => {
  before();
  const found = value();
  after();
  return found;
};

export abstract class SharedKernels {
  /** Called ahead of each of them: they act at once, and can be no part of what a backend only writes down. */
  protected abstract beforeShared(): void;

  // What convolution is made of.
  abstract fill(out: Tensor, value: number): void;
  abstract matmul(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void;
  abstract matmulTransposedA(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void;
  abstract matmulTransposedB(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void;

  abstract crossEntropy(x: Tensor, t: Tensor): number;

  moveColumns(out: Tensor, columns: Tensor, places: Tensor, by: Tensor, slopes: Tensor | null, from: Tensor): void {
    this.beforeShared();
    moveColumns(out, columns, places, by, slopes, from);
  }

  placeColumns(y: Tensor, rows: Tensor, moved: Tensor, places: Tensor): void {
    this.beforeShared();
    placeColumns(y, rows, moved, places);
  }

  addShares(y: Tensor, rows: Tensor, moved: Tensor, columns: Tensor, weights: Tensor, places: Tensor): void {
    this.beforeShared();
    addShares(y, rows, moved, columns, weights, places);
  }

  crossEntropies(out: Tensor, x: Tensor, t: Tensor): void {
    this.beforeShared();
    const size = t.data.length;
    for (let i = 0; i < out.data.length; i++) out.data[i] = this.crossEntropy({ shape: t.shape, data: x.data.subarray(i * size, (i + 1) * size) }, t);
  }

  unary(y: Tensor, x: Tensor, f: Unary, a: number): void {
    this.beforeShared();
    const { value } = unaryFunction(f);
    for (let i = 0; i < y.data.length; i++) y.data[i] = value(x.data[i], a);
  }

  unaryBackward(dx: Tensor, dy: Tensor, x: Tensor, f: Unary, a: number): void {
    this.beforeShared();
    const { slope } = unaryFunction(f);
    for (let i = 0; i < dx.data.length; i++) dx.data[i] = dy.data[i] * slope(x.data[i], a);
  }

  logSoftmax(y: Tensor, x: Tensor): void {
    this.beforeShared();
    const n = columns(x);
    for (let from = 0; from < x.data.length; from += n) {
      let max = -Infinity;
      for (let i = from; i < from + n; i++) max = Math.max(max, x.data[i]);
      let sum = 0;
      for (let i = from; i < from + n; i++) sum += Math.exp(x.data[i] - max);
      const log = Math.log(sum);
      // The maximum first: adding it to the logarithm would cost the digits of small differences.
      for (let i = from; i < from + n; i++) y.data[i] = x.data[i] - max - log;
    }
  }

  logSoftmaxBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    this.beforeShared();
    const n = columns(y);
    for (let from = 0; from < y.data.length; from += n) {
      let sum = 0;
      for (let i = from; i < from + n; i++) sum += dy.data[i];
      for (let i = from; i < from + n; i++) dx.data[i] = dy.data[i] - Math.exp(y.data[i]) * sum;
    }
  }

  weightedSum(x: Tensor, w: Tensor): number {
    this.beforeShared();
    let sum = 0;
    for (let i = 0; i < x.data.length; i++) if (w.data[i] !== 0) sum += w.data[i] * x.data[i];
    return sum;
  }

  pointwiseLoss(x: Tensor, t: Tensor, f: Pointwise, a: number): number {
    this.beforeShared();
    const { value } = pointwiseFunction(f);
    let sum = 0;
    for (let i = 0; i < x.data.length; i++) sum += value(x.data[i], t.data[i], a);
    return sum;
  }

  pointwiseLossBackward(dx: Tensor, x: Tensor, t: Tensor, f: Pointwise, a: number, scale: number): void {
    this.beforeShared();
    const { slope } = pointwiseFunction(f);
    for (let i = 0; i < dx.data.length; i++) dx.data[i] = scale * slope(x.data[i], t.data[i], a);
  }

  multiMargin(x: Tensor, t: Tensor, p: 1 | 2, margin: number): number {
    this.beforeShared();
    const n = columns(x);
    let total = 0;
    for (let from = 0; from < x.data.length; from += n) {
      for (let c = from; c < from + n; c++) {
        if (t.data[c] === 0) continue;
        let sum = 0;
        for (let i = from; i < from + n; i++) {
          const missing = i === c ? 0 : Math.max(0, margin - x.data[c] + x.data[i]);
          sum += p === 1 ? missing : missing * missing;
        }
        total += (t.data[c] * sum) / n;
      }
    }
    return total;
  }

  multiMarginBackward(dx: Tensor, x: Tensor, t: Tensor, p: 1 | 2, margin: number, scale: number): void {
    this.beforeShared();
    const n = columns(x);
    const row = new Float64Array(n);
    for (let from = 0; from < x.data.length; from += n) {
      row.fill(0);
      for (let c = 0; c < n; c++) {
        const weight = t.data[from + c];
        if (weight === 0) continue;
        for (let i = 0; i < n; i++) {
          const missing = i === c ? 0 : margin - x.data[from + c] + x.data[from + i];
          // Written so that a NaN is passed on.
          if (missing <= 0) continue;
          const slope = ((p === 1 ? onward(missing) : 2 * missing) * weight) / n;
          row[i] += slope;
          row[c] -= slope;
        }
      }
      for (let i = 0; i < n; i++) dx.data[from + i] = scale * row[i];
    }
  }

  combine(out: Tensor, x: Tensor, a: number, b: number): void {
    this.beforeShared();
    for (let i = 0; i < out.data.length; i++) out.data[i] = a * out.data[i] + b * x.data[i];
  }

  combineSquares(out: Tensor, x: Tensor, a: number, b: number): void {
    this.beforeShared();
    for (let i = 0; i < out.data.length; i++) out.data[i] = a * out.data[i] + b * x.data[i] * x.data[i];
  }

  addQuotient(out: Tensor, x: Tensor, d: Tensor, scale: number, eps: number): void {
    this.beforeShared();
    for (let i = 0; i < out.data.length; i++) out.data[i] += (scale * x.data[i]) / (Math.sqrt(d.data[i]) + eps);
  }

  addSign(out: Tensor, x: Tensor, scale: number): void {
    this.beforeShared();
    for (let i = 0; i < out.data.length; i++) out.data[i] += scale * Math.sign(x.data[i]);
  }

  clamp(out: Tensor, x: Tensor, low: number, high: number): void {
    this.beforeShared();
    for (let i = 0; i < out.data.length; i++) out.data[i] = Math.min(Math.max(x.data[i], low), high);
  }

  multiply(out: Tensor, a: Tensor, b: Tensor): void {
    this.beforeShared();
    for (let i = 0; i < out.data.length; i++) out.data[i] = a.data[i] * b.data[i];
  }

  conv2d(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, windows: Windows, workspace: Tensor): void {
    this.beforeShared();
    convolve(this, y, x, weight, bias, windows, workspace);
  }

  conv2dBackwardInput(dx: Tensor, dy: Tensor, weight: Tensor, windows: Windows, workspace: Tensor): void {
    this.beforeShared();
    convolveBackwardInput(this, dx, dy, weight, windows, workspace);
  }

  conv2dBackwardWeight(
    dWeight: Tensor, dBias: Tensor | null, dy: Tensor, x: Tensor, windows: Windows, workspace: Tensor,
  ): void {
    this.beforeShared();
    convolveBackwardWeight(this, dWeight, dBias, dy, x, windows, workspace);
  }

  maxPool2d(y: Tensor, x: Tensor, windows: Windows): void {
    this.beforeShared();
    maxPool(y, x, windows);
  }

  maxPool2dBackward(dx: Tensor, dy: Tensor, x: Tensor, windows: Windows): void {
    this.beforeShared();
    maxPoolBackward(dx, dy, x, windows);
  }

  avgPool2d(y: Tensor, x: Tensor, windows: Windows, padded: boolean): void {
    this.beforeShared();
    averagePool(y, x, windows, padded);
  }

  avgPool2dBackward(dx: Tensor, dy: Tensor, windows: Windows, padded: boolean): void {
    this.beforeShared();
    averagePoolBackward(dx, dy, windows, padded);
  }

  channelMoments(mean: Tensor, variance: Tensor, x: Tensor): void {
    this.beforeShared();
    channelMoments(mean.data, variance.data, x);
  }

  normalizeChannels(
    y: Tensor, x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | null, bias: Tensor | null, eps: number,
  ): void {
    this.beforeShared();
    normalizeChannels(y, x, mean, variance, weight, bias, eps);
  }

  normalizeChannelsBackward(
    dx: Tensor | null, dWeight: Tensor | null, dBias: Tensor | null,
    dy: Tensor, x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | null, eps: number, ofBatch: boolean,
  ): void {
    this.beforeShared();
    normalizeChannelsBackward(dx, dWeight, dBias, dy, x, mean, variance, weight, eps, ofBatch);
  }

  normalizeRows(y: Tensor, x: Tensor, weight: Tensor | null, bias: Tensor | null, size: number, eps: number): void {
    this.beforeShared();
    normalizeRows(y, x, weight, bias, size, eps);
  }

  normalizeRowsBackward(
    dx: Tensor | null, dWeight: Tensor | null, dBias: Tensor | null, dy: Tensor, x: Tensor, weight: Tensor | null, size: number, eps: number,
  ): void {
    this.beforeShared();
    normalizeRowsBackward(dx, dWeight, dBias, dy, x, weight, size, eps);
  }

  featureMap(y: Tensor, x: Tensor, centers: Tensor, matrix: Tensor, f: Similarity, workspace: Tensor): void {
    this.beforeShared();
    featureMap(this, y, x, centers, matrix, f, workspace);
  }

  featureMapBackward(dx: Tensor, dy: Tensor, x: Tensor, centers: Tensor, matrix: Tensor, f: Similarity, workspace: Tensor): void {
    this.beforeShared();
    featureMapBackward(this, dx, dy, x, centers, matrix, f, workspace);
  }
}
