// Kernels in vectors of 256 bits, where whoever makes kernels can have the engine join pairs of 128. That is an
// experiment of the engine's: what it makes is compared with the plain kernels, bit by bit, before it is used.
import { type Exports, instantiate, type Memory, sharedMemory } from './instance';
import type { Precision, TensorData } from './tensor';
import { unaryFunctions } from './unary';

export interface WideVectors {
  /** Does `work`, which compiles a module, with wide vectors switched on. */
  compile<T>(work: () => T): T;
  /** Milliseconds. */
  now(): number;
}

/** What is taken from the wide module: everything that is shared among threads, and nothing that is not compared below. */
export const WIDE_KERNELS = [
  'matmul', 'matmulTransposedA', 'matmulTransposedB', 'fill', 'relu', 'reluBackward', 'sgd', 'sgdWithMomentum',
  'sigmoid', 'sigmoidBackward', 'tanh', 'tanhBackward', 'unary', 'unaryBackward',
  'combine', 'combineSquares', 'addQuotient', 'addSign', 'clamp', 'multiply',
  'conv2d', 'conv2dBackwardInput', 'conv2dBackwardWeight', 'maxPool2d', 'maxPool2dBackward', 'avgPool2d', 'avgPool2dBackward',
] as const satisfies readonly (keyof Exports)[];
type WideKernel = (typeof WIDE_KERNELS)[number];

const PAGES = 128;
/** Where the compared tensors lie; above all scratch memory. */
const X = 0x100000, Y = 0x200000, Z = 0x300000, OUT = 0x400000;
/** Elements of each: so many that work on them is cut into pieces, and the last one has a rest. */
const LENGTH = 70_003;
/** Rows, columns, inner dimension: with rests of all kinds, and small ones. */
const SHAPES = [[50, 70, 300], [37, 33, 270], [62, 44, 300], [256, 70, 40], [1, 9, 13], [7, 29, 12], [300, 16, 140]] as const;

/** Images, channels, height, width; then windows: kernel, stride, padding. */
const IMAGES = [[3, 4, 19, 17], [2, 5, 8, 8], [2, 18, 9, 15]] as const;
const WINDOWS = [[5, 5, 1, 1, 2, 2], [3, 2, 2, 3, 1, 0], [2, 2, 2, 2, 0, 0]] as const;
const OUTPUTS = 13;
const UNARY = Object.keys(unaryFunctions).map((_, i) => i);

const COMPARISONS: Readonly<Record<WideKernel, readonly ((kernels: Exports) => void)[]>> = {
  matmul: SHAPES.flatMap(([m, n, k]) => [0, 1].map((add) => (kernels: Exports) => kernels.matmul(OUT, X, Y, m, n, k, add))),
  matmulTransposedA: SHAPES.flatMap(([m, n, k]) => [0, 1].map((add) => (kernels: Exports) => kernels.matmulTransposedA(OUT, X, Y, m, n, k, add))),
  matmulTransposedB: SHAPES.flatMap(([m, n, k]) => [0, Z].map((bias) => (kernels: Exports) => kernels.matmulTransposedB(OUT, X, Y, m, n, k, 0, bias))),
  fill: sizes((kernels, n) => kernels.fill(OUT, n, 1.5)),
  relu: sizes((kernels, n) => kernels.relu(OUT, X, n, 5)),
  reluBackward: sizes((kernels, n) => kernels.reluBackward(OUT, Y, X, n, 5)),
  sgd: sizes((kernels, n) => kernels.sgd(OUT, X, n, 0.1)),
  sgdWithMomentum: sizes((kernels, n) => kernels.sgdWithMomentum(OUT, X, Z, n, 0.1, 0.9)),
  sigmoid: sizes((kernels, n) => kernels.sigmoid(OUT, X, n)),
  sigmoidBackward: sizes((kernels, n) => kernels.sigmoidBackward(OUT, X, Y, n)),
  tanh: sizes((kernels, n) => kernels.tanh(OUT, X, n)),
  tanhBackward: sizes((kernels, n) => kernels.tanhBackward(OUT, X, Y, n)),
  unary: UNARY.flatMap((f) => sizes((kernels, n) => kernels.unary(OUT, X, n, f, 0.5))),
  unaryBackward: UNARY.flatMap((f) => sizes((kernels, n) => kernels.unaryBackward(OUT, Y, X, n, f, 0.5))),
  combine: sizes((kernels, n) => kernels.combine(OUT, X, n, 0.9, 0.1)),
  combineSquares: sizes((kernels, n) => kernels.combineSquares(OUT, X, n, 0.9, 0.1)),
  addQuotient: sizes((kernels, n) => kernels.addQuotient(OUT, X, Y, n, 0.1, 1e-8)),
  addSign: sizes((kernels, n) => kernels.addSign(OUT, X, n, 0.1)),
  clamp: sizes((kernels, n) => kernels.clamp(OUT, X, n, -1, 2)),
  multiply: sizes((kernels, n) => kernels.multiply(OUT, X, Y, n)),
  conv2d: overImages((kernels, [n, c, h, w], window) => kernels.conv2d(OUT, X, Y, Z, n, c, h, w, OUTPUTS, ...window)),
  conv2dBackwardInput: overImages((kernels, [n, c, h, w], window) => kernels.conv2dBackwardInput(OUT, X, Y, Z, n, c, h, w, OUTPUTS, ...window)),
  conv2dBackwardWeight: overImages((kernels, [n, c, h, w], window) => kernels.conv2dBackwardWeight(OUT, Z, X, Y, n, c, h, w, OUTPUTS, ...window)),
  maxPool2d: overImages((kernels, [n, c, h, w], window) => kernels.maxPool2d(OUT, X, n * c, h, w, ...window)),
  maxPool2dBackward: overImages((kernels, [n, c, h, w], window) => kernels.maxPool2dBackward(OUT, Y, X, n * c, h, w, ...window)),
  avgPool2d: overImages((kernels, [n, c, h, w], window) => kernels.avgPool2d(OUT, X, n * c, h, w, ...window, 1)),
  avgPool2dBackward: overImages((kernels, [n, c, h, w], window) => kernels.avgPool2dBackward(OUT, X, n * c, h, w, ...window, 0)),
};

type OverImages = (kernels: Exports, images: (typeof IMAGES)[number], window: (typeof WINDOWS)[number]) => void;

function overImages(work: OverImages): ((kernels: Exports) => void)[] {
  return IMAGES.flatMap((images) => WINDOWS.map((window) => (kernels: Exports) => work(kernels, images, window)));
}

function sizes(work: (kernels: Exports, n: number) => void): ((kernels: Exports) => void)[] {
  return [7, LENGTH].map((n) => (kernels) => work(kernels, n));
}

/** By who compiles, and by the name of the module: comparing takes a tenth of a second. */
const known = new WeakMap<WideVectors, Map<string, object | null>>();

/**
 * The module with wide vectors; null where the engine has none, gains nothing, or computes anything else than with narrow ones.
 * @param compile a module of its own from the same source as `plain`
 */
export function wideModule(name: string, precision: Precision, vectors: WideVectors, plain: object, compile: () => object): object | null {
  let modules = known.get(vectors);
  if (!modules) known.set(vectors, (modules = new Map()));
  let found = modules.get(name);
  if (found === undefined) modules.set(name, (found = tried(precision, vectors, plain, compile)));
  return found;
}

function tried(precision: Precision, vectors: WideVectors, plain: object, compile: () => object): object | null {
  try {
    const module = vectors.compile(compile);
    const memory = sharedMemory(PAGES, PAGES);
    const [narrow, wide] = [plain, module].map((each) => instantiate(each, memory));
    narrow.prepareConstants();
    wide.useWideTiles(1);
    return agree(narrow, wide, memory, precision) && isFaster(wide, vectors.now) ? module : null;
  } catch {
    // What cannot be compiled is not used.
    return null;
  }
}

/** Numbers of all sizes and signs: a few are 0, infinite, NaN or below the smallest normal number. */
function numbers(precision: Precision, n: number): Float64Array {
  const special = [0, -0, Infinity, -Infinity, NaN, 1e-310, 1e-40, -1e-41, 88, -88, 710, -746, 1e30];
  let state = 12345;
  return Float64Array.from({ length: n }, (_, i) => {
    state = (state * 48271) % 2147483647;
    // Few enough that most sums stay finite.
    return i % 9973 === 9972 ? special[((i + 1) / 9973) % special.length] : (state / 2147483647 - 0.5) * (precision === 'float64' ? 6 : 5);
  });
}

/** Whether both compute the same bits; any NaN is as good as another. */
export function agree(narrow: Exports, wide: Exports, memory: Memory, precision: Precision): boolean {
  const view = (from: number): TensorData =>
    precision === 'float64' ? new Float64Array(memory.buffer, from, LENGTH) : new Float32Array(memory.buffer, from, LENGTH);
  const values = numbers(precision, LENGTH + 3);
  [X, Y].forEach((from, i) => view(from).set(values.slice(i, LENGTH + i)));
  // What kernels write to as well as read.
  const before = [values.slice(2, LENGTH + 2), values.slice(3)];
  const out = view(OUT);
  const after = (work: (kernels: Exports) => void, kernels: Exports): TensorData => {
    [Z, OUT].forEach((from, i) => view(from).set(before[i]));
    work(kernels);
    return out.slice();
  };
  return WIDE_KERNELS.every((name) =>
    COMPARISONS[name].every((work) => {
      const expected = after(work, narrow);
      return after(work, wide).every((value, i) => Object.is(value, expected[i]));
    }),
  );
}

/** Whether its wide tiles are clearly faster than its narrow ones: without instructions of 256 bits they are slower. */
function isFaster(kernels: Exports, now: () => number): boolean {
  const least = (wide: number): number => {
    kernels.useWideTiles(wide);
    const times = Array.from({ length: 5 }, () => {
      const start = now();
      kernels.matmulTransposedB(OUT, X, Y, 48, 256, 512, 0, 0);
      return now() - start;
    });
    return Math.min(...times);
  };
  return least(0) > 1.1 * least(1);
}
