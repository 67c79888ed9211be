// What each kernel calls in the WebAssembly module. Whose memory that works on, and how other threads come to help, is
// in wasm.ts.
import type { Exports, Memory } from './instance';
import type { Moments } from './kernels';
import { SharedKernels } from './shared';
import type { Tensor } from './tensor';
import { type Unary, unaryFunctions } from './unary';
import { strideOf, type Windows } from './windows';

/** Everything below is scratch memory. Mirrors TENSORS of assembly/tape.ts, compared when a module starts. */
export const LOWEST = 4096 + (8 + 256 + 64) * 1024;
/** Where `moments` writes. */
const RESULT = 64;
/** Where counters go; the matrix products' copies lie there otherwise. */
const SCRATCH = 4096;
const COUNTERS = 65536;
/** Mirrors assembly/convolution.ts. */
const MOST_PLACES_BACK = 256;

/** The address of a tensor. Numbers in other memory mostly lie near its start: a cheap look that spares a riddle. */
function at(x: Tensor): number {
  const address = x.data.byteOffset;
  if (address < LOWEST) throw new TypeError('this tensor does not lie in the memory of the kernels that are to work on it');
  return address;
}

/** 0 for none. */
const atAny = (x: Tensor | null): number => (x ? at(x) : 0);

const columns = (x: Tensor): number => x.shape[x.shape.length - 1] ?? 1;

/** Images, channels, height, width. */
const imagesOf = ({ shape }: Tensor): [number, number, number, number] => [shape[0], shape[1], shape[2], shape[3]];
/** How many images of one channel, height, width. */
const planesOf = ({ shape }: Tensor): [number, number, number] => [shape[0] * shape[1], shape[2], shape[3]];
/** Samples, channels, numbers of each. */
const channelsOf = ({ shape, data }: Tensor): [number, number, number] => [shape[0], shape[1], data.length / (shape[0] * shape[1])];
/** Moves, samples, columns. */
const movesOf = ({ shape }: Tensor): [number, number, number] => [shape[0], shape[1], shape[2]];
/** As the module counts them. */
const UNARY = Object.fromEntries(Object.keys(unaryFunctions).map((name, i) => [name, i])) as Record<Unary, number>;
const windowOf = (windows: Windows): number[] => [...windows.kernel_size, ...strideOf(windows), ...windows.padding];

export abstract class WasmCalls extends SharedKernels {
  protected abstract exports: Exports;
  protected abstract readonly memory: Memory;

  /** Has the other threads ready for a product of so many multiply-adds, if that is worth it. */
  protected abstract together(work: number): void;

  fill(out: Tensor, value: number): void {
    this.exports.fill(at(out), out.data.length, value);
  }

  copy(out: Tensor, x: Tensor): void {
    this.exports.copy(at(out), at(x), x.data.length);
  }

  scale(out: Tensor, x: Tensor, scale: number): void {
    this.exports.scale(at(out), at(x), out.data.length, scale);
  }

  subtract(out: Tensor, a: Tensor, b: Tensor): void {
    this.exports.subtract(at(out), at(a), at(b), out.data.length);
  }

  matmul(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void {
    this.together(out.data.length * b.shape[0]);
    this.exports.matmul(at(out), at(a), at(b), a.shape[0], b.shape[1], b.shape[0], accumulate ? 1 : 0);
  }

  matmulTransposedA(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void {
    this.together(out.data.length * b.shape[0]);
    this.exports.matmulTransposedA(at(out), at(a), at(b), a.shape[1], b.shape[1], b.shape[0], accumulate ? 1 : 0);
  }

  matmulTransposedB(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void {
    this.together(out.data.length * b.shape[1]);
    this.exports.matmulTransposedB(at(out), at(a), at(b), a.shape[0], b.shape[0], b.shape[1], accumulate ? 1 : 0, 0);
  }

  linear(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null): void {
    const [n, k] = weight.shape;
    this.together(y.data.length * k);
    this.exports.matmulTransposedB(at(y), at(x), at(weight), x.shape[0], n, k, 0, bias ? at(bias) : 0);
  }

  addRow(out: Tensor, row: Tensor): void {
    this.exports.addRow(at(out), at(row), out.data.length / row.data.length, row.data.length);
  }

  accumulateRows(out: Tensor, x: Tensor): void {
    this.exports.accumulateRows(at(out), at(x), x.data.length / out.data.length, out.data.length);
  }

  tanh(y: Tensor, x: Tensor): void {
    this.exports.tanh(at(y), at(x), y.data.length);
  }

  tanhBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    this.exports.tanhBackward(at(dx), at(dy), at(y), dx.data.length);
  }

  sigmoid(y: Tensor, x: Tensor): void {
    this.exports.sigmoid(at(y), at(x), y.data.length);
  }

  sigmoidBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    this.exports.sigmoidBackward(at(dx), at(dy), at(y), dx.data.length);
  }

  relu(y: Tensor, x: Tensor, scale: number): void {
    this.exports.relu(at(y), at(x), y.data.length, scale);
  }

  reluBackward(dx: Tensor, dy: Tensor, x: Tensor, scale: number): void {
    this.exports.reluBackward(at(dx), at(dy), at(x), dx.data.length, scale);
  }

  softmax(y: Tensor, x: Tensor): void {
    const n = columns(x);
    this.exports.softmax(at(y), at(x), x.data.length / n, n);
  }

  softmaxBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    const n = columns(y);
    this.exports.softmaxBackward(at(dx), at(dy), at(y), y.data.length / n, n);
  }

  override unary(y: Tensor, x: Tensor, f: Unary, a: number): void {
    this.exports.unary(at(y), at(x), y.data.length, UNARY[f], a);
  }

  override unaryBackward(dx: Tensor, dy: Tensor, x: Tensor, f: Unary, a: number): void {
    this.exports.unaryBackward(at(dx), at(dy), at(x), dx.data.length, UNARY[f], a);
  }

  override logSoftmax(y: Tensor, x: Tensor): void {
    const n = columns(x);
    this.exports.logSoftmax(at(y), at(x), x.data.length / n, n);
  }

  override logSoftmaxBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    const n = columns(y);
    this.exports.logSoftmaxBackward(at(dx), at(dy), at(y), y.data.length / n, n);
  }

  squaredError(x: Tensor, t: Tensor): number {
    return this.exports.squaredError(at(x), at(t), x.data.length);
  }

  squaredErrorBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void {
    this.exports.squaredErrorBackward(at(dx), at(x), at(t), x.data.length, scale);
  }

  crossEntropy(x: Tensor, t: Tensor): number {
    const n = columns(x);
    return this.exports.crossEntropy(at(x), at(t), x.data.length / n, n);
  }

  crossEntropyBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void {
    const n = columns(x);
    this.exports.crossEntropyBackward(at(dx), at(x), at(t), x.data.length / n, n, scale);
  }

  override moveColumns(out: Tensor, columns: Tensor, places: Tensor, by: Tensor, slopes: Tensor | null, from: Tensor): void {
    this.beforeShared();
    this.exports.moveColumns(at(out), at(columns), at(places), at(by), atAny(slopes), at(from), out.shape[0], out.shape[1]);
  }

  override placeColumns(y: Tensor, rows: Tensor, moved: Tensor, places: Tensor): void {
    this.beforeShared();
    this.exports.placeColumns(at(y), at(rows), at(moved), at(places), ...movesOf(y));
  }

  override addShares(y: Tensor, rows: Tensor, moved: Tensor, columns: Tensor, weights: Tensor, places: Tensor): void {
    this.beforeShared();
    this.exports.addShares(at(y), at(rows), at(moved), at(columns), at(weights), at(places), ...movesOf(y));
  }

  override crossEntropies(out: Tensor, x: Tensor, t: Tensor): void {
    this.beforeShared();
    this.exports.crossEntropies(at(out), at(x), at(t), ...movesOf(x));
  }

  negativeLogLikelihood(p: Tensor, t: Tensor): number {
    return this.exports.negativeLogLikelihood(at(p), at(t), p.data.length);
  }

  negativeLogLikelihoodBackward(dp: Tensor, p: Tensor, t: Tensor, scale: number): void {
    this.exports.negativeLogLikelihoodBackward(at(dp), at(p), at(t), p.data.length, scale);
  }

  binaryCrossEntropy(p: Tensor, t: Tensor): number {
    return this.exports.binaryCrossEntropy(at(p), at(t), p.data.length);
  }

  binaryCrossEntropyBackward(dp: Tensor, p: Tensor, t: Tensor, scale: number): void {
    this.exports.binaryCrossEntropyBackward(at(dp), at(p), at(t), p.data.length, scale);
  }

  binaryCrossEntropyWithLogits(x: Tensor, t: Tensor): number {
    return this.exports.binaryCrossEntropyWithLogits(at(x), at(t), x.data.length);
  }

  binaryCrossEntropyWithLogitsBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void {
    this.exports.binaryCrossEntropyWithLogitsBackward(at(dx), at(x), at(t), x.data.length, scale);
  }

  sgd(w: Tensor, g: Tensor, v: Tensor | null, lr: number, momentum: number): void {
    if (v) this.exports.sgdWithMomentum(at(w), at(g), at(v), w.data.length, lr, momentum);
    else this.exports.sgd(at(w), at(g), w.data.length, lr);
  }

  override combine(out: Tensor, x: Tensor, a: number, b: number): void {
    this.exports.combine(at(out), at(x), out.data.length, a, b);
  }

  override combineSquares(out: Tensor, x: Tensor, a: number, b: number): void {
    this.exports.combineSquares(at(out), at(x), out.data.length, a, b);
  }

  override addQuotient(out: Tensor, x: Tensor, d: Tensor, scale: number, eps: number): void {
    this.exports.addQuotient(at(out), at(x), at(d), out.data.length, scale, eps);
  }

  override addSign(out: Tensor, x: Tensor, scale: number): void {
    this.exports.addSign(at(out), at(x), out.data.length, scale);
  }

  override clamp(out: Tensor, x: Tensor, low: number, high: number): void {
    this.exports.clamp(at(out), at(x), out.data.length, low, high);
  }

  override multiply(out: Tensor, a: Tensor, b: Tensor): void {
    this.exports.multiply(at(out), at(a), at(b), out.data.length);
  }

  override conv2d(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, windows: Windows): void {
    this.beforeShared();
    this.together((y.data.length * weight.data.length) / y.shape[1]);
    this.exports.conv2d(at(y), at(x), at(weight), bias ? at(bias) : 0, ...imagesOf(x), y.shape[1], ...windowOf(windows));
  }

  override conv2dBackwardInput(dx: Tensor, dy: Tensor, weight: Tensor, windows: Windows, workspace: Tensor): void {
    const { kernel_size: [height, width] } = windows;
    if (height * width > MOST_PLACES_BACK) {
      super.conv2dBackwardInput(dx, dy, weight, windows, workspace);
      return;
    }
    this.beforeShared();
    this.together((dy.data.length * weight.data.length) / dy.shape[1]);
    const turned = workspace.data.length < weight.data.length ? 0 : at(workspace);
    this.exports.conv2dBackwardInput(at(dx), at(dy), at(weight), turned, ...imagesOf(dx), dy.shape[1], ...windowOf(windows));
  }

  override conv2dBackwardWeight(dWeight: Tensor, dBias: Tensor | null, dy: Tensor, x: Tensor, windows: Windows): void {
    this.beforeShared();
    this.together((dy.data.length * dWeight.data.length) / dy.shape[1]);
    this.exports.conv2dBackwardWeight(
      at(dWeight), dBias ? at(dBias) : 0, at(dy), at(x), ...imagesOf(x), dy.shape[1], ...windowOf(windows),
    );
  }

  override maxPool2d(y: Tensor, x: Tensor, windows: Windows): void {
    this.beforeShared();
    this.exports.maxPool2d(at(y), at(x), ...planesOf(x), ...windowOf(windows));
  }

  override maxPool2dBackward(dx: Tensor, dy: Tensor, x: Tensor, windows: Windows): void {
    this.beforeShared();
    this.exports.maxPool2dBackward(at(dx), at(dy), at(x), ...planesOf(x), ...windowOf(windows));
  }

  override avgPool2d(y: Tensor, x: Tensor, windows: Windows, padded: boolean): void {
    this.beforeShared();
    this.exports.avgPool2d(at(y), at(x), ...planesOf(x), ...windowOf(windows), padded ? 1 : 0);
  }

  override avgPool2dBackward(dx: Tensor, dy: Tensor, windows: Windows, padded: boolean): void {
    this.beforeShared();
    this.exports.avgPool2dBackward(at(dx), at(dy), ...planesOf(dx), ...windowOf(windows), padded ? 1 : 0);
  }

  moments(x: Tensor): Moments {
    this.exports.moments(RESULT, at(x), x.data.length);
    const [sum, sumOfSquares, sumOfDeviations, min, max] = new Float64Array(this.memory.buffer, RESULT, 5);
    return { sum, sumOfSquares, sumOfDeviations, min, max };
  }

  absoluteSum(x: Tensor): number {
    return this.exports.absoluteSum(at(x), x.data.length);
  }

  histogram(counts: Uint32Array, x: Tensor, lo: number, hi: number): void {
    if (counts.length > COUNTERS) throw new RangeError(`a histogram has at most ${COUNTERS} bins`);
    this.exports.histogram(SCRATCH, counts.length, at(x), x.data.length, lo, hi);
    counts.set(new Uint32Array(this.memory.buffer, SCRATCH, counts.length));
  }

  countOutside(counts: Uint32Array, x: Tensor, above: number, below: number): void {
    const n = counts.length;
    const size = x.data.BYTES_PER_ELEMENT;
    for (let from = 0; from < n; from += COUNTERS) {
      const some = Math.min(COUNTERS, n - from);
      this.exports.countOutside(SCRATCH, at(x) + from * size, x.data.length / n, some, n * size, above, below);
      counts.set(new Uint32Array(this.memory.buffer, SCRATCH, some), from);
    }
  }

  countCorrect(prediction: Tensor, target: Tensor, threshold: number): number {
    const n = columns(prediction);
    return this.exports.countCorrect(at(prediction), at(target), prediction.data.length / n, n, threshold);
  }

  firstNonFinite(x: Tensor): number {
    return this.exports.firstNonFinite(at(x), x.data.length);
  }

  override channelMoments(mean: Tensor, variance: Tensor, x: Tensor): void {
    this.beforeShared();
    this.exports.channelMoments(at(mean), at(variance), at(x), ...channelsOf(x));
  }

  override normalizeChannels(
    y: Tensor, x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | null, bias: Tensor | null, eps: number,
  ): void {
    this.beforeShared();
    this.exports.normalizeChannels(at(y), at(x), at(mean), at(variance), atAny(weight), atAny(bias), ...channelsOf(x), eps);
  }

  override normalizeChannelsBackward(
    dx: Tensor | null, dWeight: Tensor | null, dBias: Tensor | null,
    dy: Tensor, x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | null, eps: number, ofBatch: boolean,
  ): void {
    this.beforeShared();
    this.exports.normalizeChannelsBackward(
      atAny(dx), atAny(dWeight), atAny(dBias), at(dy), at(x), at(mean), at(variance), atAny(weight), ...channelsOf(x), eps, ofBatch ? 1 : 0,
    );
  }

  override normalizeRows(y: Tensor, x: Tensor, weight: Tensor | null, bias: Tensor | null, size: number, eps: number): void {
    this.beforeShared();
    this.exports.normalizeRows(at(y), at(x), atAny(weight), atAny(bias), x.data.length / size, size, eps);
  }

  override normalizeRowsBackward(
    dx: Tensor | null, dWeight: Tensor | null, dBias: Tensor | null, dy: Tensor, x: Tensor, weight: Tensor | null, size: number, eps: number,
  ): void {
    this.beforeShared();
    this.exports.normalizeRowsBackward(atAny(dx), atAny(dWeight), atAny(dBias), at(dy), at(x), atAny(weight), x.data.length / size, size, eps);
  }
}
