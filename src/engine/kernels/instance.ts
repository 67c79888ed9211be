// The WebAssembly module of the kernels on a memory: what it exports, and how it comes to be.

/** What assembly/index.ts exports: addresses in bytes, sizes in elements, m rows of n columns. */
export interface Exports {
  /** Where operations are written, and where tensors begin. */
  readonly TAPES: { readonly value: number };
  readonly TENSORS: { readonly value: number };
  play(from: number, to: number): void;
  /** Bytes that a thread works in by itself. */
  readonly SCRATCH_SIZE: { readonly value: number };
  /** …window: kernel, stride and padding, each from top to bottom and from left to right. */
  conv2d(y: number, x: number, weight: number, bias: number, images: number, channels: number, height: number, width: number, outputs: number, ...window: readonly number[]): void;
  conv2dBackwardWeight(dWeight: number, dBias: number, dy: number, x: number, images: number, channels: number, height: number, width: number, outputs: number, ...window: readonly number[]): void;
  conv2dBackwardInput(dx: number, dy: number, weight: number, turned: number, images: number, channels: number, height: number, width: number, outputs: number, ...window: readonly number[]): void;
  maxPool2d(y: number, x: number, planes: number, height: number, width: number, ...window: readonly number[]): void;
  maxPool2dBackward(dx: number, dy: number, x: number, planes: number, height: number, width: number, ...window: readonly number[]): void;
  avgPool2d(y: number, x: number, planes: number, height: number, width: number, ...windowAndPadded: readonly number[]): void;
  avgPool2dBackward(dx: number, dy: number, planes: number, height: number, width: number, ...windowAndPadded: readonly number[]): void;
  useWideTiles(on: number): void;
  /** See assembly/threads.ts. */
  engage(engagement: number): void;
  serve(engagement: number, scratch: number): void;
  /** Pieces of work that other threads did. */
  helped(): number;
  /** Threads that sleep. */
  sleepers(): number;
  /** To be called first. */
  prepareConstants(): void;
  fill(out: number, n: number, value: number): void;
  copy(out: number, x: number, n: number): void;
  scale(out: number, x: number, n: number, by: number): void;
  subtract(out: number, a: number, b: number, n: number): void;
  matmul(c: number, a: number, b: number, m: number, n: number, k: number, add: number): void;
  matmulTransposedA(c: number, a: number, b: number, m: number, n: number, k: number, add: number): void;
  matmulTransposedB(c: number, a: number, b: number, m: number, n: number, k: number, add: number, bias: number): void;
  addRow(out: number, row: number, m: number, n: number): void;
  accumulateRows(out: number, x: number, m: number, n: number): void;
  tanh(y: number, x: number, n: number): void;
  tanhBackward(dx: number, dy: number, y: number, n: number): void;
  sigmoid(y: number, x: number, n: number): void;
  sigmoidBackward(dx: number, dy: number, y: number, n: number): void;
  relu(y: number, x: number, n: number, by: number): void;
  reluBackward(dx: number, dy: number, x: number, n: number, by: number): void;
  softmax(y: number, x: number, m: number, n: number): void;
  softmaxBackward(dx: number, dy: number, y: number, m: number, n: number): void;
  squaredError(x: number, t: number, n: number): number;
  squaredErrorBackward(dx: number, x: number, t: number, n: number, scale: number): void;
  crossEntropy(x: number, t: number, m: number, n: number): number;
  crossEntropyBackward(dx: number, x: number, t: number, m: number, n: number, scale: number): void;
  /** Of so many moves, m samples, n columns; 0 for no slopes. */
  moveColumns(out: number, columns: number, places: number, by: number, slopes: number, from: number, moves: number, m: number): void;
  placeColumns(y: number, rows: number, moved: number, places: number, moves: number, m: number, n: number): void;
  addShares(y: number, rows: number, moved: number, columns: number, weights: number, places: number, moves: number, m: number, n: number): void;
  crossEntropies(out: number, x: number, t: number, moves: number, m: number, n: number): void;
  negativeLogLikelihood(p: number, t: number, n: number): number;
  negativeLogLikelihoodBackward(dp: number, p: number, t: number, n: number, scale: number): void;
  binaryCrossEntropy(p: number, t: number, n: number): number;
  binaryCrossEntropyBackward(dp: number, p: number, t: number, n: number, scale: number): void;
  binaryCrossEntropyWithLogits(x: number, t: number, n: number): number;
  binaryCrossEntropyWithLogitsBackward(dx: number, x: number, t: number, n: number, scale: number): void;
  sgd(w: number, g: number, n: number, lr: number): void;
  sgdWithMomentum(w: number, g: number, v: number, n: number, lr: number, momentum: number): void;
  combine(out: number, x: number, n: number, a: number, b: number): void;
  combineSquares(out: number, x: number, n: number, a: number, b: number): void;
  addQuotient(out: number, x: number, d: number, n: number, scale: number, eps: number): void;
  addSign(out: number, x: number, n: number, scale: number): void;
  clamp(out: number, x: number, n: number, low: number, high: number): void;
  multiply(out: number, a: number, b: number, n: number): void;
  /** f: its place in unary.ts. */
  unary(y: number, x: number, n: number, f: number, a: number): void;
  unaryBackward(dx: number, dy: number, x: number, n: number, f: number, a: number): void;
  logSoftmax(y: number, x: number, m: number, n: number): void;
  logSoftmaxBackward(dx: number, dy: number, y: number, m: number, n: number): void;
  moments(result: number, x: number, n: number): void;
  /** Of [samples, channels, size], or of rows; 0 for a tensor that there is none of. */
  channelMoments(mean: number, variance: number, x: number, samples: number, channels: number, size: number): void;
  normalizeChannels(y: number, x: number, mean: number, variance: number, weight: number, bias: number, samples: number, channels: number, size: number, eps: number): void;
  normalizeChannelsBackward(dx: number, dWeight: number, dBias: number, dy: number, x: number, mean: number, variance: number, weight: number, samples: number, channels: number, size: number, eps: number, ofBatch: number): void;
  normalizeRows(y: number, x: number, weight: number, bias: number, rows: number, size: number, eps: number): void;
  normalizeRowsBackward(dx: number, dWeight: number, dBias: number, dy: number, x: number, weight: number, rows: number, size: number, eps: number): void;
  absoluteSum(x: number, n: number): number;
  histogram(counts: number, bins: number, x: number, n: number, lo: number, hi: number): void;
  countOutside(counts: number, x: number, rows: number, columns: number, step: number, above: number, below: number): void;
  countCorrect(prediction: number, target: number, m: number, n: number, threshold: number): number;
  firstNonFinite(x: number, n: number): number;
}

export interface Memory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

/** The part of the WebAssembly API that is used; every engine has it, ES2023's own types do not. */
interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (size: { initial: number; maximum: number; shared: boolean }) => Memory;
  readonly Instance: new (module: object, imports: { env: Readonly<Record<string, unknown>> }) => { readonly exports: unknown };
}
declare const WebAssembly: WebAssemblyApi;

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Bytes in base64. */
export function decode(base64: string): Uint8Array {
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

/** @throws where the engine lacks the instructions. */
export const compile = (bytes: Uint8Array): object => new WebAssembly.Module(bytes);

export const sharedMemory = (pages: number, most: number): Memory =>
  new WebAssembly.Memory({ initial: pages, maximum: most, shared: true });

/** The module on this memory; other threads may have instances of their own on it. */
export const instantiate = (module: object, memory: Memory): Exports =>
  new WebAssembly.Instance(module, { env: { memory } }).exports as Exports;

/** Of a module made for a tape: fills a list of doubles from an address up to another. @returns where it ended */
export type Run = (list: number, end: number, piece: number) => number;

/** `run` of a module that works on this memory and calls some of these functions. */
export const link = (module: object, memory: Memory, functions: Exports): Run =>
  (new WebAssembly.Instance(module, { env: { ...functions, memory } }).exports as { run: Run }).run;
