// The errors of exp, tanh, sigmoid and the logarithms of the modules over all magnitudes. For float32 they are compared
// with float64 functions of Math; for float64 with those too, whose error is below one ulp.
import { describe, expect, it } from 'vitest';
import { createBackend } from '../../../src/engine/kernels/create-kernels';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import type { Precision, Tensor } from '../../../src/engine/kernels/tensor';
import { type UnaryKind, unaryFunctions } from '../../../src/engine/kernels/unary-functions';
import { Random } from '../../../src/engine/random';
import { tensorFrom, nanTensor } from '../../support/tensors';

const COUNT = 100_000;
const backends = ['wasm-simd', 'wasm-relaxed-simd'] as const;
const precisions: readonly Precision[] = ['float32', 'float64'];
const cases = backends.flatMap((backend) => precisions.map((precision) => ({ backend, precision })));

/** Numbers of either sign from 1e-12 to `largest`, equally many in each decade. */
function spreadTensor(kernels: Kernels, largest: number): Tensor {
  const random = new Random(3, 'accuracy');
  const numbers = Array.from(
    { length: COUNT },
    (_, i) => (i % 2 ? -1 : 1) * Math.exp(random.uniform(Math.log(1e-12), Math.log(largest))),
  );
  return tensorFrom(kernels, [COUNT], numbers);
}

/** The largest error in ulp, over results that are normal numbers. */
function worstUlpError(actual: Tensor, expected: ArrayLike<number>, precision: Precision): number {
  const [digits, smallest] = precision === 'float64' ? [52, 2 ** -1022] : [23, 2 ** -126];
  let most = 0;
  for (let i = 0; i < actual.data.length; i++) {
    const size = Math.abs(expected[i]);
    if (size < smallest) continue;
    const place = 2 ** (Math.floor(Math.log2(size)) - digits);
    most = Math.max(most, Math.abs(actual.data[i] - expected[i]) / place);
  }
  return most;
}

describe.each(cases)('$backend in $precision', ({ backend, precision }) => {
  const kernels = createBackend(backend, precision);

  it('computes tanh within 4 ulp', () => {
    const x = spreadTensor(kernels, 30);
    const y = nanTensor(kernels, [COUNT]);
    kernels.tanh(y, x);
    expect(worstUlpError(y, Array.from(x.data, Math.tanh), precision)).toBeLessThan(4);
  });

  it('computes sigmoid within 4 ulp', () => {
    const x = spreadTensor(kernels, precision === 'float64' ? 700 : 87);
    const y = nanTensor(kernels, [COUNT]);
    kernels.sigmoid(y, x);
    const truth = Array.from(x.data, (z) => (z < 0 ? Math.exp(z) / (1 + Math.exp(z)) : 1 / (1 + Math.exp(-z))));
    expect(worstUlpError(y, truth, precision)).toBeLessThan(4);
  });

  it('computes exp within 3 ulp: softmax with a logit so large that its sum is 1', () => {
    const lowest = precision === 'float64' ? -708 : -87;
    const random = new Random(4, 'accuracy');
    const rows = Array.from({ length: COUNT / 2 }, () => [
      0,
      random.uniform(lowest, precision === 'float64' ? -40 : -20),
    ]);
    const x = tensorFrom(kernels, [rows.length, 2], rows.flat());
    const y = nanTensor(kernels, [rows.length, 2]);
    kernels.softmax(y, x);
    expect(
      worstUlpError(
        y,
        Array.from(x.data, (z) => Math.exp(z)),
        precision,
      ),
    ).toBeLessThan(3);
  });

  it('computes log within 2 float64 ulp', () => {
    const random = new Random(5, 'accuracy');
    const one = tensorFrom(kernels, [1], [1]);
    const p = tensorFrom(kernels, [1], [0]);
    let most = 0;
    for (let i = 0; i < 20_000; i++) {
      p.data[0] = i % 2 ? random.uniform(0.5, 2) : Math.exp(random.uniform(-80, 80));
      const truth = -Math.log(p.data[0]);
      const place = 2 ** (Math.floor(Math.log2(Math.abs(truth))) - 52);
      most = Math.max(most, Math.abs(kernels.negativeLogLikelihood(p, one) - truth) / place);
    }
    expect(most).toBeLessThan(2);
  });

  it('computes log(1 + x) within 4 float64 ulp', () => {
    const random = new Random(6, 'accuracy');
    const zero = tensorFrom(kernels, [1], [0]);
    const p = tensorFrom(kernels, [1], [0]);
    let most = 0;
    for (let i = 0; i < 20_000; i++) {
      p.data[0] = Math.exp(random.uniform(-60, -0.001));
      const truth = -Math.log1p(-p.data[0]);
      const place = 2 ** (Math.floor(Math.log2(truth)) - 52);
      most = Math.max(most, Math.abs(kernels.binaryCrossEntropy(p, zero) - truth) / place);
    }
    expect(most).toBeLessThan(4);
  });

  it.each(Object.keys(unaryFunctions) as UnaryKind[])(
    '%s and its slope are within 4 places, or of 1 where they are smaller',
    (f) => {
      const x = spreadTensor(kernels, 30);
      const one = tensorFrom(kernels, [COUNT], new Array<number>(COUNT).fill(1));
      const y = nanTensor(kernels, [COUNT]);
      const { value, derivative } = unaryFunctions[f];
      const places = (truth: (x: number, a: number) => number): number => {
        let most = 0;
        x.data.forEach(
          (z, i) =>
            (most = Math.max(most, Math.abs(y.data[i] - truth(z, 0.75)) / Math.max(1, Math.abs(truth(z, 0.75))))),
        );
        return most * 2 ** (precision === 'float64' ? 52 : 23);
      };
      kernels.unary(y, x, f, 0.75);
      expect(places(value)).toBeLessThan(4);
      kernels.unaryBackward(y, one, x, f, 0.75);
      expect(places(derivative)).toBeLessThan(4);
    },
  );
});
