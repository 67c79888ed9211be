// Kernels with 256-bit vectors, if the caller can make V8 join pairs of 128-bit vectors. This is an experimental
// feature, so its results are compared with the plain kernels, bit by bit, before they are used.
import { type WasmExports, instantiate, type Memory, createSharedMemory } from './wasm-instance';
import type { Precision, TensorData } from './tensor';
import { unaryFunctions } from './unary-functions';

export interface Simd256Compiler {
  /** Runs `work`, which compiles a module, with 256-bit vectors enabled. */
  compile<T>(work: () => T): T;
  /** Milliseconds. */
  now(): number;
}

/** The kernels that are used from the 256-bit module: those that threads share, all of which are compared below. */
export const SIMD256_KERNELS = [
  'matmul',
  'matmulTransposedA',
  'matmulTransposedB',
  'fill',
  'relu',
  'reluBackward',
  'sgd',
  'sgdWithMomentum',
  'sigmoid',
  'sigmoidBackward',
  'tanh',
  'tanhBackward',
  'headProducts',
  'headSums',
  'headSumsTransposed',
  'causalSoftmax',
  'normalizeRows',
  'batchedCrossEntropy',
  'unary',
  'unaryBackward',
  'axpby',
  'axpbySquared',
  'addcdivSqrt',
  'addSign',
  'clamp',
  'multiply',
  'conv2d',
  'conv2dBackwardInput',
  'conv2dBackwardWeight',
  'maxPool2d',
  'maxPool2dBackward',
  'avgPool2d',
  'avgPool2dBackward',
] as const satisfies readonly (keyof WasmExports)[];
type Simd256Kernel = (typeof SIMD256_KERNELS)[number];

const PAGES = 128;
/** Addresses of the compared tensors, above all scratch memory. */
const X = 0x100000,
  Y = 0x200000,
  Z = 0x300000,
  OUT = 0x400000;
/** Elements of each: enough for several pieces, the last of them incomplete. */
const LENGTH = 70_003;
/** Rows, columns, inner dimension: with all kinds of remainders, and small sizes. */
const SHAPES = [
  [50, 70, 300],
  [37, 33, 270],
  [62, 44, 300],
  [256, 70, 40],
  [1, 9, 13],
  [7, 29, 12],
  [300, 16, 140],
] as const;

/** Samples, heads, rows, columns, features. */
const HEADS: readonly (readonly [number, number, number, number, number])[] = [
  [2, 3, 21, 18, 27],
  [4, 2, 32, 32, 64],
];

/** Images, channels, height, width; then windows: kernel, stride, padding. */
const IMAGES = [
  [3, 4, 19, 17],
  [2, 5, 8, 8],
  [2, 18, 9, 15],
] as const;
const WINDOWS = [
  [5, 5, 1, 1, 2, 2],
  [3, 2, 2, 3, 1, 0],
  [2, 2, 2, 2, 0, 0],
] as const;
const OUTPUTS = 13;
const UNARY = Object.keys(unaryFunctions).map((_, i) => i);

const COMPARISONS: Readonly<Record<Simd256Kernel, readonly ((kernels: WasmExports) => void)[]>> = {
  matmul: SHAPES.flatMap(([m, n, k]) =>
    [0, 1].map((add) => (kernels: WasmExports) => kernels.matmul(OUT, X, Y, m, n, k, add)),
  ),
  matmulTransposedA: SHAPES.flatMap(([m, n, k]) =>
    [0, 1].map((add) => (kernels: WasmExports) => kernels.matmulTransposedA(OUT, X, Y, m, n, k, add)),
  ),
  matmulTransposedB: SHAPES.flatMap(([m, n, k]) =>
    [0, Z].map((bias) => (kernels: WasmExports) => kernels.matmulTransposedB(OUT, X, Y, m, n, k, 0, bias)),
  ),
  fill: sizes((kernels, n) => kernels.fill(OUT, n, 1.5)),
  relu: sizes((kernels, n) => kernels.relu(OUT, X, n, 5)),
  reluBackward: sizes((kernels, n) => kernels.reluBackward(OUT, Y, X, n, 5)),
  sgd: sizes((kernels, n) => kernels.sgd(OUT, X, n, 0.1)),
  sgdWithMomentum: sizes((kernels, n) => kernels.sgdWithMomentum(OUT, X, Z, n, 0.1, 0.9)),
  sigmoid: sizes((kernels, n) => kernels.sigmoid(OUT, X, n)),
  sigmoidBackward: sizes((kernels, n) => kernels.sigmoidBackward(OUT, X, Y, n)),
  tanh: sizes((kernels, n) => kernels.tanh(OUT, X, n)),
  tanhBackward: sizes((kernels, n) => kernels.tanhBackward(OUT, X, Y, n)),
  headProducts: HEADS.map((shape) => (kernels: WasmExports) => kernels.headProducts(OUT, X, Y, ...shape, 0.3)),
  headSums: HEADS.map((shape) => (kernels: WasmExports) => kernels.headSums(OUT, X, Y, ...shape, 0.3)),
  headSumsTransposed: HEADS.map(
    (shape) => (kernels: WasmExports) => kernels.headSumsTransposed(OUT, X, Y, ...shape, 0.3),
  ),
  causalSoftmax: [
    [300, 20, 37],
    [150, 50, 9],
  ].map(
    ([m, rows, columns]) =>
      (kernels: WasmExports) =>
        kernels.causalSoftmax(OUT, X, m!, rows!, columns!),
  ),
  normalizeRows: [
    [1000, 64],
    [37, 9],
  ].map(
    ([rows, size]) =>
      (kernels: WasmExports) =>
        kernels.normalizeRows(OUT, X, Y, Z, rows!, size!, 1e-5),
  ),
  batchedCrossEntropy: [
    [30, 7, 65],
    [5, 3, 2],
  ].map(
    ([count, m, n]) =>
      (kernels: WasmExports) =>
        kernels.batchedCrossEntropy(OUT, X, Y, count!, m!, n!),
  ),
  unary: UNARY.flatMap((f) => sizes((kernels, n) => kernels.unary(OUT, X, n, f, 0.5))),
  unaryBackward: UNARY.flatMap((f) => sizes((kernels, n) => kernels.unaryBackward(OUT, Y, X, n, f, 0.5))),
  axpby: sizes((kernels, n) => kernels.axpby(OUT, X, n, 0.9, 0.1)),
  axpbySquared: sizes((kernels, n) => kernels.axpbySquared(OUT, X, n, 0.9, 0.1)),
  addcdivSqrt: sizes((kernels, n) => kernels.addcdivSqrt(OUT, X, Y, n, 0.1, 1e-8)),
  addSign: sizes((kernels, n) => kernels.addSign(OUT, X, n, 0.1)),
  clamp: sizes((kernels, n) => kernels.clamp(OUT, X, n, -1, 2)),
  multiply: sizes((kernels, n) => kernels.multiply(OUT, X, Y, n)),
  conv2d: forImages((kernels, [n, c, h, w], window) => kernels.conv2d(OUT, X, Y, Z, n, c, h, w, OUTPUTS, ...window)),
  conv2dBackwardInput: forImages((kernels, [n, c, h, w], window) =>
    kernels.conv2dBackwardInput(OUT, X, Y, Z, n, c, h, w, OUTPUTS, ...window),
  ),
  conv2dBackwardWeight: forImages((kernels, [n, c, h, w], window) =>
    kernels.conv2dBackwardWeight(OUT, Z, X, Y, n, c, h, w, OUTPUTS, ...window),
  ),
  maxPool2d: forImages((kernels, [n, c, h, w], window) => kernels.maxPool2d(OUT, X, n * c, h, w, ...window)),
  maxPool2dBackward: forImages((kernels, [n, c, h, w], window) =>
    kernels.maxPool2dBackward(OUT, Y, X, n * c, h, w, ...window),
  ),
  avgPool2d: forImages((kernels, [n, c, h, w], window) => kernels.avgPool2d(OUT, X, n * c, h, w, ...window, 1)),
  avgPool2dBackward: forImages((kernels, [n, c, h, w], window) =>
    kernels.avgPool2dBackward(OUT, X, n * c, h, w, ...window, 0),
  ),
};

type ImageKernelCall = (
  kernels: WasmExports,
  images: (typeof IMAGES)[number],
  window: (typeof WINDOWS)[number],
) => void;

function forImages(work: ImageKernelCall): ((kernels: WasmExports) => void)[] {
  return IMAGES.flatMap((images) => WINDOWS.map((window) => (kernels: WasmExports) => work(kernels, images, window)));
}

function sizes(work: (kernels: WasmExports, n: number) => void): ((kernels: WasmExports) => void)[] {
  return [7, LENGTH].map((n) => (kernels) => work(kernels, n));
}

/** Modules, keyed by compiler and name; kept because comparing takes a tenth of a second. */
const moduleCache = new WeakMap<Simd256Compiler, Map<string, object | null>>();

/**
 * The module with 256-bit vectors; null if they are not supported, not faster, or give other bits.
 * @param compile a new module from the same source as `plain`
 */
export function simd256Module(
  name: string,
  precision: Precision,
  compiler: Simd256Compiler,
  narrowModule: object,
  compile: () => object,
): object | null {
  let modules = moduleCache.get(compiler);
  if (!modules) moduleCache.set(compiler, (modules = new Map<string, object | null>()));
  let found = modules.get(name);
  if (found === undefined) modules.set(name, (found = compileIfUseful(precision, compiler, narrowModule, compile)));
  return found;
}

function compileIfUseful(
  precision: Precision,
  compiler: Simd256Compiler,
  narrowModule: object,
  compile: () => object,
): object | null {
  try {
    const module = compiler.compile(compile);
    const memory = createSharedMemory(PAGES, PAGES);
    const [narrow, wide] = [narrowModule, module].map((each) => instantiate(each, memory)) as [
      WasmExports,
      WasmExports,
    ];
    narrow.initConstants();
    wide.useSimd256Tiles(1);
    return bitwiseEqual(narrow, wide, memory, precision) && isFaster(wide, compiler.now) ? module : null;
  } catch {
    // A module that does not compile is not used.
    return null;
  }
}

/** Numbers of all magnitudes and both signs; a few are 0, infinite, NaN or subnormal. */
function testValues(precision: Precision, n: number): Float64Array {
  const special = [0, -0, Infinity, -Infinity, NaN, 1e-310, 1e-40, -1e-41, 88, -88, 710, -746, 1e30];
  let state = 12345;
  return Float64Array.from({ length: n }, (_, i) => {
    state = (state * 48271) % 2147483647;
    // Few enough that most sums stay finite.
    return i % 9973 === 9972
      ? special[((i + 1) / 9973) % special.length]!
      : (state / 2147483647 - 0.5) * (precision === 'float64' ? 6 : 5);
  });
}

/** Whether both compute the same bits; all NaNs are equal. */
export function bitwiseEqual(narrow: WasmExports, wide: WasmExports, memory: Memory, precision: Precision): boolean {
  const view = (from: number): TensorData =>
    precision === 'float64'
      ? new Float64Array(memory.buffer, from, LENGTH)
      : new Float32Array(memory.buffer, from, LENGTH);
  const values = testValues(precision, LENGTH + 3);
  [X, Y].forEach((from, i) => view(from).set(values.slice(i, LENGTH + i)));
  // The tensors that kernels both read and write.
  const before = [values.slice(2, LENGTH + 2), values.slice(3)];
  const out = view(OUT);
  const after = (work: (kernels: WasmExports) => void, kernels: WasmExports): TensorData => {
    [Z, OUT].forEach((from, i) => view(from).set(before[i]!));
    work(kernels);
    return out.slice();
  };
  return SIMD256_KERNELS.every((name) =>
    COMPARISONS[name].every((work) => {
      const expected = after(work, narrow);
      return after(work, wide).every((value, i) => Object.is(value, expected[i]));
    }),
  );
}

/**
 * Whether its 256-bit tiles are clearly faster than its 128-bit tiles; without 256-bit instructions, they are slower.
 */
function isFaster(kernels: WasmExports, now: () => number): boolean {
  const fastestTime = (wide: number): number => {
    kernels.useSimd256Tiles(wide);
    const times = Array.from({ length: 5 }, () => {
      const start = now();
      kernels.matmulTransposedB(OUT, X, Y, 48, 256, 512, 0, 0);
      return now() - start;
    });
    return Math.min(...times);
  };
  return fastestTime(0) > 1.1 * fastestTime(1);
}
