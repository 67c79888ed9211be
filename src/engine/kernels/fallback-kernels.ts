// Kernels that every backend can inherit: plain loops over the tensors' typed arrays, in whatever memory. A backend
// extends this class and overrides the kernels that it has a faster version of.
import { conv2d, conv2dBackwardInput, conv2dBackwardWeight } from './convolution';
import { accumulateChannels, addChannels, prelu, preluBackward, scaleChannels } from './channels';
import { featureMap, featureMapBackward } from './feature-map';
import type { KernelFunction } from './kernel-function';
import { causalSoftmax, headProducts, headSums, headSumsTransposed } from './attention';
import type { LabeledCounts } from './kernels';
import { accumulateAtRows, lookUpRows } from './lookup';
import { rank1Update, perturbColumns, replaceColumns } from './perturbations';
import {
  channelMoments,
  normalizeChannels,
  normalizeChannelsBackward,
  normalizeRows,
  normalizeRowsBackward,
  rmsNormalizeRows,
  rmsNormalizeRowsBackward,
} from './normalization';
import { copyPaddedRows, meanOfPositions, meanOfPositionsBackward, paddedSoftmax } from './padding';
import { reluDerivative, type PointwiseLossKind, pointwiseLoss } from './pointwise-losses';
import { avgPool2d, avgPool2dBackward, maxPool2d, maxPool2dBackward } from './pooling';
import {
  adaptiveAvgPool2d,
  adaptiveAvgPool2dBackward,
  upsampleNearest2d,
  upsampleNearest2dBackward,
} from './resampling';
import type { Tensor } from './tensor';
import { type UnaryKind, unaryFunction } from './unary-functions';
import {
  type CrossEntropyVariant,
  targetWeight,
  weightedCrossEntropy,
  weightedCrossEntropyBackward,
} from './weighted-cross-entropy';
import type { WindowOptions } from './windows';

const columns = (x: Tensor): number => x.shape[x.shape.length - 1] ?? 1;

/** Runs the parts of a step in order, without recording anything. */
export const runInOrder = (before: () => void, value: () => number, after: () => void) => (): number => {
  before();
  const found = value();
  after();
  return found;
};

export abstract class FallbackKernels {
  /** Called before each of these kernels: they run immediately, so they cannot be recorded. */
  protected abstract assertEager(): void;

  // The kernels that convolution uses.
  abstract fill(out: Tensor, value: number): void;
  abstract matmul(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void;
  abstract matmulTransposedA(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void;
  abstract matmulTransposedB(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void;

  abstract crossEntropy(x: Tensor, t: Tensor): number;
  abstract countCorrect(prediction: Tensor, target: Tensor, threshold: number): number;

  perturbColumns(
    out: Tensor,
    columns: Tensor,
    columnIndices: Tensor,
    steps: Tensor,
    derivatives: Tensor | null,
    derivativeIndices: Tensor,
  ): void {
    this.assertEager();
    perturbColumns(out, columns, columnIndices, steps, derivatives, derivativeIndices);
  }

  replaceColumns(y: Tensor, rows: Tensor, perturbed: Tensor, columnIndices: Tensor): void {
    this.assertEager();
    replaceColumns(y, rows, perturbed, columnIndices);
  }

  rank1Update(
    y: Tensor,
    rows: Tensor,
    perturbed: Tensor,
    columns: Tensor,
    weights: Tensor,
    columnIndices: Tensor,
  ): void {
    this.assertEager();
    rank1Update(y, rows, perturbed, columns, weights, columnIndices);
  }

  batchedCrossEntropy(out: Tensor, x: Tensor, t: Tensor): void {
    this.assertEager();
    const size = t.data.length;
    for (let i = 0; i < out.data.length; i++)
      out.data[i] = this.crossEntropy({ shape: t.shape, data: x.data.subarray(i * size, (i + 1) * size) }, t);
  }

  weightedCrossEntropy(x: Tensor, t: Tensor, variant: CrossEntropyVariant): number {
    this.assertEager();
    return weightedCrossEntropy(x, t, variant);
  }

  weightedCrossEntropyBackward(dx: Tensor, x: Tensor, t: Tensor, variant: CrossEntropyVariant, mean: boolean): void {
    this.assertEager();
    weightedCrossEntropyBackward(dx, x, t, variant, mean);
  }

  targetWeight(t: Tensor, variant: CrossEntropyVariant): number {
    this.assertEager();
    return targetWeight(t, variant);
  }

  countLabeled(prediction: Tensor, target: Tensor): LabeledCounts {
    this.assertEager();
    const n = columns(prediction);
    const row = ({ data }: Tensor, from: number): Tensor => ({ shape: [1, n], data: data.subarray(from, from + n) });
    const counts = { correct: 0, labeled: 0 };
    for (let from = 0; from < target.data.length; from += n) {
      const own = row(target, from);
      if (own.data.every((value) => value === 0)) continue;
      counts.labeled++;
      counts.correct += this.countCorrect(row(prediction, from), own, 0);
    }
    return counts;
  }

  copyColumns({ shape, data: out }: Tensor, to: number, { data: x }: Tensor, from: number, width: number): void {
    this.assertEager();
    const rows = shape[0]!;
    const [outWidth, xWidth] = [out.length / rows, x.length / rows];
    for (let row = 0; row < rows; row++)
      for (let j = 0; j < width; j++) out[row * outWidth + to + j] = x[row * xWidth + from + j]!;
  }

  unary(y: Tensor, x: Tensor, f: UnaryKind, a: number): void {
    this.assertEager();
    const { value } = unaryFunction(f);
    for (let i = 0; i < y.data.length; i++) y.data[i] = value(x.data[i]!, a);
  }

  unaryBackward(dx: Tensor, dy: Tensor, x: Tensor, f: UnaryKind, a: number): void {
    this.assertEager();
    const { derivative } = unaryFunction(f);
    for (let i = 0; i < dx.data.length; i++) dx.data[i] = dy.data[i]! * derivative(x.data[i]!, a);
  }

  logSoftmax(y: Tensor, x: Tensor): void {
    this.assertEager();
    const n = columns(x);
    for (let from = 0; from < x.data.length; from += n) {
      let max = -Infinity;
      for (let i = from; i < from + n; i++) max = Math.max(max, x.data[i]!);
      let sum = 0;
      for (let i = from; i < from + n; i++) sum += Math.exp(x.data[i]! - max);
      const log = Math.log(sum);
      // Subtracts the maximum first: adding it to the logarithm would cost digits of small differences.
      for (let i = from; i < from + n; i++) y.data[i] = x.data[i]! - max - log;
    }
  }

  logSoftmaxBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    this.assertEager();
    const n = columns(y);
    for (let from = 0; from < y.data.length; from += n) {
      let sum = 0;
      for (let i = from; i < from + n; i++) sum += dy.data[i]!;
      for (let i = from; i < from + n; i++) dx.data[i] = dy.data[i]! - Math.exp(y.data[i]!) * sum;
    }
  }

  weightedSum(x: Tensor, w: Tensor): number {
    this.assertEager();
    let sum = 0;
    for (let i = 0; i < x.data.length; i++) if (w.data[i] !== 0) sum += w.data[i]! * x.data[i]!;
    return sum;
  }

  pointwiseLoss(x: Tensor, t: Tensor, f: PointwiseLossKind, a: number): number {
    this.assertEager();
    const { value } = pointwiseLoss(f);
    let sum = 0;
    for (let i = 0; i < x.data.length; i++) sum += value(x.data[i]!, t.data[i]!, a);
    return sum;
  }

  pointwiseLossBackward(dx: Tensor, x: Tensor, t: Tensor, f: PointwiseLossKind, a: number, scale: number): void {
    this.assertEager();
    const { derivative } = pointwiseLoss(f);
    for (let i = 0; i < dx.data.length; i++) dx.data[i] = scale * derivative(x.data[i]!, t.data[i]!, a);
  }

  multiMargin(x: Tensor, t: Tensor, p: 1 | 2, margin: number): number {
    this.assertEager();
    const n = columns(x);
    let total = 0;
    for (let from = 0; from < x.data.length; from += n) {
      for (let c = from; c < from + n; c++) {
        if (t.data[c] === 0) continue;
        let sum = 0;
        for (let i = from; i < from + n; i++) {
          const hingeLoss = i === c ? 0 : Math.max(0, margin - x.data[c]! + x.data[i]!);
          sum += p === 1 ? hingeLoss : hingeLoss * hingeLoss;
        }
        total += (t.data[c]! * sum) / n;
      }
    }
    return total;
  }

  multiMarginBackward(dx: Tensor, x: Tensor, t: Tensor, p: 1 | 2, margin: number, scale: number): void {
    this.assertEager();
    const n = columns(x);
    const row = new Float64Array(n);
    for (let from = 0; from < x.data.length; from += n) {
      row.fill(0);
      for (let c = 0; c < n; c++) {
        const weight = t.data[from + c]!;
        if (weight === 0) continue;
        for (let i = 0; i < n; i++) {
          const hingeLoss = i === c ? 0 : margin - x.data[from + c]! + x.data[from + i]!;
          // Written so that NaN is passed on.
          if (hingeLoss <= 0) continue;
          const gradient = ((p === 1 ? reluDerivative(hingeLoss) : 2 * hingeLoss) * weight) / n;
          row[i]! += gradient;
          row[c]! -= gradient;
        }
      }
      for (let i = 0; i < n; i++) dx.data[from + i] = scale * row[i]!;
    }
  }

  axpby(out: Tensor, x: Tensor, a: number, b: number): void {
    this.assertEager();
    for (let i = 0; i < out.data.length; i++) out.data[i] = a * out.data[i]! + b * x.data[i]!;
  }

  axpbySquared(out: Tensor, x: Tensor, a: number, b: number): void {
    this.assertEager();
    for (let i = 0; i < out.data.length; i++) out.data[i] = a * out.data[i]! + b * x.data[i]! * x.data[i]!;
  }

  addcdivSqrt(out: Tensor, x: Tensor, d: Tensor, scale: number, eps: number): void {
    this.assertEager();
    for (let i = 0; i < out.data.length; i++) out.data[i]! += (scale * x.data[i]!) / (Math.sqrt(d.data[i]!) + eps);
  }

  addSign(out: Tensor, x: Tensor, scale: number): void {
    this.assertEager();
    for (let i = 0; i < out.data.length; i++) out.data[i]! += scale * Math.sign(x.data[i]!);
  }

  clamp(out: Tensor, x: Tensor, low: number, high: number): void {
    this.assertEager();
    for (let i = 0; i < out.data.length; i++) out.data[i] = Math.min(Math.max(x.data[i]!, low), high);
  }

  multiply(out: Tensor, a: Tensor, b: Tensor): void {
    this.assertEager();
    for (let i = 0; i < out.data.length; i++) out.data[i] = a.data[i]! * b.data[i]!;
  }

  conv2d(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, windows: WindowOptions, workspace: Tensor): void {
    this.assertEager();
    conv2d(this, y, x, weight, bias, windows, workspace);
  }

  conv2dBackwardInput(dx: Tensor, dy: Tensor, weight: Tensor, windows: WindowOptions, workspace: Tensor): void {
    this.assertEager();
    conv2dBackwardInput(this, dx, dy, weight, windows, workspace);
  }

  conv2dBackwardWeight(
    dWeight: Tensor,
    dBias: Tensor | null,
    dy: Tensor,
    x: Tensor,
    windows: WindowOptions,
    workspace: Tensor,
  ): void {
    this.assertEager();
    conv2dBackwardWeight(this, dWeight, dBias, dy, x, windows, workspace);
  }

  maxPool2d(y: Tensor, x: Tensor, windows: WindowOptions): void {
    this.assertEager();
    maxPool2d(y, x, windows);
  }

  maxPool2dBackward(dx: Tensor, dy: Tensor, x: Tensor, windows: WindowOptions): void {
    this.assertEager();
    maxPool2dBackward(dx, dy, x, windows);
  }

  avgPool2d(y: Tensor, x: Tensor, windows: WindowOptions, countIncludePad: boolean): void {
    this.assertEager();
    avgPool2d(y, x, windows, countIncludePad);
  }

  avgPool2dBackward(dx: Tensor, dy: Tensor, windows: WindowOptions, countIncludePad: boolean): void {
    this.assertEager();
    avgPool2dBackward(dx, dy, windows, countIncludePad);
  }

  adaptiveAvgPool2d(y: Tensor, x: Tensor): void {
    this.assertEager();
    adaptiveAvgPool2d(y, x);
  }

  adaptiveAvgPool2dBackward(dx: Tensor, dy: Tensor): void {
    this.assertEager();
    adaptiveAvgPool2dBackward(dx, dy);
  }

  upsampleNearest2d(y: Tensor, x: Tensor): void {
    this.assertEager();
    upsampleNearest2d(y, x);
  }

  upsampleNearest2dBackward(dx: Tensor, dy: Tensor): void {
    this.assertEager();
    upsampleNearest2dBackward(dx, dy);
  }

  scaleChannels(out: Tensor, x: Tensor, scale: Tensor): void {
    this.assertEager();
    scaleChannels(out, x, scale);
  }

  addChannels(out: Tensor, row: Tensor): void {
    this.assertEager();
    addChannels(out, row);
  }

  accumulateChannels(out: Tensor, x: Tensor): void {
    this.assertEager();
    accumulateChannels(out, x);
  }

  prelu(y: Tensor, x: Tensor, weight: Tensor): void {
    this.assertEager();
    prelu(y, x, weight);
  }

  preluBackward(dx: Tensor | null, dWeight: Tensor, dy: Tensor, x: Tensor, weight: Tensor): void {
    this.assertEager();
    preluBackward(dx, dWeight, dy, x, weight);
  }

  channelMoments(mean: Tensor, variance: Tensor, x: Tensor): void {
    this.assertEager();
    channelMoments(mean.data, variance.data, x);
  }

  normalizeChannels(
    y: Tensor,
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    weight: Tensor | null,
    bias: Tensor | null,
    eps: number,
  ): void {
    this.assertEager();
    normalizeChannels(y, x, mean, variance, weight, bias, eps);
  }

  normalizeChannelsBackward(
    dx: Tensor | null,
    dWeight: Tensor | null,
    dBias: Tensor | null,
    dy: Tensor,
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    weight: Tensor | null,
    eps: number,
    useBatchStats: boolean,
  ): void {
    this.assertEager();
    normalizeChannelsBackward(dx, dWeight, dBias, dy, x, mean, variance, weight, eps, useBatchStats);
  }

  normalizeRows(y: Tensor, x: Tensor, weight: Tensor | null, bias: Tensor | null, size: number, eps: number): void {
    this.assertEager();
    normalizeRows(y, x, weight, bias, size, eps);
  }

  normalizeRowsBackward(
    dx: Tensor | null,
    dWeight: Tensor | null,
    dBias: Tensor | null,
    dy: Tensor,
    x: Tensor,
    weight: Tensor | null,
    size: number,
    eps: number,
  ): void {
    this.assertEager();
    normalizeRowsBackward(dx, dWeight, dBias, dy, x, weight, size, eps);
  }

  rmsNormalizeRows(y: Tensor, x: Tensor, weight: Tensor | null, size: number, eps: number): void {
    this.assertEager();
    rmsNormalizeRows(y, x, weight, size, eps);
  }

  rmsNormalizeRowsBackward(
    dx: Tensor | null,
    dWeight: Tensor | null,
    dy: Tensor,
    x: Tensor,
    weight: Tensor | null,
    size: number,
    eps: number,
  ): void {
    this.assertEager();
    rmsNormalizeRowsBackward(dx, dWeight, dy, x, weight, size, eps);
  }

  lookUpRows(y: Tensor, table: Tensor, indices: Tensor): void {
    this.assertEager();
    lookUpRows(y, table, indices);
  }

  accumulateAtRows(dTable: Tensor, dy: Tensor, indices: Tensor, padding: number): void {
    this.assertEager();
    accumulateAtRows(dTable, dy, indices, padding);
  }

  headProducts(pairs: Tensor, a: Tensor, b: Tensor, scale: number): void {
    this.assertEager();
    headProducts(pairs, a, b, scale);
  }

  headSums(y: Tensor, pairs: Tensor, x: Tensor, scale: number): void {
    this.assertEager();
    headSums(y, pairs, x, scale);
  }

  headSumsTransposed(y: Tensor, pairs: Tensor, x: Tensor, scale: number): void {
    this.assertEager();
    headSumsTransposed(y, pairs, x, scale);
  }

  causalSoftmax(y: Tensor, x: Tensor): void {
    this.assertEager();
    causalSoftmax(y, x);
  }

  paddedSoftmax(y: Tensor, x: Tensor, indices: Tensor, padding: number, isCausal: boolean): void {
    this.assertEager();
    paddedSoftmax(y, x, indices, padding, isCausal);
  }

  copyPaddedRows(y: Tensor, x: Tensor, indices: Tensor, position: number, padding: number): void {
    this.assertEager();
    copyPaddedRows(y, x, indices, position, padding);
  }

  meanOfPositions(y: Tensor, x: Tensor, indices: Tensor | null, padding: number): void {
    this.assertEager();
    meanOfPositions(y, x, indices, padding);
  }

  meanOfPositionsBackward(dx: Tensor, dy: Tensor, indices: Tensor | null, padding: number): void {
    this.assertEager();
    meanOfPositionsBackward(dx, dy, indices, padding);
  }

  featureMap(y: Tensor, x: Tensor, centers: Tensor, matrix: Tensor, f: KernelFunction, workspace: Tensor): void {
    this.assertEager();
    featureMap(this, y, x, centers, matrix, f, workspace);
  }

  featureMapBackward(
    dx: Tensor,
    dy: Tensor,
    x: Tensor,
    centers: Tensor,
    matrix: Tensor,
    f: KernelFunction,
    workspace: Tensor,
  ): void {
    this.assertEager();
    featureMapBackward(this, dx, dy, x, centers, matrix, f, workspace);
  }
}
