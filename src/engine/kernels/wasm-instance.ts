// Instances of the WebAssembly module of the kernels: their exports, and how they are created.

/** The exports of assembly/index.ts: addresses in bytes, sizes in elements, m rows by n columns. */
export interface WasmExports {
  /** Where traces are written, and where tensors begin. */
  readonly TRACES_START: { readonly value: number };
  readonly TENSORS_START: { readonly value: number };
  replay(from: number, to: number): void;
  /** Bytes of a thread's own scratch memory. */
  readonly SCRATCH_SIZE: { readonly value: number };
  /** …window: kernel, stride and padding, each vertical, then horizontal. */
  conv2d(
    y: number,
    x: number,
    weight: number,
    bias: number,
    images: number,
    channels: number,
    height: number,
    width: number,
    outputs: number,
    ...window: readonly number[]
  ): void;
  conv2dBackwardWeight(
    dWeight: number,
    dBias: number,
    dy: number,
    x: number,
    images: number,
    channels: number,
    height: number,
    width: number,
    outputs: number,
    ...window: readonly number[]
  ): void;
  conv2dBackwardInput(
    dx: number,
    dy: number,
    weight: number,
    flipped: number,
    images: number,
    channels: number,
    height: number,
    width: number,
    outputs: number,
    ...window: readonly number[]
  ): void;
  maxPool2d(y: number, x: number, planes: number, height: number, width: number, ...window: readonly number[]): void;
  maxPool2dBackward(
    dx: number,
    dy: number,
    x: number,
    planes: number,
    height: number,
    width: number,
    ...window: readonly number[]
  ): void;
  avgPool2d(
    y: number,
    x: number,
    planes: number,
    height: number,
    width: number,
    ...windowAndPadded: readonly number[]
  ): void;
  avgPool2dBackward(
    dx: number,
    dy: number,
    planes: number,
    height: number,
    width: number,
    ...windowAndPadded: readonly number[]
  ): void;
  /** x is [samples, positions, width]; the products have a row and a column for each pair of positions. */
  headProducts(
    pairs: number,
    a: number,
    b: number,
    samples: number,
    heads: number,
    rows: number,
    columns: number,
    width: number,
    scale: number,
  ): void;
  headSums(
    y: number,
    pairs: number,
    x: number,
    samples: number,
    heads: number,
    rows: number,
    columns: number,
    width: number,
    scale: number,
  ): void;
  headSumsTransposed(
    y: number,
    pairs: number,
    x: number,
    samples: number,
    heads: number,
    rows: number,
    columns: number,
    width: number,
    scale: number,
  ): void;
  /** m rows, of which each group of `rows` is one matrix. */
  causalSoftmax(y: number, x: number, m: number, rows: number, columns: number): void;
  lookUpRows(y: number, table: number, indices: number, count: number, rows: number, width: number): void;
  accumulateAtRows(
    dTable: number,
    dy: number,
    indices: number,
    count: number,
    rows: number,
    width: number,
    padding: number,
  ): void;
  /** Widths in elements of a row of out and of x, and of what is copied. */
  copyColumns(
    out: number,
    to: number,
    outWidth: number,
    x: number,
    from: number,
    xWidth: number,
    rows: number,
    width: number,
  ): void;
  useSimd256Tiles(on: number): void;
  /** See assembly/parallel.ts. */
  attach(attachment: number): void;
  runWorker(attachment: number, scratch: number): void;
  /** Pieces of work that worker threads did. */
  workerChunkCount(): number;
  /** Number of worker threads that sleep. */
  sleepingWorkers(): number;
  /** Must be called first. */
  initConstants(): void;
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
  /** m samples, n columns; address 0 for no derivatives. */
  perturbColumns(
    out: number,
    columns: number,
    columnIndices: number,
    steps: number,
    derivatives: number,
    derivativeIndices: number,
    perturbations: number,
    m: number,
  ): void;
  replaceColumns(
    y: number,
    rows: number,
    perturbed: number,
    columnIndices: number,
    perturbations: number,
    m: number,
    n: number,
  ): void;
  rank1Update(
    y: number,
    rows: number,
    perturbed: number,
    columns: number,
    weights: number,
    columnIndices: number,
    perturbations: number,
    m: number,
    n: number,
  ): void;
  batchedCrossEntropy(out: number, x: number, t: number, perturbations: number, m: number, n: number): void;
  negativeLogLikelihood(p: number, t: number, n: number): number;
  negativeLogLikelihoodBackward(dp: number, p: number, t: number, n: number, scale: number): void;
  binaryCrossEntropy(p: number, t: number, n: number): number;
  binaryCrossEntropyBackward(dp: number, p: number, t: number, n: number, scale: number): void;
  binaryCrossEntropyWithLogits(x: number, t: number, n: number): number;
  binaryCrossEntropyWithLogitsBackward(dx: number, x: number, t: number, n: number, scale: number): void;
  sgd(w: number, g: number, n: number, lr: number): void;
  sgdWithMomentum(w: number, g: number, v: number, n: number, lr: number, momentum: number): void;
  axpby(out: number, x: number, n: number, a: number, b: number): void;
  axpbySquared(out: number, x: number, n: number, a: number, b: number): void;
  addcdivSqrt(out: number, x: number, d: number, n: number, scale: number, eps: number): void;
  addSign(out: number, x: number, n: number, scale: number): void;
  clamp(out: number, x: number, n: number, low: number, high: number): void;
  multiply(out: number, a: number, b: number, n: number): void;
  /** f: its index in unary-functions.ts. */
  unary(y: number, x: number, n: number, f: number, a: number): void;
  unaryBackward(dx: number, dy: number, x: number, n: number, f: number, a: number): void;
  logSoftmax(y: number, x: number, m: number, n: number): void;
  logSoftmaxBackward(dx: number, dy: number, y: number, m: number, n: number): void;
  moments(result: number, x: number, n: number): void;
  /** x is [samples, channels, size], or rows; address 0 stands for an absent tensor. */
  channelMoments(mean: number, variance: number, x: number, samples: number, channels: number, size: number): void;
  normalizeChannels(
    y: number,
    x: number,
    mean: number,
    variance: number,
    weight: number,
    bias: number,
    samples: number,
    channels: number,
    size: number,
    eps: number,
  ): void;
  normalizeChannelsBackward(
    dx: number,
    dWeight: number,
    dBias: number,
    dy: number,
    x: number,
    mean: number,
    variance: number,
    weight: number,
    samples: number,
    channels: number,
    size: number,
    eps: number,
    useBatchStats: number,
  ): void;
  normalizeRows(y: number, x: number, weight: number, bias: number, rows: number, size: number, eps: number): void;
  normalizeRowsBackward(
    dx: number,
    dWeight: number,
    dBias: number,
    dy: number,
    x: number,
    weight: number,
    rows: number,
    size: number,
    eps: number,
  ): void;
  absoluteSum(x: number, n: number): number;
  sum(x: number, n: number): number;
  sumOfSquares(x: number, n: number): number;
  extremes(result: number, x: number, n: number): void;
  histogram(counts: number, bins: number, x: number, n: number, lo: number, hi: number): void;
  countOutside(counts: number, x: number, rows: number, columns: number, step: number, lo: number, hi: number): void;
  countCorrect(prediction: number, target: number, m: number, n: number, threshold: number): number;
  firstNonFinite(x: number, n: number): number;
}

export interface Memory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}

/** The part of the WebAssembly API that is used. ES2023's type library does not include it. */
interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (size: { initial: number; maximum: number; shared: boolean }) => Memory;
  readonly Instance: new (
    module: object,
    imports: { env: Readonly<Record<string, unknown>> },
  ) => { readonly exports: unknown };
}
declare const WebAssembly: WebAssemblyApi;

const BASE64_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Decodes base64. */
export function decodeBase64(base64: string): Uint8Array {
  const value = new Uint8Array(128);
  for (let i = 0; i < BASE64_ALPHABET.length; i++) value[BASE64_ALPHABET.charCodeAt(i)] = i;
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((base64.length / 4) * 3 - padding);
  for (let i = 0, at = 0; i < base64.length; i += 4) {
    const four =
      (value[base64.charCodeAt(i)]! << 18) |
      (value[base64.charCodeAt(i + 1)]! << 12) |
      (value[base64.charCodeAt(i + 2)]! << 6) |
      value[base64.charCodeAt(i + 3)]!;
    bytes[at++] = four >> 16;
    bytes[at++] = four >> 8;
    bytes[at++] = four;
  }
  return bytes;
}

/** @throws if the JavaScript engine does not support the instructions */
export const compileModule = (bytes: Uint8Array): object => new WebAssembly.Module(bytes);

export const createSharedMemory = (pages: number, maxPages: number): Memory =>
  new WebAssembly.Memory({ initial: pages, maximum: maxPages, shared: true });

/** An instance of the module on this memory. Other threads may have their own instances on it. */
export const instantiate = (module: object, memory: Memory): WasmExports =>
  new WebAssembly.Instance(module, { env: { memory } }).exports as WasmExports;

/** The function of a fused module: fills a list of float64 from an address to an end. @returns where it stopped */
export type StepFunction = (list: number, end: number, piece: number) => number;

/** Instantiates a fused module on this memory with these imported functions, and returns its `run`. */
export const instantiateStep = (module: object, memory: Memory, imports: WasmExports): StepFunction =>
  (new WebAssembly.Instance(module, { env: { ...imports, memory } }).exports as { run: StepFunction }).run;
