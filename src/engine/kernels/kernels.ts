// The interface for all tensor arithmetic. Layers, losses, optimizers and probes call it and nothing else, so a backend
// can be replaced without touching them. Kernels do not check shapes, which were inferred when the network was
// compiled. Matrices are row-major [rows, columns].
import type { KernelFunction } from './kernel-function';
import type { ObservedReduction, ObservedReductions } from './observed-reductions';
import type { PointwiseLossKind } from './pointwise-losses';
import type { MemoryPlan, Precision, Tensor } from './tensor';
import type { UnaryKind } from './unary-functions';
import type { CrossEntropyVariant } from './weighted-cross-entropy';
import type { WindowOptions } from './windows';

/** Sums and range of a tensor's elements. If any element is NaN, all of them are NaN. */
export interface Moments {
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Sum of (x - mean)², in a second pass: a difference of the sums above would cancel. */
  readonly sumOfSquaredDeviations: number;
  readonly min: number;
  readonly max: number;
}

export interface LabeledCounts {
  readonly correct: number;
  readonly labeled: number;
}

/** Lets repeated work read its input from the next chunk of `from` each time. A chunk has the size of `to`. */
export interface InputStream {
  readonly to: Tensor;
  /** A whole number of chunks. After the last one, the first follows. */
  readonly from: Tensor;
}

/** A step that computes a number, such as the loss, and can be repeated. */
export interface TracedStep {
  /** Runs the step once on the current contents of its tensors. @returns the number */
  run(): number;
  /**
   * Runs the step up to `times` times, until its number is not finite. Streams start with chunk `startIndex`. Null if
   * this is not faster, or not yet.
   * @param parametersAt the per-step parameters of each run, counted from 0
   * @returns how many `results` were written
   */
  readonly repeat:
    | ((
        startIndex: number,
        times: number,
        results: Float64Array,
        parametersAt?: (time: number) => readonly number[],
      ) => number)
    | null;
  /** The reductions that `repeat` keeps of each of its steps; null as long as that is. */
  readonly observed: ObservedReductions | null;
}

export interface TracedStepOptions {
  /** The memory from which inputs can be read directly. It is called at most once. */
  readonly inputStreams?: () => readonly InputStream[];
  /** Numbers that differ at every step, which the work passes on to kernels unchanged. */
  readonly perStepParameters?: number[];
  /** What to keep of each step that `repeat` runs, at most `MAX_OBSERVED`. */
  readonly reductions?: readonly ObservedReduction[];
}

/** Reductions that steps in one call can keep. */
export const MAX_OBSERVED = 16;

export interface Kernels {
  /** The name of the backend, which is part of every result. */
  readonly backend: string;
  readonly precision: Precision;

  /** Allocates all tensors of a plan at once, filled with zeros. */
  allocate(plan: MemoryPlan): Tensor[];

  /**
   * Returns a function that does what `work` does, in fewer calls if the backend can. `work` itself may run once, or
   * every time. It may only call kernels that return nothing, always on the same tensors with the same numbers.
   */
  trace(work: () => void): () => void;

  /**
   * The same for work that computes a number: the result runs `before`, `loss` and `after`, and returns the loss.
   * `before` and `after` may themselves be traced. `loss` may only call kernels that write nothing, and must compute
   * its result from their numbers alone.
   */
  traceStep(before: () => void, loss: () => number, after: () => void, options?: TracedStepOptions): TracedStep;

  fill(out: Tensor, value: number): void;
  copy(out: Tensor, x: Tensor): void;
  /** out = scale * x. */
  scale(out: Tensor, x: Tensor, scale: number): void;
  /** out = a b, element-wise. */
  multiply(out: Tensor, a: Tensor, b: Tensor): void;
  /** out = a - b. */
  subtract(out: Tensor, a: Tensor, b: Tensor): void;
  /** out[i, to + j] = x[i, from + j] for every row i and j below `width`; a row is a whole sample, of any shape. */
  copyColumns(out: Tensor, to: number, x: Tensor, from: number, width: number): void;

  /** out[m,n] = a[m,k] b[k,n], or out + a b. */
  matmul(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void;
  /** out[m,n] = a[k,m]ᵀ b[k,n], or out + aᵀ b. */
  matmulTransposedA(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void;
  /** out[m,n] = a[m,k] b[n,k]ᵀ, or out + a bᵀ. */
  matmulTransposedB(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void;
  /** y[m,n] = x[m,k] weight[n,k]ᵀ + bias[n], broadcast over rows. */
  linear(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null): void;
  /** out[i,:] += row for every row i. */
  addRow(out: Tensor, row: Tensor): void;
  /** out += the sum of x's rows. */
  accumulateRows(out: Tensor, x: Tensor): void;

  tanh(y: Tensor, x: Tensor): void;
  /** dx = dy (1 - y²). */
  tanhBackward(dx: Tensor, dy: Tensor, y: Tensor): void;
  sigmoid(y: Tensor, x: Tensor): void;
  /** dx = dy y (1 - y). */
  sigmoidBackward(dx: Tensor, dy: Tensor, y: Tensor): void;
  /** y = scale * max(0, x); NaN stays NaN. */
  relu(y: Tensor, x: Tensor, scale: number): void;
  /** dx = 0 where x <= 0, else scale * dy; a NaN in x lets dy through, as in PyTorch. */
  reluBackward(dx: Tensor, dy: Tensor, x: Tensor, scale: number): void;
  /** Each row: exp(x - max) / sum. */
  softmax(y: Tensor, x: Tensor): void;
  /** Each row: dx = y (dy - dy·y). */
  softmaxBackward(dx: Tensor, dy: Tensor, y: Tensor): void;
  /** Each row: x - max - log(sum(exp(x - max))). */
  logSoftmax(y: Tensor, x: Tensor): void;
  /** Each row: dx = dy - exp(y) sum(dy). */
  logSoftmaxBackward(dx: Tensor, dy: Tensor, y: Tensor): void;
  /** y = f(x), element-wise, with the function's parameter `a`. The functions are in unary-functions.ts. */
  unary(y: Tensor, x: Tensor, f: UnaryKind, a: number): void;
  /** dx = dy f'(x). */
  unaryBackward(dx: Tensor, dy: Tensor, x: Tensor, f: UnaryKind, a: number): void;

  /**
   * y[n,out,h',w'] = the cross-correlation of x[n,in,h,w] with weight[out,in,…kernel], plus bias[out], as in PyTorch.
   * `workspace` has the shape of one image after im2col (see windows.ts), and its contents are overwritten, also in the
   * two backward kernels.
   */
  conv2d(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, windows: WindowOptions, workspace: Tensor): void;
  conv2dBackwardInput(dx: Tensor, dy: Tensor, weight: Tensor, windows: WindowOptions, workspace: Tensor): void;
  /** Adds to dWeight, and to dBias if there is one. */
  conv2dBackwardWeight(
    dWeight: Tensor,
    dBias: Tensor | null,
    dy: Tensor,
    x: Tensor,
    windows: WindowOptions,
    workspace: Tensor,
  ): void;
  /** y[n,c,h',w'] = the maximum in each window of x[n,c,h,w]; NaN if it contains one. */
  maxPool2d(y: Tensor, x: Tensor, windows: WindowOptions): void;
  /**
   * dx = the sum of dy over the windows of which it is the maximum. If several values are equal, the first gets all.
   */
  maxPool2dBackward(dx: Tensor, dy: Tensor, x: Tensor, windows: WindowOptions): void;
  /** y = the mean of each window; `countIncludePad` says whether the padding's zeros count. */
  avgPool2d(y: Tensor, x: Tensor, windows: WindowOptions, countIncludePad: boolean): void;
  avgPool2dBackward(dx: Tensor, dy: Tensor, windows: WindowOptions, countIncludePad: boolean): void;

  /** y[n,c,h',w'] = the mean of x in windows that divide its rows and columns evenly, as in PyTorch. */
  adaptiveAvgPool2d(y: Tensor, x: Tensor): void;
  adaptiveAvgPool2dBackward(dx: Tensor, dy: Tensor): void;
  /** Repeats each pixel of x[n,c,h,w] in both directions to the size of y, a multiple. */
  upsampleNearest2d(y: Tensor, x: Tensor): void;
  upsampleNearest2dBackward(dx: Tensor, dy: Tensor): void;

  /** out[n,c,…] = scale[c] x[n,c,…]. */
  scaleChannels(out: Tensor, x: Tensor, scale: Tensor): void;
  /** out[n,c,…] += row[c]. */
  addChannels(out: Tensor, row: Tensor): void;
  /** out[c] += the sum of x[n,c,…]. */
  accumulateChannels(out: Tensor, x: Tensor): void;
  /** y = x where x > 0, else weight x; one weight for all channels, or one for each. */
  prelu(y: Tensor, x: Tensor, weight: Tensor): void;
  /** Writes dx, and adds to dWeight. */
  preluBackward(dx: Tensor | null, dWeight: Tensor, dy: Tensor, x: Tensor, weight: Tensor): void;

  /** Mean and biased variance of each channel of x[n,channels,…]. */
  channelMoments(mean: Tensor, variance: Tensor, x: Tensor): void;
  /** y = (x - mean) / √(variance + eps) · weight + bias, by channel. Weight defaults to 1 and bias to 0. */
  normalizeChannels(
    y: Tensor,
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    weight: Tensor | null,
    bias: Tensor | null,
    eps: number,
  ): void;
  /**
   * Writes dx, and adds to dWeight and dBias. With batch statistics, mean and variance are functions of x; otherwise
   * they are constants.
   */
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
  ): void;
  /** The same for every `size` consecutive numbers; weight and bias have that size. */
  normalizeRows(y: Tensor, x: Tensor, weight: Tensor | null, bias: Tensor | null, size: number, eps: number): void;
  normalizeRowsBackward(
    dx: Tensor | null,
    dWeight: Tensor | null,
    dBias: Tensor | null,
    dy: Tensor,
    x: Tensor,
    weight: Tensor | null,
    size: number,
    eps: number,
  ): void;

  /** y = x / √(mean(x²) + eps) · weight, for every `size` consecutive numbers. */
  rmsNormalizeRows(y: Tensor, x: Tensor, weight: Tensor | null, size: number, eps: number): void;
  /** Writes dx, and adds to dWeight. */
  rmsNormalizeRowsBackward(
    dx: Tensor | null,
    dWeight: Tensor | null,
    dy: Tensor,
    x: Tensor,
    weight: Tensor | null,
    size: number,
    eps: number,
  ): void;

  /** y[i,:] = table[indices[i],:], the index rounded; NaN where there is no such row. */
  lookUpRows(y: Tensor, table: Tensor, indices: Tensor): void;
  /** dTable[indices[i],:] += dy[i,:] for every i, except at the index `padding`. */
  accumulateAtRows(dTable: Tensor, dy: Tensor, indices: Tensor, padding: number): void;

  // Multi-head attention: head h of x[n,t,e] is its slice h of the last axis; pairs of positions are [n,heads,t,s].
  /** pairs[n,h,i,j] = scale · a[n,i,head h] · b[n,j,head h]. */
  headProducts(pairs: Tensor, a: Tensor, b: Tensor, scale: number): void;
  /** y[n,i,head h] = scale · Σ_j pairs[n,h,i,j] x[n,j,head h]. */
  headSums(y: Tensor, pairs: Tensor, x: Tensor, scale: number): void;
  /** y[n,j,head h] = scale · Σ_i pairs[n,h,i,j] x[n,i,head h]. */
  headSumsTransposed(y: Tensor, pairs: Tensor, x: Tensor, scale: number): void;
  /** Each row i of x[n,heads,t,s]: the softmax of its entries up to i, and 0 after them. */
  causalSoftmax(y: Tensor, x: Tensor): void;

  // Padding: a position of sample n is padding if the rounded indices[n,t] are `padding`.
  /** Each row of x[n,heads,t,s]: the softmax of its entries that are no padding, up to the row if causal; else 0. */
  paddedSoftmax(y: Tensor, x: Tensor, indices: Tensor, padding: number, isCausal: boolean): void;
  /** y[n,:] = x[n,:] for every sample whose given position is padding. */
  copyPaddedRows(y: Tensor, x: Tensor, indices: Tensor, position: number, padding: number): void;
  /** y[n,:] = the mean of x[n,t,:] over the positions that are no padding, or all; 0 if none is. */
  meanOfPositions(y: Tensor, x: Tensor, indices: Tensor | null, padding: number): void;
  /** dx[n,t,:] = dy[n,:] / the number of positions that are no padding, and 0 at padding. */
  meanOfPositionsBackward(dx: Tensor, dy: Tensor, indices: Tensor | null, padding: number): void;

  /**
   * y[n,m] = k(x, centers[m,d]) matrix[m,m] for the kernel function f. The workspace has BLOCK_ROWS rows, see
   * feature-map.ts.
   */
  featureMap(y: Tensor, x: Tensor, centers: Tensor, matrix: Tensor, f: KernelFunction, workspace: Tensor): void;
  featureMapBackward(
    dx: Tensor,
    dy: Tensor,
    x: Tensor,
    centers: Tensor,
    matrix: Tensor,
    f: KernelFunction,
    workspace: Tensor,
  ): void;

  /** sum of (x - t)². */
  squaredError(x: Tensor, t: Tensor): number;
  /** dx = scale * 2 (x - t). */
  squaredErrorBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void;
  /** sum over rows of log(sum(exp x)) sum(t) - t·x; x are logits. */
  crossEntropy(x: Tensor, t: Tensor): number;
  /** dx = scale * (softmax(x) sum(t) - t). */
  crossEntropyBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void;
  /** The same with class weights and smoothed labels: weighted-cross-entropy.ts. Rows of zeros in t are left out. */
  weightedCrossEntropy(x: Tensor, t: Tensor, variant: CrossEntropyVariant): number;
  /** dx = its gradient, divided by `targetWeight` for a mean. */
  weightedCrossEntropyBackward(dx: Tensor, x: Tensor, t: Tensor, variant: CrossEntropyVariant, mean: boolean): void;
  /** The weights of the targets' classes, or the number of rows that have a target. */
  targetWeight(t: Tensor, variant: CrossEntropyVariant): number;
  /** -sum of t log p, without terms where t = 0; p are probabilities. */
  negativeLogLikelihood(p: Tensor, t: Tensor): number;
  /** dp = -scale * t / p. */
  negativeLogLikelihoodBackward(dp: Tensor, p: Tensor, t: Tensor, scale: number): void;
  /** -sum of t log p + (1-t) log(1-p), each logarithm limited to -100 or above as in PyTorch's BCELoss. */
  binaryCrossEntropy(p: Tensor, t: Tensor): number;
  /** dp = scale * (p - t) / max(p (1 - p), 1e-12 rounded to float32), PyTorch's guard. */
  binaryCrossEntropyBackward(dp: Tensor, p: Tensor, t: Tensor, scale: number): void;
  /** sum of max(x, 0) - x t + log(1 + exp(-|x|)); x are logits. */
  binaryCrossEntropyWithLogits(x: Tensor, t: Tensor): number;
  /** dx = scale * (sigmoid(x) - t). */
  binaryCrossEntropyWithLogitsBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void;

  /** sum of w x, without terms where w = 0. */
  weightedSum(x: Tensor, w: Tensor): number;
  /** sum of f(x, t) over all elements, with the function's parameter `a`. The functions are in pointwise-losses.ts. */
  pointwiseLoss(x: Tensor, t: Tensor, f: PointwiseLossKind, a: number): number;
  /** dx = scale * df/dx. */
  pointwiseLossBackward(dx: Tensor, x: Tensor, t: Tensor, f: PointwiseLossKind, a: number, scale: number): void;
  /** sum over rows of t_c sum over i != c of max(0, margin - x_c + x_i)^p / columns. */
  multiMargin(x: Tensor, t: Tensor, p: 1 | 2, margin: number): number;
  /** dx = scale times its gradient; 0 where a term is exactly 0. */
  multiMarginBackward(dx: Tensor, x: Tensor, t: Tensor, p: 1 | 2, margin: number, scale: number): void;

  // Perturbations for the gradient check, many at once, each independent of the others. Perturbation i changes one
  // column of m samples, columnIndices[i]. Columns are contiguous, like the rows of a matrix.
  /**
   * out[i,:] = columns[columnIndices[i],:] + steps[i] derivatives[derivativeIndices[i],:], out [perturbations,m]; null
   * derivatives are 1.
   */
  perturbColumns(
    out: Tensor,
    columns: Tensor,
    columnIndices: Tensor,
    steps: Tensor,
    derivatives: Tensor | null,
    derivativeIndices: Tensor,
  ): void;
  /** y[i,m,n] = rows[m,n] with column columnIndices[i] replaced by perturbed[i,:]. */
  replaceColumns(y: Tensor, rows: Tensor, perturbed: Tensor, columnIndices: Tensor): void;
  /** y[i,m,n] = rows[m,n] + (perturbed[i,:] - columns[columnIndices[i],:])ᵀ weights[columnIndices[i],:]. */
  rank1Update(
    y: Tensor,
    rows: Tensor,
    perturbed: Tensor,
    columns: Tensor,
    weights: Tensor,
    columnIndices: Tensor,
  ): void;
  /** out[i] = crossEntropy(x[i,:,:], t), bit for bit. */
  batchedCrossEntropy(out: Tensor, x: Tensor, t: Tensor): void;

  /** v = momentum v + g; w -= lr v. Without momentum, v may be null. */
  sgd(w: Tensor, g: Tensor, v: Tensor | null, lr: number, momentum: number): void;
  // The building blocks of other updates. `out` may be `x`.
  /** out = a out + b x. */
  axpby(out: Tensor, x: Tensor, a: number, b: number): void;
  /** out = a out + b x². */
  axpbySquared(out: Tensor, x: Tensor, a: number, b: number): void;
  /** out += scale x / (√d + eps). */
  addcdivSqrt(out: Tensor, x: Tensor, d: Tensor, scale: number, eps: number): void;
  /** out += scale sign(x); the sign of 0 is 0. */
  addSign(out: Tensor, x: Tensor, scale: number): void;
  /** out = x clamped to [low, high]; NaN stays NaN. */
  clamp(out: Tensor, x: Tensor, low: number, high: number): void;

  moments(x: Tensor): Moments;
  /** sum of |x|. */
  absoluteSum(x: Tensor): number;
  sum(x: Tensor): number;
  sumOfSquares(x: Tensor): number;
  /** The least and the largest element; NaN if one is. */
  extremes(x: Tensor): { readonly min: number; readonly max: number };
  /** Counts elements in equal bins over [lo, hi]. The last bin includes hi. Values outside and NaN are not counted. */
  histogram(counts: Uint32Array, x: Tensor, lo: number, hi: number): void;
  /** For each column of x[rows, columns], the number of entries that are not strictly between the bounds. */
  countOutside(counts: Uint32Array, x: Tensor, lo: number, hi: number): void;
  /**
   * The number of rows whose largest prediction is at the index of the largest target; with one column, on the same
   * side of the threshold.
   */
  countCorrect(prediction: Tensor, target: Tensor, threshold: number): number;
  /** The same among rows whose target is not all 0, and how many of them there are. */
  countLabeled(prediction: Tensor, target: Tensor): LabeledCounts;
  /** Index of the first NaN or infinity, or -1. */
  firstNonFinite(x: Tensor): number;
}
