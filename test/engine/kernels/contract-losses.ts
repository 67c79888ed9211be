// The part of the kernel contract for losses: sums over the batch, and their derivatives.
import { describe, expect, it } from 'vitest';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import type { Tensor } from '../../../src/engine/kernels/tensor';
import { tensorOf, nanTensor } from '../../support/tensors';
import { type TensorGenerator, forShapes, roundoff } from './tensor-generator';
import { logSoftmax, rowsOf, sigmoid, softmax, sum } from './oracle';

interface LossKernel {
  readonly name: string;
  readonly value: (x: Tensor, t: Tensor) => number;
  readonly backward: (dx: Tensor, x: Tensor, t: Tensor, scale: number) => void;
  readonly predictions: (draw: TensorGenerator, rows: number, columns: number) => Tensor;
  readonly targets: (draw: TensorGenerator, rows: number, columns: number) => Tensor;
  /** The terms that are summed. */
  readonly terms: (x: number[], t: number[]) => number[];
  /** The derivative of a row. */
  readonly slopes: (x: number[], t: number[]) => number[];
}

const randomTensor = (draw: TensorGenerator, rows: number, columns: number): Tensor => draw.tensor([rows, columns]);
const probabilities = (draw: TensorGenerator, rows: number, columns: number): Tensor =>
  draw.probabilities([rows, columns]);
const oneHot = (draw: TensorGenerator, rows: number, columns: number): Tensor => draw.oneHot(rows, columns);

const lossKernels = (kernels: Kernels): LossKernel[] => [
  {
    name: 'squaredError',
    value: (x, t) => kernels.squaredError(x, t),
    backward: (...all) => kernels.squaredErrorBackward(...all),
    predictions: randomTensor,
    targets: randomTensor,
    terms: (x, t) => x.map((value, i) => (value - t[i]) ** 2),
    slopes: (x, t) => x.map((value, i) => 2 * (value - t[i])),
  },
  {
    name: 'pointwiseLoss, absolute_error',
    value: (x, t) => kernels.pointwiseLoss(x, t, 'absolute_error', 0),
    backward: (dx, x, t, scale) => kernels.pointwiseLossBackward(dx, x, t, 'absolute_error', 0, scale),
    predictions: randomTensor,
    targets: randomTensor,
    terms: (x, t) => x.map((value, i) => Math.abs(value - t[i])),
    slopes: (x, t) => x.map((value, i) => (value > t[i] ? 1 : -1)),
  },
  {
    name: 'pointwiseLoss, huber',
    value: (x, t) => kernels.pointwiseLoss(x, t, 'huber', 1.5),
    backward: (dx, x, t, scale) => kernels.pointwiseLossBackward(dx, x, t, 'huber', 1.5, scale),
    predictions: randomTensor,
    targets: randomTensor,
    terms: (x, t) =>
      x.map((value, i) => {
        const d = Math.abs(value - t[i]);
        return d > 1.5 ? 1.5 * d - 1.125 : d ** 2 / 2;
      }),
    slopes: (x, t) => x.map((value, i) => Math.max(-1.5, Math.min(1.5, value - t[i]))),
  },
  ...[1, 2].map((power): LossKernel => {
    const f = power === 1 ? 'hinge' : 'squared_hinge';
    const missing = (x: number[], t: number[]) => x.map((value, i) => Math.max(0, 0.5 - (2 * t[i] - 1) * value));
    return {
      name: `pointwiseLoss, ${f}`,
      value: (x, t) => kernels.pointwiseLoss(x, t, f, 0.5),
      backward: (dx, x, t, scale) => kernels.pointwiseLossBackward(dx, x, t, f, 0.5, scale),
      predictions: randomTensor,
      targets: probabilities,
      terms: (x, t) => missing(x, t).map((m) => m ** power),
      slopes: (x, t) => missing(x, t).map((m, i) => (m > 0 ? power * m ** (power - 1) * (1 - 2 * t[i]) : 0)),
    };
  }),
  ...([1, 2] as const).flatMap((p) =>
    [oneHot, probabilities].map((targets, soft): LossKernel => {
      const missing = (x: number[], c: number, i: number) => (i === c ? 0 : Math.max(0, 1.25 - x[c] + x[i]));
      // The derivative of the term (c, i), for i and with opposite sign for c.
      const slope = (x: number[], c: number, i: number) => (missing(x, c, i) > 0 ? p * missing(x, c, i) ** (p - 1) : 0);
      return {
        name: `multiMargin with p ${p} and ${soft ? 'soft' : 'hard'} targets`,
        value: (x, t) => kernels.multiMargin(x, t, p, 1.25),
        backward: (dx, x, t, scale) => kernels.multiMarginBackward(dx, x, t, p, 1.25, scale),
        predictions: randomTensor,
        targets,
        terms: (x, t) => t.flatMap((weight, c) => x.map((_, i) => (weight * missing(x, c, i) ** p) / x.length)),
        slopes: (x, t) =>
          x.map((_, j) =>
            sum(
              t.map(
                (weight, c) =>
                  (weight * (slope(x, c, j) - (c === j ? sum(x.map((__, i) => slope(x, c, i))) : 0))) / x.length,
              ),
            ),
          ),
      };
    }),
  ),
  ...[oneHot, probabilities].map((targets, soft): LossKernel => ({
    name: `crossEntropy with ${soft ? 'soft' : 'hard'} targets`,
    value: (x, t) => kernels.crossEntropy(x, t),
    backward: (...all) => kernels.crossEntropyBackward(...all),
    predictions: randomTensor,
    targets,
    terms: (x, t) => logSoftmax(x).map((log, i) => -t[i] * log),
    slopes: (x, t) => softmax(x).map((p, i) => p * sum(t) - t[i]),
  })),
  ...[oneHot, probabilities].map((targets, soft): LossKernel => ({
    name: `negativeLogLikelihood with ${soft ? 'soft' : 'hard'} targets`,
    value: (x, t) => kernels.negativeLogLikelihood(x, t),
    backward: (...all) => kernels.negativeLogLikelihoodBackward(...all),
    predictions: probabilities,
    targets,
    terms: (p, t) => p.map((value, i) => -t[i] * Math.log(value)),
    slopes: (p, t) => p.map((value, i) => -t[i] / value),
  })),
  ...[oneHot, probabilities].map((targets, soft): LossKernel => ({
    name: `binaryCrossEntropy with ${soft ? 'soft' : 'hard'} targets`,
    value: (x, t) => kernels.binaryCrossEntropy(x, t),
    backward: (...all) => kernels.binaryCrossEntropyBackward(...all),
    predictions: probabilities,
    targets,
    terms: (p, t) => p.map((value, i) => -t[i] * Math.log(value) - (1 - t[i]) * Math.log(1 - value)),
    slopes: (p, t) => p.map((value, i) => (1 - t[i]) / (1 - value) - t[i] / value),
  })),
  ...[oneHot, probabilities].map((targets, soft): LossKernel => ({
    name: `binaryCrossEntropyWithLogits with ${soft ? 'soft' : 'hard'} targets`,
    value: (x, t) => kernels.binaryCrossEntropyWithLogits(x, t),
    backward: (...all) => kernels.binaryCrossEntropyWithLogitsBackward(...all),
    predictions: randomTensor,
    targets,
    terms: (x, t) => x.map((value, i) => -t[i] * Math.log(sigmoid(value)) - (1 - t[i]) * Math.log(sigmoid(-value))),
    slopes: (x, t) => x.map((value, i) => sigmoid(value) - t[i]),
  })),
];

export function describeLossKernels(kernels: Kernels): void {
  const u = roundoff(kernels.precision);

  it('weightedSum is the sum of products, whatever the value where the weight is 0', () => {
    forShapes(kernels, (draw, rows, columns) => {
      const [x, w] = [draw.tensor([rows, columns]), draw.oneHot(rows, columns)];
      const products = Array.from(x.data, (value, i) => value * w.data[i]);
      const atol = 4 * products.length * u * sum(products.map(Math.abs));
      expect(kernels.weightedSum(x, w)).toBeAllclose(sum(products), { rtol: 4 * u, atol });
    });
    expect(kernels.weightedSum(tensorOf(kernels, [-Infinity, 3]), tensorOf(kernels, [0, 2]))).toBe(6);
  });

  describe.each(lossKernels(kernels))('$name', ({ value, backward, predictions, targets, terms, slopes }) => {
    it('matches its formula', () => {
      forShapes(kernels, (draw, rows, columns) => {
        const x = predictions(draw, rows, columns);
        const t = targets(draw, rows, columns);
        const expected = rowsOf(x.data, columns).flatMap((row, i) => terms(row, rowsOf(t.data, columns)[i]));
        const bound = sum(expected.map(Math.abs)) + rows;
        expect(value(x, t)).toBeAllclose(sum(expected), { atol: (rows * columns + 16) * u * bound });
      });
    });

    it('has the derivative of its formula, times the scale', () => {
      forShapes(kernels, (draw, rows, columns) => {
        const x = predictions(draw, rows, columns);
        const t = targets(draw, rows, columns);
        const dx = nanTensor(kernels, [rows, columns]);
        backward(dx, x, t, 0.125);
        const expected = rowsOf(x.data, columns).flatMap((row, i) => slopes(row, rowsOf(t.data, columns)[i]));
        // The largest slope here is 100, of a probability of 0.01; sum(t) is at most the number of columns.
        const atol = 32 * u * (columns + 1);
        expect(dx).toBeAllclose(
          expected.map((slope) => 0.125 * slope),
          { rtol: 16 * u, atol },
        );
      });
    });

    it('is NaN if a prediction is', () => {
      const x = tensorOf(kernels, [
        [0.5, NaN],
        [0.5, 0.5],
      ]);
      const t = tensorOf(kernels, [
        [0, 1],
        [1, 0],
      ]);
      expect(value(x, t)).toBeNaN();
      const dx = nanTensor(kernels, [2, 2]);
      backward(dx, x, t, 1);
      expect(dx.data[1]).toBeNaN();
      expect(Number.isFinite(dx.data[2]) && Number.isFinite(dx.data[3])).toBe(true);
    });
  });

  it('crossEntropy stays finite and exact at logits of ±1e4', () => {
    const x = tensorOf(kernels, [
      [1e4, -1e4],
      [-1e4, 1e4],
    ]);
    const t = tensorOf(kernels, [
      [0, 1],
      [0, 1],
    ]);
    expect(kernels.crossEntropy(x, t)).toBe(20000);
    const dx = nanTensor(kernels, [2, 2]);
    kernels.crossEntropyBackward(dx, x, t, 1);
    expect(Array.from(dx.data)).toEqual([1, -1, 0, 0]);
  });

  it('crossEntropy keeps the digits of close logits far from 0', () => {
    // log(1 + e^-1) for any common offset; adding the maximum back first would lose the digits.
    for (const offset of [0, 1024, -8192]) {
      const x = tensorOf(kernels, [[offset, offset - 1]]);
      expect(kernels.crossEntropy(x, tensorOf(kernels, [[1, 0]]))).toBeAllclose(Math.log1p(Math.exp(-1)), {
        rtol: 8 * u,
      });
    }
  });

  it('negativeLogLikelihood skips terms with target 0, and is infinite for log 0', () => {
    const p = tensorOf(kernels, [[0, 1]]);
    const dp = nanTensor(kernels, [1, 2]);
    expect(kernels.negativeLogLikelihood(p, tensorOf(kernels, [[0, 1]]))).toBe(0);
    kernels.negativeLogLikelihoodBackward(dp, p, tensorOf(kernels, [[0, 1]]), 1);
    expect(dp).toBeAllclose([0, -1]);
    expect(kernels.negativeLogLikelihood(p, tensorOf(kernels, [[1, 0]]))).toBe(Infinity);
    kernels.negativeLogLikelihoodBackward(dp, p, tensorOf(kernels, [[1, 0]]), 1);
    expect(dp).toBeAllclose([-Infinity, 0]);
  });

  it('binaryCrossEntropy limits each logarithm to -100', () => {
    const p = tensorOf(kernels, [[0, 1, 0, 1]]);
    expect(kernels.binaryCrossEntropy(p, tensorOf(kernels, [[0, 1, 0, 1]]))).toBe(0);
    expect(kernels.binaryCrossEntropy(p, tensorOf(kernels, [[1, 0, 0, 1]]))).toBe(200);
    const dp = nanTensor(kernels, [1, 4]);
    kernels.binaryCrossEntropyBackward(dp, p, tensorOf(kernels, [[1, 0, 0, 1]]), 1);
    // PyTorch's guard is 1e-12 rounded to float32, in float64 too.
    expect(dp).toBeAllclose([-1 / Math.fround(1e-12), 1 / Math.fround(1e-12), 0, 0], { rtol: 4 * u });
  });

  it('binaryCrossEntropyWithLogits stays finite for ±1e4', () => {
    const x = tensorOf(kernels, [[1e4, -1e4, 1e4, -1e4]]);
    const t = tensorOf(kernels, [[1, 0, 0, 1]]);
    expect(kernels.binaryCrossEntropyWithLogits(x, t)).toBe(20000);
    const dx = nanTensor(kernels, [1, 4]);
    kernels.binaryCrossEntropyWithLogitsBackward(dx, x, t, 1);
    expect(Array.from(dx.data)).toEqual([0, 0, 1, -1]);
  });
}
