// The one interface through which all arithmetic on tensors goes. Layers, losses, optimizers and probes
// call it and nothing else, so a backend can be replaced without touching them. Kernels trust shapes:
// they were inferred when the network was compiled. Matrices are row-major [rows, columns].
import type { Similarity } from './feature-map';
import type { Pointwise } from './pointwise';
import type { MemoryPlan, Precision, Tensor } from './tensor';
import type { Unary } from './unary';
import type { Windows } from './windows';

/** Sums and range of a tensor's elements; NaN anywhere makes all of them NaN. */
export interface Moments {
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Sum of (x - mean)², in a second pass: the difference of the sums above would cancel. */
  readonly sumOfDeviations: number;
  readonly min: number;
  readonly max: number;
}

/** Where repeated work may take its input from: the next piece of `from` each time, of the size of `to`. */
export interface Feed {
  readonly to: Tensor;
  /** Whole pieces; after the last comes the first again. */
  readonly from: Tensor;
}

/** Work around a number, done again and again. */
export interface Repeated {
  /** Once, with what its tensors hold. @returns the number */
  once(): number;
  /**
   * Fed, from a piece on, so many times or up to one whose number is not finite. Null where that is not faster, or not yet.
   * @param varyingAt what `varying` holds each time, the first one 0 @returns how many `numbers` there are
   */
  readonly often: ((piece: number, times: number, numbers: Float64Array, varyingAt?: (time: number) => readonly number[]) => number) | null;
}

export interface Kernels {
  /** Which kernels ran; written into every result. */
  readonly backend: string;
  readonly precision: Precision;

  /** Allocates everything that a plan asks for, at once, zeroed. */
  allocate(plan: MemoryPlan): Tensor[];

  /**
   * What it returns does what `work` does, in fewer calls where the backend can; `work` itself may run once, or at each
   * time. It may call kernels that return nothing, on the same tensors with the same numbers every time, and nothing else.
   */
  prepare(work: () => void): () => void;

  /**
   * The same around a number: what it returns does `before`, finds `value`, does `after` and returns the number. `before` and
   * `after` may be prepared themselves. `value` calls kernels that write nothing, and what it makes of their numbers depends on
   * nothing else. `feeds` says where input may come from that lies in memory already; it is asked at most once. `varying` holds numbers
   * that are others each time, which the work reads and hands on to kernels as they are.
   */
  prepareAround(before: () => void, value: () => number, after: () => void, feeds?: () => readonly Feed[], varying?: number[]): Repeated;

  fill(out: Tensor, value: number): void;
  copy(out: Tensor, x: Tensor): void;
  /** out = scale * x. */
  scale(out: Tensor, x: Tensor, scale: number): void;
  /** out = a b, element by element. */
  multiply(out: Tensor, a: Tensor, b: Tensor): void;
  /** out = a - b. */
  subtract(out: Tensor, a: Tensor, b: Tensor): void;

  /** out[m,n] = a[m,k] b[k,n], or out + a b. */
  matmul(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void;
  /** out[m,n] = a[k,m]ᵀ b[k,n], or out + aᵀ b. */
  matmulTransposedA(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void;
  /** out[m,n] = a[m,k] b[n,k]ᵀ, or out + a bᵀ. */
  matmulTransposedB(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void;
  /** y[m,n] = x[m,k] weight[n,k]ᵀ, and bias[n] added to every row of it. */
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
  /** y = f(x) element by element, with the function's parameter `a`; the functions are in unary.ts. */
  unary(y: Tensor, x: Tensor, f: Unary, a: number): void;
  /** dx = dy f'(x). */
  unaryBackward(dx: Tensor, dy: Tensor, x: Tensor, f: Unary, a: number): void;

  /**
   * y[n,out,h',w'] = windows of x[n,in,h,w] times weight[out,in,…kernel], and bias[out]; not mirrored, as in PyTorch.
   * `workspace` is for the kernel to work in, of the shape of one image unfolded (see windows.ts); what is in it before
   * does not matter. The same in the two that go back.
   */
  conv2d(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, windows: Windows, workspace: Tensor): void;
  conv2dBackwardInput(dx: Tensor, dy: Tensor, weight: Tensor, windows: Windows, workspace: Tensor): void;
  /** Adds to dWeight, and to dBias where there is one. */
  conv2dBackwardWeight(
    dWeight: Tensor, dBias: Tensor | null, dy: Tensor, x: Tensor, windows: Windows, workspace: Tensor,
  ): void;
  /** y[n,c,h',w'] = the largest under each window of x[n,c,h,w]; NaN where there is one. */
  maxPool2d(y: Tensor, x: Tensor, windows: Windows): void;
  /** dx = the sum of dy of the windows where it is the largest; of equal ones the first gets all. */
  maxPool2dBackward(dx: Tensor, dy: Tensor, x: Tensor, windows: Windows): void;
  /** y = the mean under each window; `padded` says whether the padding's zeros count. */
  avgPool2d(y: Tensor, x: Tensor, windows: Windows, padded: boolean): void;
  avgPool2dBackward(dx: Tensor, dy: Tensor, windows: Windows, padded: boolean): void;

  /** Mean and biased variance (the mean square distance from it) of each channel of x[n,channels,…]. */
  channelMoments(mean: Tensor, variance: Tensor, x: Tensor): void;
  /** y = (x - mean) / √(variance + eps) · weight + bias, each by channel; without weight 1, without bias 0. */
  normalizeChannels(
    y: Tensor, x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | null, bias: Tensor | null, eps: number,
  ): void;
  /** Writes dx, adds to dWeight and dBias. `ofBatch`: mean and variance are those of x and change with it; else they are given. */
  normalizeChannelsBackward(
    dx: Tensor | null, dWeight: Tensor | null, dBias: Tensor | null,
    dy: Tensor, x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | null, eps: number, ofBatch: boolean,
  ): void;
  /** The same of every `size` numbers in a row by themselves; weight and bias are of that size. */
  normalizeRows(y: Tensor, x: Tensor, weight: Tensor | null, bias: Tensor | null, size: number, eps: number): void;
  normalizeRowsBackward(
    dx: Tensor | null, dWeight: Tensor | null, dBias: Tensor | null, dy: Tensor, x: Tensor, weight: Tensor | null, size: number, eps: number,
  ): void;

  /** y[n,m] = k(x, centers[m,d]) matrix[m,m], k as f says; `workspace` is [BLOCK, m] of feature-map.ts. */
  featureMap(y: Tensor, x: Tensor, centers: Tensor, matrix: Tensor, f: Similarity, workspace: Tensor): void;
  featureMapBackward(dx: Tensor, dy: Tensor, x: Tensor, centers: Tensor, matrix: Tensor, f: Similarity, workspace: Tensor): void;

  /** sum of (x - t)². */
  squaredError(x: Tensor, t: Tensor): number;
  /** dx = scale * 2 (x - t). */
  squaredErrorBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void;
  /** sum over rows of log(sum(exp x)) sum(t) - t·x; x are logits. */
  crossEntropy(x: Tensor, t: Tensor): number;
  /** dx = scale * (softmax(x) sum(t) - t). */
  crossEntropyBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void;
  /** -sum of t log p, terms with t = 0 left out; p are probabilities. */
  negativeLogLikelihood(p: Tensor, t: Tensor): number;
  /** dp = -scale * t / p. */
  negativeLogLikelihoodBackward(dp: Tensor, p: Tensor, t: Tensor, scale: number): void;
  /** -sum of t log p + (1-t) log(1-p), each logarithm held at -100 or above as PyTorch's BCELoss does. */
  binaryCrossEntropy(p: Tensor, t: Tensor): number;
  /** dp = scale * (p - t) / max(p (1 - p), 1e-12 rounded to float32), PyTorch's guard. */
  binaryCrossEntropyBackward(dp: Tensor, p: Tensor, t: Tensor, scale: number): void;
  /** sum of max(x, 0) - x t + log(1 + exp(-|x|)); x are logits. */
  binaryCrossEntropyWithLogits(x: Tensor, t: Tensor): number;
  /** dx = scale * (sigmoid(x) - t). */
  binaryCrossEntropyWithLogitsBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void;

  /** sum of w x, terms with w = 0 left out. */
  weightedSum(x: Tensor, w: Tensor): number;
  /** sum of f(x, t) over all elements, with the function's parameter `a`; the functions are in pointwise.ts. */
  pointwiseLoss(x: Tensor, t: Tensor, f: Pointwise, a: number): number;
  /** dx = scale * df/dx. */
  pointwiseLossBackward(dx: Tensor, x: Tensor, t: Tensor, f: Pointwise, a: number, scale: number): void;
  /** sum over rows of t_c sum over i != c of max(0, margin - x_c + x_i)^p / columns. */
  multiMargin(x: Tensor, t: Tensor, p: 1 | 2, margin: number): number;
  /** dx = scale times its gradient; 0 where a term is exactly 0. */
  multiMarginBackward(dx: Tensor, x: Tensor, t: Tensor, p: 1 | 2, margin: number, scale: number): void;

  // Many numbers moved at once, each by itself, as the gradient check asks for. Move i reaches one column of m samples, number
  // places[i]; columns lie one after the other, as rows of a matrix do.
  /** out[i,:] = columns[places[i],:] + by[i] slopes[from[i],:] of out[moves,m]; without slopes + by[i]. */
  moveColumns(out: Tensor, columns: Tensor, places: Tensor, by: Tensor, slopes: Tensor | null, from: Tensor): void;
  /** y[moves,m,n] = rows[m,n] each time, with column places[i] replaced by moved[i,:]. */
  placeColumns(y: Tensor, rows: Tensor, moved: Tensor, places: Tensor): void;
  /** y[moves,m,n] = rows[m,n] each time, and what the column's change adds: (moved[i,:] - columns[places[i],:])ᵀ weights[places[i],:]. */
  addShares(y: Tensor, rows: Tensor, moved: Tensor, columns: Tensor, weights: Tensor, places: Tensor): void;
  /** out[i] = crossEntropy(x[i,:,:], t), to the bit. */
  crossEntropies(out: Tensor, x: Tensor, t: Tensor): void;

  /** v = momentum v + g; w -= lr v. Without momentum v may be null. */
  sgd(w: Tensor, g: Tensor, v: Tensor | null, lr: number, momentum: number): void;
  // What other updates are composed of. `out` may be `x`.
  /** out = a out + b x. */
  combine(out: Tensor, x: Tensor, a: number, b: number): void;
  /** out = a out + b x². */
  combineSquares(out: Tensor, x: Tensor, a: number, b: number): void;
  /** out += scale x / (√d + eps). */
  addQuotient(out: Tensor, x: Tensor, d: Tensor, scale: number, eps: number): void;
  /** out += scale sign(x); the sign of 0 is 0. */
  addSign(out: Tensor, x: Tensor, scale: number): void;
  /** out = x held between low and high; NaN stays NaN. */
  clamp(out: Tensor, x: Tensor, low: number, high: number): void;

  moments(x: Tensor): Moments;
  /** sum of |x|. */
  absoluteSum(x: Tensor): number;
  /** Counts elements into equal bins over [lo, hi]; the last bin includes hi; values outside and NaN are left out. */
  histogram(counts: Uint32Array, x: Tensor, lo: number, hi: number): void;
  /** For each column of x[rows, columns], how many entries do not lie strictly between above and below. */
  countOutside(counts: Uint32Array, x: Tensor, above: number, below: number): void;
  /** Rows whose largest prediction stands where the largest target does; with one column, on the same side of the threshold. */
  countCorrect(prediction: Tensor, target: Tensor, threshold: number): number;
  /** Index of the first NaN or infinity, or -1. */
  firstNonFinite(x: Tensor): number;
}
