// The part of the kernel contract for activations and their derivatives.
import { describe, expect, it } from 'vitest';
import { erfc } from '../../../src/engine/kernels/erfc';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import type { Tensor } from '../../../src/engine/kernels/tensor';
import type { UnaryKind } from '../../../src/engine/kernels/unary-functions';
import { tensorOf, nanTensor, zeros } from '../../support/tensors';
import { forShapes, roundoff } from './tensor-generator';
import { logSoftmax, rowsOf, sigmoid, softmax, sum } from './oracle';

type Forward = (y: Tensor, x: Tensor) => void;

/** dy, y (or x for relu) -> dx of one element. */
type Derivative = (dy: number, at: number) => number;

interface Activation {
  readonly name: string;
  readonly forward: Forward;
  readonly backward: (dx: Tensor, dy: Tensor, at: Tensor) => void;
  readonly f: (x: number) => number;
  readonly slope: Derivative;
  /** Largest |dx / dy|, for the rounding bound. */
  readonly steepest: number;
}

const activationsOf = (kernels: Kernels): Activation[] => [
  {
    name: 'tanh',
    forward: (y, x) => kernels.tanh(y, x),
    backward: (dx, dy, y) => kernels.tanhBackward(dx, dy, y),
    f: Math.tanh,
    slope: (dy, y) => dy * (1 - y ** 2),
    steepest: 1,
  },
  {
    name: 'sigmoid',
    forward: (y, x) => kernels.sigmoid(y, x),
    backward: (dx, dy, y) => kernels.sigmoidBackward(dx, dy, y),
    f: sigmoid,
    slope: (dy, y) => dy * (y - y ** 2),
    steepest: 1,
  },
  ...[1, 5].map((scale) => ({
    name: `relu with scale ${scale}`,
    forward: (y: Tensor, x: Tensor) => kernels.relu(y, x, scale),
    backward: (dx: Tensor, dy: Tensor, x: Tensor) => kernels.reluBackward(dx, dy, x, scale),
    f: (x: number) => scale * Math.max(x, 0),
    slope: (dy: number, x: number) => (x > 0 ? scale * dy : 0),
    steepest: scale,
  })),
];

const gelu = (x: number): number => 0.5 * x * erfc(-x / Math.SQRT2);
const geluTanh = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/** A function of the kernel `unary`, and its derivative, as formulas. */
interface UnaryCase {
  readonly f: UnaryKind;
  readonly a: number;
  readonly of: (x: number) => number;
  readonly slope: (x: number) => number;
}

const unaryCases: UnaryCase[] = [
  { f: 'leaky_relu', a: 0.1, of: (x) => Math.max(x, 0.1 * x), slope: (x) => (x > 0 ? 1 : 0.1) },
  { f: 'elu', a: 2, of: (x) => (x > 0 ? x : 2 * Math.exp(x) - 2), slope: (x) => (x > 0 ? 1 : 2 * Math.exp(x)) },
  {
    f: 'gelu',
    a: 0,
    of: gelu,
    slope: (x) => 0.5 * erfc(-x / Math.SQRT2) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
  },
  {
    f: 'gelu_tanh',
    a: 0,
    of: geluTanh,
    slope(x) {
      const t = Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3));
      return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * Math.sqrt(2 / Math.PI) * (1 + 0.134145 * x * x);
    },
  },
  { f: 'silu', a: 0, of: (x) => x * sigmoid(x), slope: (x) => sigmoid(x) + x * sigmoid(x) * (1 - sigmoid(x)) },
  { f: 'softplus', a: 3, of: (x) => Math.log(1 + Math.exp(3 * x)) / 3, slope: (x) => sigmoid(3 * x) },
];

export function describeActivations(kernels: Kernels): void {
  const u = roundoff(kernels.precision);

  describe.each(activationsOf(kernels))('$name', ({ forward, backward, f, slope, steepest }) => {
    it('matches its formula', () => {
      forShapes(kernels, (draw, rows, columns) => {
        const x = draw.tensor([rows, columns], 6);
        const y = nanTensor(kernels, [rows, columns]);
        forward(y, x);
        expect(y).toBeAllclose(Array.from(x.data, f), { rtol: 8 * u });
      });
    });

    it('has the derivative of its formula', () => {
      forShapes(kernels, (draw, rows, columns) => {
        const dy = draw.tensor([rows, columns], 2);
        const at = draw.tensor([rows, columns], 1);
        const dx = nanTensor(kernels, [rows, columns]);
        backward(dx, dy, at);
        const expected = Array.from(dy.data, (g, i) => slope(g, at.data[i]));
        expect(dx).toBeAllclose(expected, { rtol: 4 * u, atol: 16 * u * steepest });
      });
    });

    it('propagates NaN forward and backward', () => {
      const y = zeros(kernels, [5]);
      forward(y, tensorOf(kernels, [1, NaN, -1, NaN, 2]));
      expect(Array.from(y.data, Number.isNaN)).toEqual([false, true, false, true, false]);
      const dx = zeros(kernels, [2]);
      backward(dx, tensorOf(kernels, [NaN, 1]), tensorOf(kernels, [0.5, 0.5]));
      expect(Array.from(dx.data, Number.isNaN)).toEqual([true, false]);
    });

    it('stays in its range for the largest inputs', () => {
      const extremes = [-Infinity, -1e4, -700, -40, 0, 40, 700, 1e4, Infinity];
      const y = nanTensor(kernels, [extremes.length]);
      forward(y, tensorOf(kernels, extremes));
      const smallest = kernels.precision === 'float64' ? 0 : 2 ** -126;
      expect(y).toBeAllclose(extremes.map(f), { rtol: 8 * u, atol: smallest });
    });
  });

  it('has derivative 0 for relu at exactly 0 and at -0', () => {
    const dx = nanTensor(kernels, [4]);
    kernels.reluBackward(dx, tensorOf(kernels, [3, 3, 3, 3]), tensorOf(kernels, [0, -0, 1e-30, -1e-30]), 5);
    expect(Array.from(dx.data)).toEqual([0, 0, 15, 0]);
  });

  it('gives a NaN gradient for a NaN output; relu passes the gradient of a NaN input, like PyTorch', () => {
    const one = tensorOf(kernels, [1]);
    const nan = tensorOf(kernels, [NaN]);
    const dx = zeros(kernels, [1]);
    kernels.tanhBackward(dx, one, nan);
    expect(dx.data[0]).toBeNaN();
    kernels.sigmoidBackward(dx, one, nan);
    expect(dx.data[0]).toBeNaN();
    kernels.reluBackward(dx, one, nan, 5);
    expect(dx.data[0]).toBe(5);
  });

  describe.each(unaryCases)('unary $f with $a', ({ f, a, of, slope }) => {
    // The formula itself is inaccurate near 0 and for large negative x, so the bound is absolute.
    it('matches its formula', () => {
      forShapes(kernels, (draw, rows, columns) => {
        const x = draw.tensor([rows, columns], 6);
        const y = nanTensor(kernels, [rows, columns]);
        kernels.unary(y, x, f, a);
        expect(y).toBeAllclose(Array.from(x.data, of), { rtol: 8 * u, atol: 32 * u });
      });
    });

    it('has the derivative of its formula', () => {
      forShapes(kernels, (draw, rows, columns) => {
        const dy = draw.tensor([rows, columns], 2);
        const x = draw.tensor([rows, columns], 6);
        const dx = nanTensor(kernels, [rows, columns]);
        kernels.unaryBackward(dx, dy, x, f, a);
        expect(dx).toBeAllclose(
          Array.from(dy.data, (g, i) => g * slope(x.data[i])),
          { rtol: 8 * u, atol: 64 * u },
        );
      });
    });

    it('propagates NaN, and is finite for the largest inputs', () => {
      const y = zeros(kernels, [3]);
      kernels.unary(y, tensorOf(kernels, [1, NaN, -1]), f, a);
      expect(Array.from(y.data, Number.isNaN)).toEqual([false, true, false]);
      const extremes = tensorOf(kernels, [-1e4, -700, -40, 0, 40, 700, 1e4]);
      const wide = nanTensor(kernels, [7]);
      kernels.unary(wide, extremes, f, a);
      expect(wide.data.every(Number.isFinite)).toBe(true);
      kernels.unaryBackward(wide, extremes, extremes, f, a);
      expect(wide.data.every(Number.isFinite)).toBe(true);
    });
  });

  describe('logSoftmax', () => {
    it('matches its formula', () => {
      forShapes(kernels, (draw, rows, columns) => {
        const x = draw.tensor([rows, columns], 8);
        const y = nanTensor(kernels, [rows, columns]);
        kernels.logSoftmax(y, x);
        const bound = (columns + 32) * u;
        expect(y).toBeAllclose(rowsOf(x.data, columns).flatMap(logSoftmax), { rtol: bound, atol: 16 * bound });
      });
    });

    it('has the derivative of its Jacobian, δ_ij - exp(y_j)', () => {
      forShapes(kernels, (draw, rows, columns) => {
        const y = nanTensor(kernels, [rows, columns]);
        kernels.logSoftmax(y, draw.tensor([rows, columns], 4));
        const dy = draw.tensor([rows, columns], 2);
        const dx = nanTensor(kernels, [rows, columns]);
        kernels.logSoftmaxBackward(dx, dy, y);
        const upstream = rowsOf(dy.data, columns);
        const expected = rowsOf(y.data, columns).flatMap((row, i) =>
          row.map((yj, j) => sum(upstream[i].map((g, m) => g * ((m === j ? 1 : 0) - Math.exp(yj))))),
        );
        expect(dx).toBeAllclose(expected, { rtol: 4 * u, atol: 16 * (columns + 4) * u });
      });
    });

    it('stays finite at logits of ±1e4', () => {
      const y = nanTensor(kernels, [2, 2]);
      kernels.logSoftmax(
        y,
        tensorOf(kernels, [
          [1e4, -1e4],
          [0, -1e4],
        ]),
      );
      expect(Array.from(y.data)).toEqual([0, -2e4, 0, -1e4]);
    });
  });

  describe('softmax', () => {
    it('is exp over its sum, and each row sums to 1', () => {
      forShapes(kernels, (draw, rows, columns) => {
        const x = draw.tensor([rows, columns], 8);
        const y = nanTensor(kernels, [rows, columns]);
        kernels.softmax(y, x);
        expect(y).toBeAllclose(rowsOf(x.data, columns).flatMap(softmax), { rtol: (columns + 16) * u });
        for (const row of rowsOf(y.data, columns)) expect(Math.abs(sum(row) - 1)).toBeLessThan((columns + 8) * u);
      });
    });

    it('has the derivative of its Jacobian, y_i (δ_ij - y_j)', () => {
      forShapes(kernels, (draw, rows, columns) => {
        const y = nanTensor(kernels, [rows, columns]);
        kernels.softmax(y, draw.tensor([rows, columns], 4));
        const dy = draw.tensor([rows, columns], 2);
        const dx = nanTensor(kernels, [rows, columns]);
        kernels.softmaxBackward(dx, dy, y);
        const upstream = rowsOf(dy.data, columns);
        const expected = rowsOf(y.data, columns).flatMap((row, i) =>
          row.map((yj, j) => sum(row.map((yi, m) => upstream[i][m] * yi * ((m === j ? 1 : 0) - yj)))),
        );
        expect(dx).toBeAllclose(expected, { rtol: 4 * u, atol: 8 * (columns + 4) * u });
      });
    });

    it('stays finite for logits of ±1e4 and puts all mass on the largest', () => {
      const y = nanTensor(kernels, [3, 2]);
      kernels.softmax(
        y,
        tensorOf(kernels, [
          [1e4, -1e4],
          [-1e4, -1e4],
          [1e4, 1e4],
        ]),
      );
      expect(Array.from(y.data)).toEqual([1, 0, 0.5, 0.5, 0.5, 0.5]);
    });

    it('is invariant to shifting a whole row', () => {
      const y = nanTensor(kernels, [2, 3]);
      kernels.softmax(
        y,
        tensorOf(kernels, [
          [-1, 0, 1],
          [511, 512, 513],
        ]),
      );
      expect(y.data.subarray(0, 3)).toEqual(y.data.subarray(3, 6));
    });

    it('keeps a NaN within its row', () => {
      const y = nanTensor(kernels, [3, 2]);
      kernels.softmax(
        y,
        tensorOf(kernels, [
          [0, 0],
          [NaN, 1],
          [3, 3],
        ]),
      );
      expect(Array.from(y.data)).toEqual([0.5, 0.5, NaN, NaN, 0.5, 0.5]);
    });
  });
}
