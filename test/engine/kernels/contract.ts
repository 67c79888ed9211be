// The contract of a kernel backend. Every backend runs these tests: describeKernels(name, create). The reference is
// slow loops in float64; bounds are multiples of the backend's rounding error.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import { MemoryPlan, type Precision, type Tensor, view } from '../../../src/engine/kernels/tensor';
import '../../support/allclose';
import { tensorFrom, tensorOf, nanTensor } from '../../support/tensors';
import { describeActivations } from './contract-activations';
import { describeImages } from './contract-images';
import { describeLossKernels } from './contract-losses';
import { describeReductions } from './contract-reductions';
import { describeSequences } from './contract-sequences';
import { describePerturbations } from './contract-perturbations';
import { describeNormalization } from './contract-normalization';
import { type CreateKernels, TensorGenerator, forShapes, roundoff, sizes } from './tensor-generator';
import { product, rowsOf, transpose } from './oracle';

export function describeKernels(name: string, create: CreateKernels): void {
  describe.each<Precision>(['float64', 'float32'])(`${name} kernels in %s`, (precision) => {
    const kernels = create(precision);

    it('name themselves', () => {
      expect(kernels.precision).toBe(precision);
      expect(kernels.backend).not.toBe('');
    });

    describeMemory(kernels);
    describeElementwise(kernels);
    describeMatmul(kernels);
    describeRows(kernels);
    describeActivations(kernels);
    describeImages(kernels);
    describeNormalization(kernels);
    describeLossKernels(kernels);
    describePerturbations(kernels);
    describeSequences(kernels);
    describeSgd(kernels);
    describeUpdates(kernels);
    describeReductions(kernels);
  });
}

function describeMemory(kernels: Kernels): void {
  it('allocate zeroed tensors of the requested shapes, without overlap', () => {
    const shapes = [[3, 5], [1], [7], [2, 2, 3], [1, 1]];
    const plan = new MemoryPlan(kernels.precision);
    for (const shape of shapes) plan.reserve(shape);
    const tensors = kernels.allocate(plan);
    expect(tensors.map(({ shape }) => shape)).toEqual(shapes);
    expect(tensors.map(({ data }) => data.length)).toEqual([15, 1, 7, 12, 1]);
    const type = kernels.precision === 'float64' ? Float64Array : Float32Array;
    for (const { data } of tensors) {
      expect(data).toBeInstanceOf(type);
      expect(data.every((x) => x === 0)).toBe(true);
    }
    tensors.forEach(({ data }, i) => data.fill(i + 1));
    tensors.forEach(({ data }, i) => expect(data.every((x) => x === i + 1)).toBe(true));
  });

  it('give every allocation its own memory', () => {
    const first = tensorFrom(kernels, [4], [1, 2, 3, 4]);
    tensorFrom(kernels, [4], [5, 6, 7, 8]);
    expect(Array.from(first.data)).toEqual([1, 2, 3, 4]);
  });
}

function describeElementwise(kernels: Kernels): void {
  const u = roundoff(kernels.precision);

  it('fill and copy exactly', () => {
    forShapes(kernels, (draw, rows, columns) => {
      const x = draw.tensor([rows, columns]);
      const out = nanTensor(kernels, [rows, columns]);
      kernels.copy(out, x);
      expect(Array.from(out.data)).toEqual(Array.from(x.data));
      kernels.fill(out, -2.5);
      expect(out.data.every((value) => value === -2.5)).toBe(true);
    });
  });

  it('scale and subtract', () => {
    forShapes(kernels, (draw, rows, columns) => {
      const a = draw.tensor([rows, columns]);
      const b = draw.tensor([rows, columns]);
      const out = nanTensor(kernels, [rows, columns]);
      kernels.scale(out, a, -1.75);
      expect(out).toBeAllclose(
        Array.from(a.data, (x) => -1.75 * x),
        { rtol: 2 * u },
      );
      kernels.multiply(out, a, b);
      expect(out).toBeAllclose(
        Array.from(a.data, (x, i) => x * b.data[i]),
        { rtol: 2 * u },
      );
      kernels.subtract(out, a, b);
      expect(out).toBeAllclose(
        Array.from(a.data, (x, i) => x - b.data[i]),
        { rtol: 2 * u },
      );
    });
  });
}

type MatmulKernel = (out: Tensor, a: Tensor, b: Tensor, accumulate: boolean) => void;

function describeMatmul(kernels: Kernels): void {
  const u = roundoff(kernels.precision);

  const products: [string, boolean, boolean, MatmulKernel][] = [
    ['matmul', false, false, (...all) => kernels.matmul(...all)],
    ['matmulTransposedA', true, false, (...all) => kernels.matmulTransposedA(...all)],
    ['matmulTransposedB', false, true, (...all) => kernels.matmulTransposedB(...all)],
  ];

  describe.each(products)('%s', (_name, transposedA, transposedB, multiply) => {
    const check = (draw: TensorGenerator, m: number, k: number, n: number, accumulate: boolean): void => {
      const a = draw.tensor(transposedA ? [k, m] : [m, k]);
      const b = draw.tensor(transposedB ? [n, k] : [k, n]);
      // Without accumulate, earlier contents must not matter, not even NaN.
      const out = accumulate ? draw.tensor([m, n]) : nanTensor(kernels, [m, n]);
      const before = Array.from(out.data);
      const left = rowsOf(a.data, a.shape[1]);
      const right = rowsOf(b.data, b.shape[1]);
      const { values, sizes } = product(transposedA ? transpose(left) : left, transposedB ? transpose(right) : right);
      multiply(out, a, b, accumulate);
      const expected = accumulate ? values.map((value, i) => before[i] + value) : values;
      const atol = sizes.map((bound, i) => 2 * (k + 2) * u * (bound + (accumulate ? Math.abs(before[i]) : 0)));
      expect(out).toBeAllclose(expected, { rtol: 2 * u, atol });
    };

    it.each([false, true])('matches three loops (accumulate %s)', (accumulate) => {
      fc.assert(
        fc.property(fc.nat(), sizes, sizes, sizes, (seed, m, k, n) => {
          check(new TensorGenerator(kernels, seed), m, k, n, accumulate);
        }),
        { numRuns: 80 },
      );
    });

    it('is correct for long and thin shapes beyond any block size', () => {
      const draw = new TensorGenerator(kernels, 1);
      check(draw, 1, 300, 1, false);
      check(draw, 129, 1, 67, true);
      check(draw, 3, 257, 131, false);
      check(draw, 1, 1, 1, true);
      check(draw, 125, 260, 521, true);
    });

    it('is exact for integers and adds to the existing values', () => {
      const a = tensorOf(
        kernels,
        transposedA
          ? [
              [1, 3],
              [2, 4],
            ]
          : [
              [1, 2],
              [3, 4],
            ],
      );
      const b = tensorOf(
        kernels,
        transposedB
          ? [
              [5, 7],
              [6, 8],
            ]
          : [
              [5, 6],
              [7, 8],
            ],
      );
      const out = tensorOf(kernels, [
        [100, 200],
        [300, 400],
      ]);
      multiply(out, a, b, true);
      expect(Array.from(out.data)).toEqual([119, 222, 343, 450]);
      multiply(out, a, b, false);
      expect(Array.from(out.data)).toEqual([19, 22, 43, 50]);
    });

    it('confines a NaN to its row or column', () => {
      const a = tensorOf(
        kernels,
        transposedA
          ? [
              [NaN, 1],
              [1, 1],
            ]
          : [
              [NaN, 1],
              [1, 1],
            ],
      );
      const b = tensorOf(kernels, [
        [0, 0],
        [0, 0],
      ]);
      const out = nanTensor(kernels, [2, 2]);
      multiply(out, a, b, false);
      // 0 times NaN is NaN: skipping zero weights would hide its origin.
      expect(Array.from(out.data)).toEqual([NaN, NaN, 0, 0]);
    });

    it('writes the leading rows of a view and leaves the rest', () => {
      const a = tensorOf(kernels, [
        [1, 2],
        [3, 4],
      ]);
      const b = tensorOf(kernels, [
        [1, 0],
        [0, 1],
      ]);
      const whole = tensorFrom(kernels, [4, 2], new Array(8).fill(-7));
      multiply(view(whole, [2, 2]), a, b, false);
      expect(Array.from(whole.data)).toEqual([...(transposedA ? [1, 3, 2, 4] : [1, 2, 3, 4]), -7, -7, -7, -7]);
    });
  });
}

function describeRows(kernels: Kernels): void {
  const u = roundoff(kernels.precision);

  it('linear is x weightᵀ, with the bias added to every row', () => {
    for (const [m, k, n] of [
      [1, 1, 1],
      [4, 2, 4],
      [32, 16, 2],
      [5, 3, 17],
      [7, 70, 130],
      [1, 300, 131],
      [50, 1, 10],
      [3, 1, 1],
    ]) {
      const draw = new TensorGenerator(kernels, m * k * n);
      const x = draw.tensor([m, k]);
      const weight = draw.tensor([n, k]);
      const bias = draw.tensor([n]);
      const { values, sizes } = product(rowsOf(x.data, k), transpose(rowsOf(weight.data, k)));
      const y = nanTensor(kernels, [m, n]);
      kernels.linear(y, x, weight, null);
      expect(y).toBeAllclose(values, { rtol: 2 * u, atol: sizes.map((bound) => 2 * (k + 2) * u * bound) });
      kernels.linear(y, x, weight, bias);
      const expected = values.map((value, i) => value + bias.data[i % n]);
      const atol = sizes.map((bound, i) => 2 * (k + 3) * u * (bound + Math.abs(bias.data[i % n])));
      expect(y).toBeAllclose(expected, { rtol: 2 * u, atol });
    }
  });

  it('addRow adds a row to every row', () => {
    forShapes(kernels, (draw, rows, columns) => {
      const out = draw.tensor([rows, columns]);
      const row = draw.tensor([columns]);
      const expected = Array.from(out.data, (x, i) => x + row.data[i % columns]);
      kernels.addRow(out, row);
      expect(out).toBeAllclose(expected, { rtol: 2 * u });
    });
  });

  it('accumulateRows adds the sum over rows to the existing values', () => {
    forShapes(kernels, (draw, rows, columns) => {
      const x = draw.tensor([rows, columns]);
      const out = draw.tensor([columns]);
      const expected = Array.from(out.data);
      const bound = Array.from(out.data, Math.abs);
      x.data.forEach((value, i) => {
        expected[i % columns] += value;
        bound[i % columns] += Math.abs(value);
      });
      kernels.accumulateRows(out, x);
      expect(out).toBeAllclose(expected, { rtol: 2 * u, atol: bound.map((b) => (rows + 2) * u * b) });
    });
  });
}

function describeSgd(kernels: Kernels): void {
  const u = roundoff(kernels.precision);

  it('sgd without momentum: w - lr g, and g is unchanged', () => {
    forShapes(kernels, (draw, rows, columns) => {
      const w = draw.tensor([rows, columns]);
      const g = draw.tensor([rows, columns]);
      const gradient = Array.from(g.data);
      const expected = Array.from(w.data, (x, i) => x - 0.1 * gradient[i]);
      kernels.sgd(w, g, null, 0.1, 0);
      expect(w).toBeAllclose(expected, { atol: 12 * u });
      expect(Array.from(g.data)).toEqual(gradient);
    });
  });

  it('sgd with momentum: v = momentum v + g, then w - lr v', () => {
    forShapes(kernels, (draw, rows, columns) => {
      const [w, g, v] = [0, 1, 2].map(() => draw.tensor([rows, columns]));
      const velocity = Array.from(v.data, (x, i) => 0.9 * x + g.data[i]);
      const expected = Array.from(w.data, (x, i) => x - 0.1 * velocity[i]);
      kernels.sgd(w, g, v, 0.1, 0.9);
      expect(v).toBeAllclose(velocity, { atol: 24 * u });
      expect(w).toBeAllclose(expected, { atol: 24 * u });
    });
  });
}

function describeUpdates(kernels: Kernels): void {
  const u = roundoff(kernels.precision);

  it('axpby, axpbySquared, addcdivSqrt, addSign and clamp are element-wise', () => {
    forShapes(kernels, (draw, rows, columns) => {
      const shape = [rows, columns];
      const x = draw.tensor(shape);
      const d = draw.probabilities(shape);
      const start = draw.tensor(shape);
      const check = (run: (out: Tensor) => void, of: (out: number, x: number, d: number) => number): void => {
        const out = tensorFrom(kernels, shape, start.data);
        run(out);
        const expected = Array.from(start.data, (value, i) => of(value, x.data[i], d.data[i]));
        expect(out).toBeAllclose(expected, { rtol: 4 * u, atol: 200 * u });
      };
      check(
        (out) => kernels.axpby(out, x, 0.25, -1.5),
        (out, a) => 0.25 * out - 1.5 * a,
      );
      check(
        (out) => kernels.axpbySquared(out, x, 0.9, 0.1),
        (out, a) => 0.9 * out + 0.1 * a ** 2,
      );
      check(
        (out) => kernels.addcdivSqrt(out, x, d, -0.5, 0.01),
        (out, a, b) => out - (0.5 * a) / (b ** 0.5 + 0.01),
      );
      check(
        (out) => kernels.addSign(out, x, 0.3),
        (out, a) => out + (a > 0 ? 0.3 : a < 0 ? -0.3 : 0),
      );
      check(
        (out) => kernels.clamp(out, x, -1, 0.5),
        (_, a) => (a < -1 ? -1 : a > 0.5 ? 0.5 : a),
      );
    });
  });

  it('allow the result to be an operand, treat the sign of 0 as 0, and propagate NaN', () => {
    const x = tensorOf(kernels, [0, -2, NaN]);
    kernels.axpby(x, x, 1, 2);
    expect(Array.from(x.data)).toEqual([0, -6, NaN]);
    kernels.addSign(x, x, 1);
    expect(Array.from(x.data)).toEqual([0, -7, NaN]);
    kernels.clamp(x, x, -1, 1);
    expect(Array.from(x.data)).toEqual([0, -1, NaN]);
  });
}
