// Maps each kernel to its function in the WebAssembly module. Memory and threads are in wasm-kernels.ts.
import type { WasmExports, Memory } from './wasm-instance';
import type { Moments } from './kernels';
import { FallbackKernels } from './fallback-kernels';
import type { Tensor, Shape2, Shape4 } from './tensor';
import { type UnaryKind, unaryFunctions } from './unary-functions';
import { dilationOf, strideOf, type WindowOptions } from './windows';

/** Everything below is scratch memory. Mirrors TENSORS_START of assembly/trace.ts; compared when a module starts. */
export const FIRST_TENSOR_ADDRESS = 4096 + (8 + 256 + 64) * 1024;
/** Where `moments` writes. */
const MOMENTS_ADDRESS = 64;
/** Where counts are written; otherwise, matrix products use this memory for copies. */
const SCRATCH_ADDRESS = 4096;
const MAX_COUNTERS = 65536;
/** Mirrors assembly/im2col-convolution.ts. */
const MAX_KERNEL_AREA_BACK = 256;

/** Whether the compiled kernels compute a convolution: those have no groups and no dilation. */
function isCompiled(windows: WindowOptions): boolean {
  const { groups = 1 } = windows;
  const [down, right] = dilationOf(windows);
  return groups === 1 && down === 1 && right === 1;
}

/**
 * The address of a tensor. Tensors of another memory mostly have low addresses: a cheap check that catches mistakes.
 */
function addressOf(x: Tensor): number {
  const address = x.data.byteOffset;
  if (address < FIRST_TENSOR_ADDRESS)
    throw new TypeError('this tensor does not lie in the memory of the kernels that are to work on it');
  return address;
}

/** The address, or 0 for null. */
const addressOrNull = (x: Tensor | null): number => (x ? addressOf(x) : 0);

const columnCount = (x: Tensor): number => x.shape[x.shape.length - 1] ?? 1;

/** Images, channels, height, width. */
const imageShape = ({ shape }: Tensor): [number, number, number, number] => [
  shape[0]!,
  shape[1]!,
  shape[2]!,
  shape[3]!,
];
/** Number of single-channel images, height, width. */
const planeShape = ({ shape }: Tensor): [number, number, number] => [shape[0]! * shape[1]!, shape[2]!, shape[3]!];
/** Samples, channels, numbers per channel. */
const channelShape = ({ shape, data }: Tensor): [number, number, number] => [
  shape[0]!,
  shape[1]!,
  data.length / (shape[0]! * shape[1]!),
];
/** Samples, heads, rows and columns of the pairs of positions, and features of all heads together. */
const headShape = ({ shape }: Tensor, x: Tensor): [number, number, number, number, number] => [
  shape[0]!,
  shape[1]!,
  shape[2]!,
  shape[3]!,
  columnCount(x),
];
/** Features of a head. */
const headWidth = ({ shape }: Tensor, x: Tensor): number => columnCount(x) / shape[1]!;
/** Perturbations, samples, columns. */
const perturbationShape = ({ shape }: Tensor): [number, number, number] => [shape[0]!, shape[1]!, shape[2]!];
/** Function codes, as in the module. */
const UNARY_CODES = Object.fromEntries(Object.keys(unaryFunctions).map((name, i) => [name, i])) as Record<
  UnaryKind,
  number
>;
const windowArguments = (windows: WindowOptions): number[] => [
  ...windows.kernel_size,
  ...strideOf(windows),
  ...windows.padding,
];

export abstract class WasmCalls extends FallbackKernels {
  protected abstract exports: WasmExports;
  protected abstract readonly memory: Memory;

  /** Prepares the worker threads for a product of this many multiply-adds, if it is large enough. */
  protected abstract useThreads(multiplyAdds: number): void;

  fill(out: Tensor, value: number): void {
    this.exports.fill(addressOf(out), out.data.length, value);
  }

  copy(out: Tensor, x: Tensor): void {
    this.exports.copy(addressOf(out), addressOf(x), x.data.length);
  }

  scale(out: Tensor, x: Tensor, scale: number): void {
    this.exports.scale(addressOf(out), addressOf(x), out.data.length, scale);
  }

  subtract(out: Tensor, a: Tensor, b: Tensor): void {
    this.exports.subtract(addressOf(out), addressOf(a), addressOf(b), out.data.length);
  }

  matmul(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void {
    this.useThreads(out.data.length * b.shape[0]!);
    this.exports.matmul(
      addressOf(out),
      addressOf(a),
      addressOf(b),
      a.shape[0]!,
      b.shape[1]!,
      b.shape[0]!,
      accumulate ? 1 : 0,
    );
  }

  matmulTransposedA(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void {
    this.useThreads(out.data.length * b.shape[0]!);
    this.exports.matmulTransposedA(
      addressOf(out),
      addressOf(a),
      addressOf(b),
      a.shape[1]!,
      b.shape[1]!,
      b.shape[0]!,
      accumulate ? 1 : 0,
    );
  }

  matmulTransposedB(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void {
    this.useThreads(out.data.length * b.shape[1]!);
    this.exports.matmulTransposedB(
      addressOf(out),
      addressOf(a),
      addressOf(b),
      a.shape[0]!,
      b.shape[0]!,
      b.shape[1]!,
      accumulate ? 1 : 0,
      0,
    );
  }

  linear(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null): void {
    const [n, k] = weight.shape as Shape2;
    this.useThreads(y.data.length * k);
    this.exports.matmulTransposedB(
      addressOf(y),
      addressOf(x),
      addressOf(weight),
      x.shape[0]!,
      n,
      k,
      0,
      bias ? addressOf(bias) : 0,
    );
  }

  addRow(out: Tensor, row: Tensor): void {
    this.exports.addRow(addressOf(out), addressOf(row), out.data.length / row.data.length, row.data.length);
  }

  accumulateRows(out: Tensor, x: Tensor): void {
    this.exports.accumulateRows(addressOf(out), addressOf(x), x.data.length / out.data.length, out.data.length);
  }

  tanh(y: Tensor, x: Tensor): void {
    this.exports.tanh(addressOf(y), addressOf(x), y.data.length);
  }

  tanhBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    this.exports.tanhBackward(addressOf(dx), addressOf(dy), addressOf(y), dx.data.length);
  }

  sigmoid(y: Tensor, x: Tensor): void {
    this.exports.sigmoid(addressOf(y), addressOf(x), y.data.length);
  }

  sigmoidBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    this.exports.sigmoidBackward(addressOf(dx), addressOf(dy), addressOf(y), dx.data.length);
  }

  relu(y: Tensor, x: Tensor, scale: number): void {
    this.exports.relu(addressOf(y), addressOf(x), y.data.length, scale);
  }

  reluBackward(dx: Tensor, dy: Tensor, x: Tensor, scale: number): void {
    this.exports.reluBackward(addressOf(dx), addressOf(dy), addressOf(x), dx.data.length, scale);
  }

  softmax(y: Tensor, x: Tensor): void {
    const n = columnCount(x);
    this.exports.softmax(addressOf(y), addressOf(x), x.data.length / n, n);
  }

  softmaxBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    const n = columnCount(y);
    this.exports.softmaxBackward(addressOf(dx), addressOf(dy), addressOf(y), y.data.length / n, n);
  }

  override unary(y: Tensor, x: Tensor, f: UnaryKind, a: number): void {
    this.exports.unary(addressOf(y), addressOf(x), y.data.length, UNARY_CODES[f], a);
  }

  override unaryBackward(dx: Tensor, dy: Tensor, x: Tensor, f: UnaryKind, a: number): void {
    this.exports.unaryBackward(addressOf(dx), addressOf(dy), addressOf(x), dx.data.length, UNARY_CODES[f], a);
  }

  override logSoftmax(y: Tensor, x: Tensor): void {
    const n = columnCount(x);
    this.exports.logSoftmax(addressOf(y), addressOf(x), x.data.length / n, n);
  }

  override logSoftmaxBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    const n = columnCount(y);
    this.exports.logSoftmaxBackward(addressOf(dx), addressOf(dy), addressOf(y), y.data.length / n, n);
  }

  squaredError(x: Tensor, t: Tensor): number {
    return this.exports.squaredError(addressOf(x), addressOf(t), x.data.length);
  }

  squaredErrorBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void {
    this.exports.squaredErrorBackward(addressOf(dx), addressOf(x), addressOf(t), x.data.length, scale);
  }

  crossEntropy(x: Tensor, t: Tensor): number {
    const n = columnCount(x);
    return this.exports.crossEntropy(addressOf(x), addressOf(t), x.data.length / n, n);
  }

  crossEntropyBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void {
    const n = columnCount(x);
    this.exports.crossEntropyBackward(addressOf(dx), addressOf(x), addressOf(t), x.data.length / n, n, scale);
  }

  override perturbColumns(
    out: Tensor,
    columns: Tensor,
    columnIndices: Tensor,
    steps: Tensor,
    derivatives: Tensor | null,
    derivativeIndices: Tensor,
  ): void {
    this.assertEager();
    this.exports.perturbColumns(
      addressOf(out),
      addressOf(columns),
      addressOf(columnIndices),
      addressOf(steps),
      addressOrNull(derivatives),
      addressOf(derivativeIndices),
      out.shape[0]!,
      out.shape[1]!,
    );
  }

  override replaceColumns(y: Tensor, rows: Tensor, perturbed: Tensor, columnIndices: Tensor): void {
    this.assertEager();
    this.exports.replaceColumns(
      addressOf(y),
      addressOf(rows),
      addressOf(perturbed),
      addressOf(columnIndices),
      ...perturbationShape(y),
    );
  }

  override rank1Update(
    y: Tensor,
    rows: Tensor,
    perturbed: Tensor,
    columns: Tensor,
    weights: Tensor,
    columnIndices: Tensor,
  ): void {
    this.assertEager();
    this.exports.rank1Update(
      addressOf(y),
      addressOf(rows),
      addressOf(perturbed),
      addressOf(columns),
      addressOf(weights),
      addressOf(columnIndices),
      ...perturbationShape(y),
    );
  }

  override batchedCrossEntropy(out: Tensor, x: Tensor, t: Tensor): void {
    this.assertEager();
    this.exports.batchedCrossEntropy(addressOf(out), addressOf(x), addressOf(t), ...perturbationShape(x));
  }

  negativeLogLikelihood(p: Tensor, t: Tensor): number {
    return this.exports.negativeLogLikelihood(addressOf(p), addressOf(t), p.data.length);
  }

  negativeLogLikelihoodBackward(dp: Tensor, p: Tensor, t: Tensor, scale: number): void {
    this.exports.negativeLogLikelihoodBackward(addressOf(dp), addressOf(p), addressOf(t), p.data.length, scale);
  }

  binaryCrossEntropy(p: Tensor, t: Tensor): number {
    return this.exports.binaryCrossEntropy(addressOf(p), addressOf(t), p.data.length);
  }

  binaryCrossEntropyBackward(dp: Tensor, p: Tensor, t: Tensor, scale: number): void {
    this.exports.binaryCrossEntropyBackward(addressOf(dp), addressOf(p), addressOf(t), p.data.length, scale);
  }

  binaryCrossEntropyWithLogits(x: Tensor, t: Tensor): number {
    return this.exports.binaryCrossEntropyWithLogits(addressOf(x), addressOf(t), x.data.length);
  }

  binaryCrossEntropyWithLogitsBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void {
    this.exports.binaryCrossEntropyWithLogitsBackward(addressOf(dx), addressOf(x), addressOf(t), x.data.length, scale);
  }

  sgd(w: Tensor, g: Tensor, v: Tensor | null, lr: number, momentum: number): void {
    if (v) this.exports.sgdWithMomentum(addressOf(w), addressOf(g), addressOf(v), w.data.length, lr, momentum);
    else this.exports.sgd(addressOf(w), addressOf(g), w.data.length, lr);
  }

  override axpby(out: Tensor, x: Tensor, a: number, b: number): void {
    this.exports.axpby(addressOf(out), addressOf(x), out.data.length, a, b);
  }

  override axpbySquared(out: Tensor, x: Tensor, a: number, b: number): void {
    this.exports.axpbySquared(addressOf(out), addressOf(x), out.data.length, a, b);
  }

  override addcdivSqrt(out: Tensor, x: Tensor, d: Tensor, scale: number, eps: number): void {
    this.exports.addcdivSqrt(addressOf(out), addressOf(x), addressOf(d), out.data.length, scale, eps);
  }

  override addSign(out: Tensor, x: Tensor, scale: number): void {
    this.exports.addSign(addressOf(out), addressOf(x), out.data.length, scale);
  }

  override clamp(out: Tensor, x: Tensor, low: number, high: number): void {
    this.exports.clamp(addressOf(out), addressOf(x), out.data.length, low, high);
  }

  override copyColumns(out: Tensor, to: number, x: Tensor, from: number, width: number): void {
    const rows = out.shape[0]!;
    this.exports.copyColumns(
      addressOf(out),
      to,
      out.data.length / rows,
      addressOf(x),
      from,
      x.data.length / rows,
      rows,
      width,
    );
  }

  override lookUpRows(y: Tensor, table: Tensor, indices: Tensor): void {
    this.assertEager();
    const [rows, width] = table.shape as Shape2;
    this.exports.lookUpRows(addressOf(y), addressOf(table), addressOf(indices), indices.data.length, rows, width);
  }

  override accumulateAtRows(dTable: Tensor, dy: Tensor, indices: Tensor, padding: number): void {
    this.assertEager();
    const [rows, width] = dTable.shape as Shape2;
    this.exports.accumulateAtRows(
      addressOf(dTable),
      addressOf(dy),
      addressOf(indices),
      indices.data.length,
      rows,
      width,
      padding,
    );
  }

  override headProducts(pairs: Tensor, a: Tensor, b: Tensor, scale: number): void {
    this.useThreads(pairs.data.length * headWidth(pairs, a));
    this.assertEager();
    this.exports.headProducts(addressOf(pairs), addressOf(a), addressOf(b), ...headShape(pairs, a), scale);
  }

  override headSums(y: Tensor, pairs: Tensor, x: Tensor, scale: number): void {
    this.useThreads(pairs.data.length * headWidth(pairs, x));
    this.assertEager();
    this.exports.headSums(addressOf(y), addressOf(pairs), addressOf(x), ...headShape(pairs, x), scale);
  }

  override headSumsTransposed(y: Tensor, pairs: Tensor, x: Tensor, scale: number): void {
    this.useThreads(pairs.data.length * headWidth(pairs, x));
    this.assertEager();
    this.exports.headSumsTransposed(addressOf(y), addressOf(pairs), addressOf(x), ...headShape(pairs, x), scale);
  }

  override causalSoftmax(y: Tensor, x: Tensor): void {
    this.assertEager();
    const [samples, heads, rows, columns] = x.shape as Shape4;
    this.exports.causalSoftmax(addressOf(y), addressOf(x), samples * heads * rows, rows, columns);
  }

  override multiply(out: Tensor, a: Tensor, b: Tensor): void {
    this.exports.multiply(addressOf(out), addressOf(a), addressOf(b), out.data.length);
  }

  override conv2d(
    y: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | null,
    windows: WindowOptions,
    workspace: Tensor,
  ): void {
    if (!isCompiled(windows)) {
      super.conv2d(y, x, weight, bias, windows, workspace);
      return;
    }
    this.assertEager();
    this.useThreads((y.data.length * weight.data.length) / y.shape[1]!);
    this.exports.conv2d(
      addressOf(y),
      addressOf(x),
      addressOf(weight),
      bias ? addressOf(bias) : 0,
      ...imageShape(x),
      y.shape[1]!,
      ...windowArguments(windows),
    );
  }

  override conv2dBackwardInput(
    dx: Tensor,
    dy: Tensor,
    weight: Tensor,
    windows: WindowOptions,
    workspace: Tensor,
  ): void {
    const {
      kernel_size: [height, width],
    } = windows;
    if (height * width > MAX_KERNEL_AREA_BACK || !isCompiled(windows)) {
      super.conv2dBackwardInput(dx, dy, weight, windows, workspace);
      return;
    }
    this.assertEager();
    this.useThreads((dy.data.length * weight.data.length) / dy.shape[1]!);
    const flipped = workspace.data.length < weight.data.length ? 0 : addressOf(workspace);
    this.exports.conv2dBackwardInput(
      addressOf(dx),
      addressOf(dy),
      addressOf(weight),
      flipped,
      ...imageShape(dx),
      dy.shape[1]!,
      ...windowArguments(windows),
    );
  }

  override conv2dBackwardWeight(
    dWeight: Tensor,
    dBias: Tensor | null,
    dy: Tensor,
    x: Tensor,
    windows: WindowOptions,
    workspace: Tensor,
  ): void {
    if (!isCompiled(windows)) {
      super.conv2dBackwardWeight(dWeight, dBias, dy, x, windows, workspace);
      return;
    }
    this.assertEager();
    this.useThreads((dy.data.length * dWeight.data.length) / dy.shape[1]!);
    this.exports.conv2dBackwardWeight(
      addressOf(dWeight),
      dBias ? addressOf(dBias) : 0,
      addressOf(dy),
      addressOf(x),
      ...imageShape(x),
      dy.shape[1]!,
      ...windowArguments(windows),
    );
  }

  override maxPool2d(y: Tensor, x: Tensor, windows: WindowOptions): void {
    this.assertEager();
    this.exports.maxPool2d(addressOf(y), addressOf(x), ...planeShape(x), ...windowArguments(windows));
  }

  override maxPool2dBackward(dx: Tensor, dy: Tensor, x: Tensor, windows: WindowOptions): void {
    this.assertEager();
    this.exports.maxPool2dBackward(
      addressOf(dx),
      addressOf(dy),
      addressOf(x),
      ...planeShape(x),
      ...windowArguments(windows),
    );
  }

  override avgPool2d(y: Tensor, x: Tensor, windows: WindowOptions, countIncludePad: boolean): void {
    this.assertEager();
    this.exports.avgPool2d(
      addressOf(y),
      addressOf(x),
      ...planeShape(x),
      ...windowArguments(windows),
      countIncludePad ? 1 : 0,
    );
  }

  override avgPool2dBackward(dx: Tensor, dy: Tensor, windows: WindowOptions, countIncludePad: boolean): void {
    this.assertEager();
    this.exports.avgPool2dBackward(
      addressOf(dx),
      addressOf(dy),
      ...planeShape(dx),
      ...windowArguments(windows),
      countIncludePad ? 1 : 0,
    );
  }

  moments(x: Tensor): Moments {
    this.exports.moments(MOMENTS_ADDRESS, addressOf(x), x.data.length);
    const [sum, sumOfSquares, sumOfSquaredDeviations, min, max] = new Float64Array(
      this.memory.buffer,
      MOMENTS_ADDRESS,
      5,
    );
    return {
      sum: sum!,
      sumOfSquares: sumOfSquares!,
      sumOfSquaredDeviations: sumOfSquaredDeviations!,
      min: min!,
      max: max!,
    };
  }

  absoluteSum(x: Tensor): number {
    return this.exports.absoluteSum(addressOf(x), x.data.length);
  }

  sum(x: Tensor): number {
    return this.exports.sum(addressOf(x), x.data.length);
  }

  sumOfSquares(x: Tensor): number {
    return this.exports.sumOfSquares(addressOf(x), x.data.length);
  }

  extremes(x: Tensor): { readonly min: number; readonly max: number } {
    this.exports.extremes(MOMENTS_ADDRESS, addressOf(x), x.data.length);
    const [min, max] = new Float64Array(this.memory.buffer, MOMENTS_ADDRESS, 2);
    return { min: min!, max: max! };
  }

  histogram(counts: Uint32Array, x: Tensor, lo: number, hi: number): void {
    if (counts.length > MAX_COUNTERS) throw new RangeError(`a histogram has at most ${MAX_COUNTERS} bins`);
    this.exports.histogram(SCRATCH_ADDRESS, counts.length, addressOf(x), x.data.length, lo, hi);
    counts.set(new Uint32Array(this.memory.buffer, SCRATCH_ADDRESS, counts.length));
  }

  countOutside(counts: Uint32Array, x: Tensor, lo: number, hi: number): void {
    const n = counts.length;
    const size = x.data.BYTES_PER_ELEMENT;
    for (let from = 0; from < n; from += MAX_COUNTERS) {
      const count = Math.min(MAX_COUNTERS, n - from);
      this.exports.countOutside(
        SCRATCH_ADDRESS,
        addressOf(x) + from * size,
        x.data.length / n,
        count,
        n * size,
        lo,
        hi,
      );
      counts.set(new Uint32Array(this.memory.buffer, SCRATCH_ADDRESS, count), from);
    }
  }

  countCorrect(prediction: Tensor, target: Tensor, threshold: number): number {
    const n = columnCount(prediction);
    return this.exports.countCorrect(
      addressOf(prediction),
      addressOf(target),
      prediction.data.length / n,
      n,
      threshold,
    );
  }

  firstNonFinite(x: Tensor): number {
    return this.exports.firstNonFinite(addressOf(x), x.data.length);
  }

  override channelMoments(mean: Tensor, variance: Tensor, x: Tensor): void {
    this.assertEager();
    this.exports.channelMoments(addressOf(mean), addressOf(variance), addressOf(x), ...channelShape(x));
  }

  override normalizeChannels(
    y: Tensor,
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    weight: Tensor | null,
    bias: Tensor | null,
    eps: number,
  ): void {
    this.assertEager();
    this.exports.normalizeChannels(
      addressOf(y),
      addressOf(x),
      addressOf(mean),
      addressOf(variance),
      addressOrNull(weight),
      addressOrNull(bias),
      ...channelShape(x),
      eps,
    );
  }

  override normalizeChannelsBackward(
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
    this.exports.normalizeChannelsBackward(
      addressOrNull(dx),
      addressOrNull(dWeight),
      addressOrNull(dBias),
      addressOf(dy),
      addressOf(x),
      addressOf(mean),
      addressOf(variance),
      addressOrNull(weight),
      ...channelShape(x),
      eps,
      useBatchStats ? 1 : 0,
    );
  }

  override normalizeRows(
    y: Tensor,
    x: Tensor,
    weight: Tensor | null,
    bias: Tensor | null,
    size: number,
    eps: number,
  ): void {
    this.assertEager();
    this.exports.normalizeRows(
      addressOf(y),
      addressOf(x),
      addressOrNull(weight),
      addressOrNull(bias),
      x.data.length / size,
      size,
      eps,
    );
  }

  override normalizeRowsBackward(
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
    this.exports.normalizeRowsBackward(
      addressOrNull(dx),
      addressOrNull(dWeight),
      addressOrNull(dBias),
      addressOf(dy),
      addressOf(x),
      addressOrNull(weight),
      x.data.length / size,
      size,
      eps,
    );
  }
}
