// How far exp, tanh, sigmoid and the logarithms of the modules are from the truth, over all magnitudes. The truth
// for float32 is the engine's own double; for float64 the engine's own, which is within one place of it.
import { describe, expect, it } from 'vitest';
import { kernelsOf } from '../../../src/engine/kernels/create';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import type { Precision, Tensor } from '../../../src/engine/kernels/tensor';
import { type Unary, unaryFunctions } from '../../../src/engine/kernels/unary';
import { Random } from '../../../src/engine/random';
import { filled, unwritten } from '../../support/tensors';

const COUNT = 100_000;
const backends = ['wasm-simd', 'wasm-relaxed-simd'] as const;
const precisions: readonly Precision[] = ['float32', 'float64'];
const all = backends.flatMap((backend) => precisions.map((precision) => ({ backend, precision })));

/** Numbers of either sign from 1e-12 to `largest`, as many in each power of ten. */
function spread(kernels: Kernels, largest: number): Tensor {
  const random = new Random(3, 'accuracy');
  const numbers = Array.from({ length: COUNT }, (_, i) => (i % 2 ? -1 : 1) * Math.exp(random.uniform(Math.log(1e-12), Math.log(largest))));
  return filled(kernels, [COUNT], numbers);
}

/** The worst error in units of the last place, of results that are normal numbers. */
function worst(actual: Tensor, expected: ArrayLike<number>, precision: Precision): number {
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

describe.each(all)('$backend in $precision', ({ backend, precision }) => {
  const kernels = kernelsOf(backend, precision);

  it('tanh is within 4 places', () => {
    const x = spread(kernels, 30);
    const y = unwritten(kernels, [COUNT]);
    kernels.tanh(y, x);
    expect(worst(y, Array.from(x.data, Math.tanh), precision)).toBeLessThan(4);
  });

  it('sigmoid is within 4 places', () => {
    const x = spread(kernels, precision === 'float64' ? 700 : 87);
    const y = unwritten(kernels, [COUNT]);
    kernels.sigmoid(y, x);
    const truth = Array.from(x.data, (z) => (z < 0 ? Math.exp(z) / (1 + Math.exp(z)) : 1 / (1 + Math.exp(-z))));
    expect(worst(y, truth, precision)).toBeLessThan(4);
  });

  it('exp is within 3 places: softmax against a logit so large that its sum is 1', () => {
    const lowest = precision === 'float64' ? -708 : -87;
    const random = new Random(4, 'accuracy');
    const rows = Array.from({ length: COUNT / 2 }, () => [0, random.uniform(lowest, precision === 'float64' ? -40 : -20)]);
    const x = filled(kernels, [rows.length, 2], rows.flat());
    const y = unwritten(kernels, [rows.length, 2]);
    kernels.softmax(y, x);
    expect(worst(y, Array.from(x.data, (z) => Math.exp(z)), precision)).toBeLessThan(3);
  });

  it('log is within 2 places of a double', () => {
    const random = new Random(5, 'accuracy');
    const one = filled(kernels, [1], [1]);
    const p = filled(kernels, [1], [0]);
    let most = 0;
    for (let i = 0; i < 20_000; i++) {
      p.data[0] = i % 2 ? random.uniform(0.5, 2) : Math.exp(random.uniform(-80, 80));
      const truth = -Math.log(p.data[0]);
      const place = 2 ** (Math.floor(Math.log2(Math.abs(truth))) - 52);
      most = Math.max(most, Math.abs(kernels.negativeLogLikelihood(p, one) - truth) / place);
    }
    expect(most).toBeLessThan(2);
  });

  it('log(1 + x) is within 4 places of a double', () => {
    const random = new Random(6, 'accuracy');
    const zero = filled(kernels, [1], [0]);
    const p = filled(kernels, [1], [0]);
    let most = 0;
    for (let i = 0; i < 20_000; i++) {
      p.data[0] = Math.exp(random.uniform(-60, -0.001));
      const truth = -Math.log1p(-p.data[0]);
      const place = 2 ** (Math.floor(Math.log2(truth)) - 52);
      most = Math.max(most, Math.abs(kernels.binaryCrossEntropy(p, zero) - truth) / place);
    }
    expect(most).toBeLessThan(4);
  });

  it.each(Object.keys(unaryFunctions) as Unary[])('%s and its slope are within 4 places, or of 1 where they are smaller', (f) => {
    const x = spread(kernels, 30);
    const one = filled(kernels, [COUNT], new Array<number>(COUNT).fill(1));
    const y = unwritten(kernels, [COUNT]);
    const { value, slope } = unaryFunctions[f];
    const places = (truth: (x: number, a: number) => number): number => {
      let most = 0;
      x.data.forEach((z, i) => (most = Math.max(most, Math.abs(y.data[i] - truth(z, 0.75)) / Math.max(1, Math.abs(truth(z, 0.75))))));
      return most * 2 ** (precision === 'float64' ? 52 : 23);
    };
    kernels.unary(y, x, f, 0.75);
    expect(places(value)).toBeLessThan(4);
    kernels.unaryBackward(y, one, x, f, 0.75);
    expect(places(slope)).toBeLessThan(4);
  });
});
