// The kernels in WebAssembly (sources: assembly/). Tensors lie in a memory of their own for each instance,
// which goes with the last tensor in it. It is shared memory because that can grow without cutting off the
// tensors that were made before. Tensors of another instance or of the reference are not for these kernels.
import { compile, type Exports, instantiate, type Memory, sharedMemory } from './instance';
import type { Kernels, Moments } from './kernels';
import { SharedKernels } from './shared';
import { Tapes } from './tape';
import { layOut, type MemoryPlan, type Precision, type Tensor } from './tensor';
import type { Team } from './team';
import { wasmModules } from './wasm-modules';
import { strideOf, type Windows } from './windows';
import { WIDE_KERNELS, wideModule, type WideVectors } from './wide';

export type Simd = keyof typeof wasmModules;

const PAGE = 65536;
/** 4 GB, all that addresses of 32 bits reach. */
const MOST_PAGES = 65536;
/** Where `moments` writes. */
const RESULT = 64;
/** Where counters go; the matrix products' copies lie there otherwise. */
const SCRATCH = 4096;
/** Vector loads may read up to a vector past the end of a tensor. */
const MARGIN = 64;
const COUNTERS = 65536;
/** Multiply-adds of a product from which on threads are called; mirrors assembly/products.ts. */
const WORTH = 500_000;
/** Mirrors assembly/convolution.ts. */
const MOST_PLACES_BACK = 256;

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function decode(base64: string): Uint8Array {
  const value = new Uint8Array(128);
  for (let i = 0; i < DIGITS.length; i++) value[DIGITS.charCodeAt(i)] = i;
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((base64.length / 4) * 3 - padding);
  for (let i = 0, at = 0; i < base64.length; i += 4) {
    const four =
      (value[base64.charCodeAt(i)] << 18) | (value[base64.charCodeAt(i + 1)] << 12) |
      (value[base64.charCodeAt(i + 2)] << 6) | value[base64.charCodeAt(i + 3)];
    bytes[at++] = four >> 16;
    bytes[at++] = four >> 8;
    bytes[at++] = four;
  }
  return bytes;
}

/** Everything below is scratch memory. Mirrors TENSORS of assembly/tape.ts, compared when a module starts. */
const LOWEST = 4096 + (8 + 256 + 64) * 1024;

/** The address of a tensor. Numbers in other memory mostly lie near its start: a cheap look that spares a riddle. */
function at(x: Tensor): number {
  const address = x.data.byteOffset;
  if (address < LOWEST) throw new TypeError('this tensor does not lie in the memory of the kernels that are to work on it');
  return address;
}

const columns = (x: Tensor): number => x.shape[x.shape.length - 1] ?? 1;

/** Images, channels, height, width. */
const imagesOf = ({ shape }: Tensor): [number, number, number, number] => [shape[0], shape[1], shape[2], shape[3]];
/** How many images of one channel, height, width. */
const planesOf = ({ shape }: Tensor): [number, number, number] => [shape[0] * shape[1], shape[2], shape[3]];
const windowOf = (windows: Windows): number[] => [...windows.kernel_size, ...strideOf(windows), ...windows.padding];

/** Thrown out of work that cannot be written down, and caught where it was to be. */
class CannotPrepare extends Error {}

export class WasmKernels extends SharedKernels implements Kernels {
  readonly backend: string;
  /** Whether products run in vectors of 256 bits. */
  wide = false;
  /** What other threads get. */
  #module: object;
  readonly #memory: Memory;
  /** Those of the module, or while something is prepared what writes them down. */
  #exports: Exports;
  readonly #tapes: Tapes;
  #pages: number;
  /** Bytes in use. */
  #top: number;
  /** Where each helper works by itself. */
  readonly #scratch: readonly number[];

  /** @throws where the engine lacks the instructions, or room for the memory. */
  constructor(
    readonly precision: Precision,
    simd: Simd,
    /** Threads that help with large products. */
    readonly team: Team | null = null,
    wideVectors: WideVectors | null = null,
  ) {
    super();
    this.backend = simd === 'relaxed' ? 'wasm-relaxed-simd' : 'wasm-simd';
    this.#module = compile(decode(wasmModules[simd][precision]));
    this.#pages = 1;
    this.#memory = sharedMemory(this.#pages, MOST_PAGES);
    this.#exports = instantiate(this.#module, this.#memory);
    this.#exports.prepareConstants();
    if (wideVectors) this.#widen(wideVectors, simd);
    const { TAPES, TENSORS, SCRATCH_SIZE } = this.#exports;
    if (TENSORS.value > LOWEST) throw new Error('assembly/ needs more scratch memory than LOWEST says');
    this.#scratch = (team?.helpers ?? []).map((_, i) => LOWEST + i * SCRATCH_SIZE.value);
    this.#top = LOWEST + this.#scratch.length * SCRATCH_SIZE.value;
    this.#tapes = new Tapes(TAPES.value, LOWEST);
  }

  allocate(plan: MemoryPlan): Tensor[] {
    const base = this.#top;
    const pages = Math.ceil((base + plan.bytes + MARGIN) / PAGE);
    if (pages > MOST_PAGES) throw new RangeError(`${plan.bytes} bytes do not fit: these kernels reach 4 GB in all`);
    if (pages > this.#pages) {
      this.#memory.grow(pages - this.#pages);
      this.#pages = pages;
    }
    this.#top = base + plan.bytes;
    return layOut(plan, this.#memory.buffer, base);
  }

  /** Takes what threads share from a module with wide vectors, where that computes the same and is faster. */
  #widen(wideVectors: WideVectors, simd: Simd): void {
    // A section that says nothing makes it another module to the engine, which would give back the first one otherwise.
    const another = (): object => compile(new Uint8Array([...decode(wasmModules[simd][this.precision]), 0, 2, 1, 0x77]));
    const wide = wideModule(`${simd} ${this.precision}`, this.precision, wideVectors, this.#module, another);
    if (!wide) return;
    const exports = instantiate(wide, this.#memory);
    exports.useWideTiles(1);
    this.#exports = { ...this.#exports, ...Object.fromEntries(WIDE_KERNELS.map((name) => [name, exports[name]])) };
    this.#module = wide;
    this.wide = true;
  }

  /** Has the other threads ready for a product of so many multiply-adds, if that is worth it. */
  #together(work: number): void {
    if (work < WORTH || !this.team || this.team.engagedWith === this || this.#tapes.recording) return;
    this.team.engage(this, this.#exports, { module: this.#module, memory: this.#memory, wide: this.wide }, this.#scratch);
  }

  /** Pieces of work that other threads did so far. */
  get helped(): number {
    return this.#exports.helped();
  }

  /** Other threads that sleep until there is work. */
  get sleepers(): number {
    return this.#exports.sleepers();
  }

  protected beforeShared(): void {
    if (this.#tapes.recording) throw new CannotPrepare();
  }

  prepare(work: () => void): () => void {
    const exports = this.#exports;
    // Recorded inside another recording, its operations become part of that one.
    if (this.#tapes.recording) return work;
    this.#exports = this.#tapes.start(exports);
    try {
      work();
    } catch (error) {
      if (error instanceof CannotPrepare) return work;
      throw error;
    } finally {
      this.#exports = exports;
      this.#tapes.stop();
    }
    const tape = this.#tapes.write(this.#memory.buffer);
    return tape ? () => exports.play(tape.from, tape.to) : work;
  }

  fill(out: Tensor, value: number): void {
    this.#exports.fill(at(out), out.data.length, value);
  }

  copy(out: Tensor, x: Tensor): void {
    this.#exports.copy(at(out), at(x), x.data.length);
  }

  scale(out: Tensor, x: Tensor, scale: number): void {
    this.#exports.scale(at(out), at(x), out.data.length, scale);
  }

  subtract(out: Tensor, a: Tensor, b: Tensor): void {
    this.#exports.subtract(at(out), at(a), at(b), out.data.length);
  }

  matmul(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void {
    this.#together(out.data.length * b.shape[0]);
    this.#exports.matmul(at(out), at(a), at(b), a.shape[0], b.shape[1], b.shape[0], accumulate ? 1 : 0);
  }

  matmulTransposedA(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void {
    this.#together(out.data.length * b.shape[0]);
    this.#exports.matmulTransposedA(at(out), at(a), at(b), a.shape[1], b.shape[1], b.shape[0], accumulate ? 1 : 0);
  }

  matmulTransposedB(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void {
    this.#together(out.data.length * b.shape[1]);
    this.#exports.matmulTransposedB(at(out), at(a), at(b), a.shape[0], b.shape[0], b.shape[1], accumulate ? 1 : 0, 0);
  }

  linear(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null): void {
    const [n, k] = weight.shape;
    this.#together(y.data.length * k);
    this.#exports.matmulTransposedB(at(y), at(x), at(weight), x.shape[0], n, k, 0, bias ? at(bias) : 0);
  }

  addRow(out: Tensor, row: Tensor): void {
    this.#exports.addRow(at(out), at(row), out.data.length / row.data.length, row.data.length);
  }

  accumulateRows(out: Tensor, x: Tensor): void {
    this.#exports.accumulateRows(at(out), at(x), x.data.length / out.data.length, out.data.length);
  }

  tanh(y: Tensor, x: Tensor): void {
    this.#exports.tanh(at(y), at(x), y.data.length);
  }

  tanhBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    this.#exports.tanhBackward(at(dx), at(dy), at(y), dx.data.length);
  }

  sigmoid(y: Tensor, x: Tensor): void {
    this.#exports.sigmoid(at(y), at(x), y.data.length);
  }

  sigmoidBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    this.#exports.sigmoidBackward(at(dx), at(dy), at(y), dx.data.length);
  }

  relu(y: Tensor, x: Tensor, scale: number): void {
    this.#exports.relu(at(y), at(x), y.data.length, scale);
  }

  reluBackward(dx: Tensor, dy: Tensor, x: Tensor, scale: number): void {
    this.#exports.reluBackward(at(dx), at(dy), at(x), dx.data.length, scale);
  }

  softmax(y: Tensor, x: Tensor): void {
    const n = columns(x);
    this.#exports.softmax(at(y), at(x), x.data.length / n, n);
  }

  softmaxBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    const n = columns(y);
    this.#exports.softmaxBackward(at(dx), at(dy), at(y), y.data.length / n, n);
  }

  squaredError(x: Tensor, t: Tensor): number {
    return this.#exports.squaredError(at(x), at(t), x.data.length);
  }

  squaredErrorBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void {
    this.#exports.squaredErrorBackward(at(dx), at(x), at(t), x.data.length, scale);
  }

  crossEntropy(x: Tensor, t: Tensor): number {
    const n = columns(x);
    return this.#exports.crossEntropy(at(x), at(t), x.data.length / n, n);
  }

  crossEntropyBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void {
    const n = columns(x);
    this.#exports.crossEntropyBackward(at(dx), at(x), at(t), x.data.length / n, n, scale);
  }

  negativeLogLikelihood(p: Tensor, t: Tensor): number {
    return this.#exports.negativeLogLikelihood(at(p), at(t), p.data.length);
  }

  negativeLogLikelihoodBackward(dp: Tensor, p: Tensor, t: Tensor, scale: number): void {
    this.#exports.negativeLogLikelihoodBackward(at(dp), at(p), at(t), p.data.length, scale);
  }

  binaryCrossEntropy(p: Tensor, t: Tensor): number {
    return this.#exports.binaryCrossEntropy(at(p), at(t), p.data.length);
  }

  binaryCrossEntropyBackward(dp: Tensor, p: Tensor, t: Tensor, scale: number): void {
    this.#exports.binaryCrossEntropyBackward(at(dp), at(p), at(t), p.data.length, scale);
  }

  binaryCrossEntropyWithLogits(x: Tensor, t: Tensor): number {
    return this.#exports.binaryCrossEntropyWithLogits(at(x), at(t), x.data.length);
  }

  binaryCrossEntropyWithLogitsBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void {
    this.#exports.binaryCrossEntropyWithLogitsBackward(at(dx), at(x), at(t), x.data.length, scale);
  }

  sgd(w: Tensor, g: Tensor, v: Tensor | null, lr: number, momentum: number): void {
    if (v) this.#exports.sgdWithMomentum(at(w), at(g), at(v), w.data.length, lr, momentum);
    else this.#exports.sgd(at(w), at(g), w.data.length, lr);
  }

  override conv2d(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, windows: Windows): void {
    this.beforeShared();
    this.#together((y.data.length * weight.data.length) / y.shape[1]);
    this.#exports.conv2d(at(y), at(x), at(weight), bias ? at(bias) : 0, ...imagesOf(x), y.shape[1], ...windowOf(windows));
  }

  override conv2dBackwardInput(dx: Tensor, dy: Tensor, weight: Tensor, windows: Windows, workspace: Tensor): void {
    const { kernel_size: [height, width] } = windows;
    if (height * width > MOST_PLACES_BACK) {
      super.conv2dBackwardInput(dx, dy, weight, windows, workspace);
      return;
    }
    this.beforeShared();
    this.#together((dy.data.length * weight.data.length) / dy.shape[1]);
    this.#exports.conv2dBackwardInput(at(dx), at(dy), at(weight), ...imagesOf(dx), dy.shape[1], ...windowOf(windows));
  }

  override conv2dBackwardWeight(dWeight: Tensor, dBias: Tensor | null, dy: Tensor, x: Tensor, windows: Windows): void {
    this.beforeShared();
    this.#together((dy.data.length * dWeight.data.length) / dy.shape[1]);
    this.#exports.conv2dBackwardWeight(
      at(dWeight), dBias ? at(dBias) : 0, at(dy), at(x), ...imagesOf(x), dy.shape[1], ...windowOf(windows),
    );
  }

  override maxPool2d(y: Tensor, x: Tensor, windows: Windows): void {
    this.beforeShared();
    this.#exports.maxPool2d(at(y), at(x), ...planesOf(x), ...windowOf(windows));
  }

  override maxPool2dBackward(dx: Tensor, dy: Tensor, x: Tensor, windows: Windows): void {
    this.beforeShared();
    this.#exports.maxPool2dBackward(at(dx), at(dy), at(x), ...planesOf(x), ...windowOf(windows));
  }

  override avgPool2d(y: Tensor, x: Tensor, windows: Windows, padded: boolean): void {
    this.beforeShared();
    this.#exports.avgPool2d(at(y), at(x), ...planesOf(x), ...windowOf(windows), padded ? 1 : 0);
  }

  override avgPool2dBackward(dx: Tensor, dy: Tensor, windows: Windows, padded: boolean): void {
    this.beforeShared();
    this.#exports.avgPool2dBackward(at(dx), at(dy), ...planesOf(dx), ...windowOf(windows), padded ? 1 : 0);
  }

  moments(x: Tensor): Moments {
    this.#exports.moments(RESULT, at(x), x.data.length);
    const [sum, sumOfSquares, sumOfDeviations, min, max] = new Float64Array(this.#memory.buffer, RESULT, 5);
    return { sum, sumOfSquares, sumOfDeviations, min, max };
  }

  absoluteSum(x: Tensor): number {
    return this.#exports.absoluteSum(at(x), x.data.length);
  }

  histogram(counts: Uint32Array, x: Tensor, lo: number, hi: number): void {
    if (counts.length > COUNTERS) throw new RangeError(`a histogram has at most ${COUNTERS} bins`);
    this.#exports.histogram(SCRATCH, counts.length, at(x), x.data.length, lo, hi);
    counts.set(new Uint32Array(this.#memory.buffer, SCRATCH, counts.length));
  }

  countOutside(counts: Uint32Array, x: Tensor, above: number, below: number): void {
    const n = counts.length;
    const size = x.data.BYTES_PER_ELEMENT;
    for (let from = 0; from < n; from += COUNTERS) {
      const some = Math.min(COUNTERS, n - from);
      this.#exports.countOutside(SCRATCH, at(x) + from * size, x.data.length / n, some, n * size, above, below);
      counts.set(new Uint32Array(this.#memory.buffer, SCRATCH, some), from);
    }
  }

  countCorrect(prediction: Tensor, target: Tensor, threshold: number): number {
    const n = columns(prediction);
    return this.#exports.countCorrect(at(prediction), at(target), prediction.data.length / n, n, threshold);
  }

  firstNonFinite(x: Tensor): number {
    return this.#exports.firstNonFinite(at(x), x.data.length);
  }
}
