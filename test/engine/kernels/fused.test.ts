// Fused code computes the same as the kernels of its trace, bit by bit, and returns the same values.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBackend } from '../../../src/engine/kernels/create-kernels';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import type { Shape, Tensor } from '../../../src/engine/kernels/tensor';
import { TensorGenerator } from './tensor-generator';

/** Sizes with and without leftovers after whole vectors, on both sides of the thresholds for loops. */
const size = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(16, 17, 24, 33, 50));

/** The tensors of a kernel, any of which it may write; it is also called with m, n and k in some of the shapes. */
interface FusedCase {
  readonly shapes: (m: number, n: number, k: number) => readonly Shape[];
  readonly work: (kernels: Kernels, ...tensors: Tensor[]) => void;
}

const elements =
  (count: number): FusedCase['shapes'] =>
  (m, n) =>
    Array.from({ length: count }, () => [m, n]);

const fusedCases: Readonly<Record<string, FusedCase>> = {
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
  squaredErrorBackward: {
    shapes: elements(3),
    work: (kernels, dx, x, t) => kernels.squaredErrorBackward(dx, x, t, 0.3),
  },
  crossEntropyBackward: {
    shapes: elements(3),
    work: (kernels, dx, x, t) => kernels.crossEntropyBackward(dx, x, t, 0.3),
  },
  'crossEntropyBackward of two': {
    shapes: (m) => [
      [m, 2],
      [m, 2],
      [m, 2],
    ],
    work: (kernels, dx, x, t) => kernels.crossEntropyBackward(dx, x, t, 0.3),
  },
  sgd: { shapes: elements(2), work: (kernels, w, g) => kernels.sgd(w, g, null, 0.1, 0) },
  'sgd with momentum': { shapes: elements(3), work: (kernels, w, g, v) => kernels.sgd(w, g, v, 0.1, 0.9) },
  axpby: { shapes: elements(2), work: (kernels, out, x) => kernels.axpby(out, x, 0.9, 0.1) },
  axpbySquared: { shapes: elements(2), work: (kernels, out, x) => kernels.axpbySquared(out, x, 0.9, 0.1) },
  addcdivSqrt: { shapes: elements(3), work: (kernels, out, x, d) => kernels.addcdivSqrt(out, x, d, -0.1, 1e-4) },
  accumulateRows: { shapes: (m, n) => [[n], [m, n]], work: (kernels, out, x) => kernels.accumulateRows(out, x) },
  addRow: { shapes: (m, n) => [[m, n], [n]], work: (kernels, out, row) => kernels.addRow(out, row) },
  softmax: { shapes: elements(2), work: (kernels, y, x) => kernels.softmax(y, x) },
  linear: {
    shapes: (m, n, k) => [[m, n], [m, k], [n, k], [n]],
    work: (kernels, y, x, weight, bias) => kernels.linear(y, x, weight, bias),
  },
  ...Object.fromEntries(
    [false, true].flatMap((add): [string, FusedCase][] => [
      [
        `matmul, add ${add}`,
        {
          shapes: (m, n, k) => [
            [m, n],
            [m, k],
            [k, n],
          ],
          work: (kernels, out, a, b) => kernels.matmul(out, a, b, add),
        },
      ],
      [
        `matmulTransposedA, add ${add}`,
        {
          shapes: (m, n, k) => [
            [m, n],
            [k, m],
            [k, n],
          ],
          work: (kernels, out, a, b) => kernels.matmulTransposedA(out, a, b, add),
        },
      ],
      [
        `matmulTransposedB, add ${add}`,
        {
          shapes: (m, n, k) => [
            [m, n],
            [m, k],
            [n, k],
          ],
          work: (kernels, out, a, b) => kernels.matmulTransposedB(out, a, b, add),
        },
      ],
    ]),
  ),
};

const scalarCases: Readonly<Record<string, (kernels: Kernels, x: Tensor, t: Tensor) => number>> = {
  squaredError: (kernels, x, t) => kernels.squaredError(x, t),
  crossEntropy: (kernels, x, t) => kernels.crossEntropy(x, t),
  binaryCrossEntropyWithLogits: (kernels, x, t) => kernels.binaryCrossEntropyWithLogits(x, t),
};

/** Numbers of all magnitudes; a few are 0, infinite or NaN. */
const limit = fc.constantFrom(0.01, 3, 200);
const specialValue = fc.option(fc.constantFrom(0, -0, Infinity, -Infinity, NaN, 1e-40));

function drawTensors(
  kernels: Kernels,
  shapes: readonly Shape[],
  seed: number,
  most: number,
  planted: number | null,
): Tensor[] {
  const draw = new TensorGenerator(kernels, seed);
  const tensors = shapes.map((shape) => draw.tensor(shape, most));
  if (planted !== null) for (const { data } of tensors) data[seed % data.length] = planted;
  return tensors;
}

/** All NaNs are equal. */
const bits = (tensors: readonly Tensor[]): number[][] =>
  tensors.map(({ data }) =>
    Array.from(new Uint32Array(Float32Array.from(data, (x) => (Number.isNaN(x) ? NaN : x)).buffer)),
  );

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('fused kernels on %s', (backend) => {
  it.each(Object.entries(fusedCases))('%s', (_, { shapes, work }) => {
    fc.assert(
      fc.property(fc.nat(1e6), size, size, size, limit, specialValue, (seed, m, n, k, most, planted) => {
        const [expected, actual] = [false, true].map((fused) => {
          const kernels = createBackend(backend, 'float32', { fuseAfter: 0 });
          const tensors = drawTensors(kernels, shapes(m, n, k), seed, most, planted);
          const call = (): void => work(kernels, ...tensors);
          const { run } = fused
            ? kernels.traceStep(
                kernels.trace(call),
                () => 0,
                () => undefined,
              )
            : { run: call };
          run();
          // The second run reads what the first one wrote.
          run();
          return bits(tensors);
        });
        expect(actual).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it.each(Object.entries(scalarCases))('%s, surrounded by other work', (_, value) => {
    fc.assert(
      fc.property(fc.nat(1e6), size, fc.constantFrom(1, 2, 3), limit, specialValue, (seed, m, n, most, planted) => {
        const [expected, actual] = [false, true].map((fused) => {
          const kernels = createBackend(backend, 'float32', { fuseAfter: 0 });
          const [x, t] = drawTensors(
            kernels,
            [
              [m, n],
              [m, n],
            ],
            seed,
            most,
            planted,
          );
          const halve = (): void => kernels.scale(x, x, 0.5);
          const find = (): number => value(kernels, x, t) / 3;
          const { run } = fused
            ? kernels.traceStep(halve, find, halve)
            : { run: (): number => (halve(), [find(), halve()][0] ?? NaN) };
          return [run(), run(), bits([x])];
        });
        expect(actual).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });
});

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('reductions that a compiled step keeps on %s', (backend) => {
  const STEPS = 3;
  const kinds = ['sum', 'sumOfSquares', 'least', 'largest', 'magnitude', 'nan'] as const;

  it('are the numbers of the kernels, for each of the steps of a call', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.integer({ min: 1, max: 150 }), limit, specialValue, (seed, n, most, planted) => {
        const kernels = createBackend(backend, 'float32', { fuseAfter: 0 });
        const [all, x, y, t] = drawTensors(
          kernels,
          [
            [STEPS, n],
            [1, n],
            [1, n],
            [1, n],
          ],
          seed,
          most,
          planted,
        );
        // The loss must stay finite, since repeating ends where it does not.
        t.data.set(y.data.map((value) => (Number.isFinite(value) ? value : 0)));
        const step = kernels.traceStep(
          () => kernels.scale(y, x, -1),
          () => kernels.squaredError(t, t),
          () => undefined,
          { inputStreams: () => [{ to: x, from: all }], reductions: kinds.map((kind) => ({ kind, tensor: y })) },
        );
        step.run();
        const done = step.repeat!(0, STEPS, new Float64Array(STEPS));
        expect(done).toBe(STEPS);
        const readers = kinds.map((kind, i) => step.observed!.reader(kind, i));
        for (let row = 0; row < STEPS; row++) {
          kernels.scale(y, { shape: [1, n], data: all.data.subarray(row * n, (row + 1) * n) }, -1);
          const { min, max } = kernels.extremes(y);
          const expected = [
            kernels.sum(y),
            kernels.sumOfSquares(y),
            min,
            max,
            Math.max(...y.data.map(Math.abs)),
            Number(y.data.some(Number.isNaN)),
          ];
          expect(readers.map((read) => read(row))).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });
});

it('recognizes a number that is computed from two', () => {
  const kernels = createBackend('wasm-simd', 'float32', { fuseAfter: 0 });
  const [x, t] = drawTensors(
    kernels,
    [
      [4, 2],
      [4, 2],
    ],
    1,
    3,
    null,
  );
  const both = (): number => kernels.squaredError(x, t) + kernels.crossEntropy(x, t);
  const before = both();
  const repeated = kernels.traceStep(
    () => kernels.scale(x, x, 1),
    both,
    () => kernels.fill(x, 0),
  );
  expect(repeated.run()).toBe(before);
  expect(Array.from(x.data)).toEqual(new Array(8).fill(0));
});
