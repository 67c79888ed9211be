// What is written out for a tape computes what the kernels on it do, to the bit; and what they return.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelsOf } from '../../../src/engine/kernels/create';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import type { Shape, Tensor } from '../../../src/engine/kernels/tensor';
import { Draw } from './draw';

/** Sizes with and without a rest behind whole vectors, on both sides of where loops begin. */
const size = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(16, 17, 24, 33, 50));

/** The tensors that a kernel works on, of which it may write any; it is called with m, n and k, too, in some of the shapes. */
interface Job {
  readonly shapes: (m: number, n: number, k: number) => readonly Shape[];
  readonly work: (kernels: Kernels, ...tensors: Tensor[]) => void;
}

const elements = (count: number): Job['shapes'] => (m, n) => Array.from({ length: count }, () => [m, n]);

const jobs: Readonly<Record<string, Job>> = {
  fill: { shapes: elements(1), work: (kernels, x) => kernels.fill(x, 0.1) },
  copy: { shapes: elements(2), work: (kernels, y, x) => kernels.copy(y, x) },
  scale: { shapes: elements(2), work: (kernels, y, x) => kernels.scale(y, x, 0.3) },
  subtract: { shapes: elements(3), work: (kernels, out, a, b) => kernels.subtract(out, a, b) },
  tanh: { shapes: elements(2), work: (kernels, y, x) => kernels.tanh(y, x) },
  tanhBackward: { shapes: elements(3), work: (kernels, dx, dy, y) => kernels.tanhBackward(dx, dy, y) },
  sigmoid: { shapes: elements(2), work: (kernels, y, x) => kernels.sigmoid(y, x) },
  sigmoidBackward: { shapes: elements(3), work: (kernels, dx, dy, y) => kernels.sigmoidBackward(dx, dy, y) },
  relu: { shapes: elements(2), work: (kernels, y, x) => kernels.relu(y, x, 2) },
  reluBackward: { shapes: elements(3), work: (kernels, dx, dy, x) => kernels.reluBackward(dx, dy, x, 2) },
  squaredErrorBackward: { shapes: elements(3), work: (kernels, dx, x, t) => kernels.squaredErrorBackward(dx, x, t, 0.3) },
  crossEntropyBackward: { shapes: elements(3), work: (kernels, dx, x, t) => kernels.crossEntropyBackward(dx, x, t, 0.3) },
  'crossEntropyBackward of two': { shapes: (m) => [[m, 2], [m, 2], [m, 2]], work: (kernels, dx, x, t) => kernels.crossEntropyBackward(dx, x, t, 0.3) },
  sgd: { shapes: elements(2), work: (kernels, w, g) => kernels.sgd(w, g, null, 0.1, 0) },
  'sgd with momentum': { shapes: elements(3), work: (kernels, w, g, v) => kernels.sgd(w, g, v, 0.1, 0.9) },
  combine: { shapes: elements(2), work: (kernels, out, x) => kernels.combine(out, x, 0.9, 0.1) },
  combineSquares: { shapes: elements(2), work: (kernels, out, x) => kernels.combineSquares(out, x, 0.9, 0.1) },
  addQuotient: { shapes: elements(3), work: (kernels, out, x, d) => kernels.addQuotient(out, x, d, -0.1, 1e-4) },
  accumulateRows: { shapes: (m, n) => [[n], [m, n]], work: (kernels, out, x) => kernels.accumulateRows(out, x) },
  addRow: { shapes: (m, n) => [[m, n], [n]], work: (kernels, out, row) => kernels.addRow(out, row) },
  softmax: { shapes: elements(2), work: (kernels, y, x) => kernels.softmax(y, x) },
  linear: { shapes: (m, n, k) => [[m, n], [m, k], [n, k], [n]], work: (kernels, y, x, weight, bias) => kernels.linear(y, x, weight, bias) },
  ...Object.fromEntries(
    [false, true].flatMap((add): [string, Job][] => [
      [`matmul, add ${add}`, { shapes: (m, n, k) => [[m, n], [m, k], [k, n]], work: (kernels, out, a, b) => kernels.matmul(out, a, b, add) }],
      [`matmulTransposedA, add ${add}`, { shapes: (m, n, k) => [[m, n], [k, m], [k, n]], work: (kernels, out, a, b) => kernels.matmulTransposedA(out, a, b, add) }],
      [`matmulTransposedB, add ${add}`, { shapes: (m, n, k) => [[m, n], [m, k], [n, k]], work: (kernels, out, a, b) => kernels.matmulTransposedB(out, a, b, add) }],
    ]),
  ),
};

const returning: Readonly<Record<string, (kernels: Kernels, x: Tensor, t: Tensor) => number>> = {
  squaredError: (kernels, x, t) => kernels.squaredError(x, t),
  crossEntropy: (kernels, x, t) => kernels.crossEntropy(x, t),
  binaryCrossEntropyWithLogits: (kernels, x, t) => kernels.binaryCrossEntropyWithLogits(x, t),
};

/** Numbers of all sizes, a few of them 0, infinite, or none. */
const reach = fc.constantFrom(0.01, 3, 200);
const special = fc.option(fc.constantFrom(0, -0, Infinity, -Infinity, NaN, 1e-40));

function tensorsOf(kernels: Kernels, shapes: readonly Shape[], seed: number, most: number, planted: number | null): Tensor[] {
  const draw = new Draw(kernels, seed);
  const tensors = shapes.map((shape) => draw.tensor(shape, most));
  if (planted !== null) for (const { data } of tensors) data[seed % data.length] = planted;
  return tensors;
}

/** Every NaN is as good as another. */
const bits = (tensors: readonly Tensor[]): number[][] =>
  tensors.map(({ data }) => Array.from(new Uint32Array(Float32Array.from(data, (x) => (Number.isNaN(x) ? NaN : x)).buffer)));

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('fused kernels on %s', (backend) => {
  it.each(Object.entries(jobs))('%s', (_, { shapes, work }) => {
    fc.assert(
      fc.property(fc.nat(1e6), size, size, size, reach, special, (seed, m, n, k, most, planted) => {
        const [expected, actual] = [false, true].map((fused) => {
          const kernels = kernelsOf(backend, 'float32', { fuseAfter: 0 });
          const tensors = tensorsOf(kernels, shapes(m, n, k), seed, most, planted);
          const call = (): void => work(kernels, ...tensors);
          const { once: run } = fused ? kernels.prepareAround(kernels.prepare(call), () => 0, () => undefined) : { once: call };
          run();
          // What the second time reads was written by the first.
          run();
          return bits(tensors);
        });
        expect(actual).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it.each(Object.entries(returning))('%s, around which is other work', (_, value) => {
    fc.assert(
      fc.property(fc.nat(1e6), size, fc.constantFrom(1, 2, 3), reach, special, (seed, m, n, most, planted) => {
        const [expected, actual] = [false, true].map((fused) => {
          const kernels = kernelsOf(backend, 'float32', { fuseAfter: 0 });
          const [x, t] = tensorsOf(kernels, [[m, n], [m, n]], seed, most, planted);
          const halve = (): void => kernels.scale(x, x, 0.5);
          const find = (): number => value(kernels, x, t) / 3;
          const { once: run } = fused ? kernels.prepareAround(halve, find, halve) : { once: (): number => (halve(), [find(), halve()][0] ?? NaN) };
          return [run(), run(), bits([x])];
        });
        expect(actual).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });
});

it('a number that is made of two is found by itself', () => {
  const kernels = kernelsOf('wasm-simd', 'float32', { fuseAfter: 0 });
  const [x, t] = tensorsOf(kernels, [[4, 2], [4, 2]], 1, 3, null);
  const both = (): number => kernels.squaredError(x, t) + kernels.crossEntropy(x, t);
  const before = both();
  const repeated = kernels.prepareAround(() => kernels.scale(x, x, 1), both, () => kernels.fill(x, 0));
  expect(repeated.once()).toBe(before);
  expect(Array.from(x.data)).toEqual(new Array(8).fill(0));
});
