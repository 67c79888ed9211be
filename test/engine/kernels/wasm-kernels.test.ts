import { describe, expect, it } from 'vitest';
import { createBackend } from '../../../src/engine/kernels/create-kernels';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import { BACKENDS } from '../../support/backends';
import { tensorOf } from '../../support/tensors';
import { im2colShape, type WindowOptions } from '../../../src/engine/kernels/windows';
import '../../support/allclose';
import { convolutionWorkloads, elementwiseWorkload, poolingWorkload } from '../../support/large-workloads';
import { describeKernels } from './contract';
import { TensorGenerator } from './tensor-generator';

describeKernels('wasm-simd', (precision) => createBackend('wasm-simd', precision));
describeKernels('wasm-relaxed-simd', (precision) => createBackend('wasm-relaxed-simd', precision));

/** Kernels that run everything through `trace`: a replay must do the same as a call. */
function traced(kernels: Kernels): Kernels {
  const returning =
    /^(allocate|trace|moments|absoluteSum|sum|sumOfSquares|extremes|histogram|count|first)|^(weightedSum|pointwiseLoss|multiMargin|squaredError|crossEntropy|negativeLogLikelihood|binaryCrossEntropy|binaryCrossEntropyWithLogits)$/;
  return new Proxy(kernels, {
    get(target, name: keyof Kernels) {
      const member: unknown = target[name];
      if (typeof member !== 'function') return member;
      const call = member.bind(target) as (...values: unknown[]) => unknown;
      if (returning.test(name)) return call;
      return (...values: unknown[]): void => target.trace(() => void call(...values))();
    },
  });
}

describeKernels('wasm-simd traced', (precision) => traced(createBackend('wasm-simd', precision)));
describeKernels('wasm-relaxed-simd traced', (precision) => traced(createBackend('wasm-relaxed-simd', precision)));

describe.each(BACKENDS)('trace on %s', (backend) => {
  it('runs work that cannot be recorded directly, every time', () => {
    const kernels = createBackend(backend, 'float64');
    const [x, dx, t] = [
      [1, 2],
      [0, 0],
      [1, 0],
    ].map((values) => tensorOf(kernels, values));
    const work = kernels.trace(() => {
      kernels.scale(x, x, 2);
      kernels.pointwiseLossBackward(dx, x, t, 'huber', 100, 1);
    });
    expect(Array.from(x.data)).toEqual([1, 2]);
    work();
    work();
    expect(Array.from(x.data)).toEqual([4, 8]);
    expect(Array.from(dx.data)).toEqual([3, 8]);
  });

  it('runs everything in order, every time', () => {
    const kernels = createBackend(backend, 'float64');
    const x = tensorOf(kernels, [1, 2]);
    const y = tensorOf(kernels, [0, 0]);
    const twice = kernels.trace(() => {
      kernels.scale(y, x, 2);
      kernels.copy(x, y);
    });
    expect(Array.from(x.data)).toEqual([1, 2]);
    twice();
    twice();
    expect(Array.from(x.data)).toEqual([4, 8]);
  });

  it('includes nested traces', () => {
    const kernels = createBackend(backend, 'float64');
    const x = tensorOf(kernels, [1]);
    const outer = kernels.trace(() => kernels.trace(() => kernels.scale(x, x, 3))());
    outer();
    expect(x.data[0]).toBe(3);
  });

  it('still works when there is no more memory for traces', () => {
    const kernels = createBackend(backend, 'float64');
    const x = tensorOf(kernels, [0]);
    const one = tensorOf(kernels, [-1]);
    for (let i = 0; i < 2000; i++) kernels.trace(() => kernels.subtract(x, x, one))();
    expect(x.data[0]).toBe(2000);
  });
});

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('work split into pieces on %s', (backend) => {
  it.each([
    ...Object.entries(convolutionWorkloads),
    ['pooling', poolingWorkload] as const,
    ['element by element', elementwiseWorkload] as const,
  ])('agrees with the reference: %s', (_, job) => {
    const expected = job(createBackend('reference', 'float64'))();
    const actual = job(createBackend(backend, 'float64'))();
    actual.forEach(({ data }, i) => {
      const wanted = Array.from(expected[i].data);
      const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      // Compares a single number, since printing a hundred thousand errors takes minutes.
      const furthest = wanted.reduce((most, value, j) => Math.max(most, Math.abs(data[j] - value)), 0);
      expect(data).toHaveLength(wanted.length);
      expect(furthest).toBeLessThan(1e-12 * largest);
    });
  });

  it('computes the input gradient through windows of more than 256 positions', () => {
    const windows: WindowOptions = { kernel_size: [17, 17], stride: [1, 1], padding: [3, 0] };
    const [expected, actual] = (['reference', backend] as const).map((each) => {
      const kernels = createBackend(each, 'float64');
      const [dx, dy, weight] = [
        [1, 2, 20, 18],
        [1, 3, 10, 2],
        [3, 2, 17, 17],
      ].map((shape) => new TensorGenerator(kernels, 3).tensor(shape));
      kernels.conv2dBackwardInput(
        dx,
        dy,
        weight,
        windows,
        new TensorGenerator(kernels, 4).tensor(im2colShape([2, 20, 18], windows)),
      );
      return dx;
    });
    expect(actual).toBeAllclose(Array.from(expected.data), { atol: 1e-10 });
  });
});

it('cannot trace kernels that return a value', () => {
  const kernels = createBackend('wasm-simd', 'float64');
  const x = tensorOf(kernels, [1]);
  expect(() => kernels.trace(() => void kernels.absoluteSum(x))).toThrow('return nothing');
  kernels.fill(x, 5);
  expect(x.data[0]).toBe(5);
});
