import { describe, expect, it } from 'vitest';
import { kernelsOf } from '../../../src/engine/kernels/create';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import { BACKENDS } from '../../support/backends';
import { tensorOf } from '../../support/tensors';
import { unfoldedShape, type Windows } from '../../../src/engine/kernels/windows';
import '../../support/allclose';
import { convolutions, elementwise, pooling } from '../../support/large-jobs';
import { describeKernels } from './contract';
import { Draw } from './draw';

describeKernels('wasm-simd', (precision) => kernelsOf('wasm-simd', precision));
describeKernels('wasm-relaxed-simd', (precision) => kernelsOf('wasm-relaxed-simd', precision));

/** Kernels that do everything through `prepare`: what is written down must be what a call does. */
function prepared(kernels: Kernels): Kernels {
  const returning = /^(allocate|prepare|moments|absoluteSum|histogram|count|first)|^(weightedSum|pointwiseLoss|multiMargin|squaredError|crossEntropy|negativeLogLikelihood|binaryCrossEntropy|binaryCrossEntropyWithLogits)$/;
  return new Proxy(kernels, {
    get(target, name: keyof Kernels) {
      const member: unknown = target[name];
      if (typeof member !== 'function') return member;
      const call = member.bind(target) as (...values: unknown[]) => unknown;
      if (returning.test(name)) return call;
      return (...values: unknown[]): void => target.prepare(() => void call(...values))();
    },
  });
}

describeKernels('wasm-simd prepared', (precision) => prepared(kernelsOf('wasm-simd', precision)));
describeKernels('wasm-relaxed-simd prepared', (precision) => prepared(kernelsOf('wasm-relaxed-simd', precision)));

describe.each(BACKENDS)('prepare on %s', (backend) => {
  it('does work that cannot be written down by itself, each time', () => {
    const kernels = kernelsOf(backend, 'float64');
    const [x, dx, t] = [[1, 2], [0, 0], [1, 0]].map((values) => tensorOf(kernels, values));
    const work = kernels.prepare(() => {
      kernels.scale(x, x, 2);
      kernels.pointwiseLossBackward(dx, x, t, 'huber', 100, 1);
    });
    expect(Array.from(x.data)).toEqual([1, 2]);
    work();
    work();
    expect(Array.from(x.data)).toEqual([4, 8]);
    expect(Array.from(dx.data)).toEqual([3, 8]);
  });

  it('does all of it in order, each time', () => {
    const kernels = kernelsOf(backend, 'float64');
    const x = tensorOf(kernels, [1, 2]);
    const y = tensorOf(kernels, [0, 0]);
    const twice = kernels.prepare(() => {
      kernels.scale(y, x, 2);
      kernels.copy(x, y);
    });
    expect(Array.from(x.data)).toEqual([1, 2]);
    twice();
    twice();
    expect(Array.from(x.data)).toEqual([4, 8]);
  });

  it('holds what was prepared inside', () => {
    const kernels = kernelsOf(backend, 'float64');
    const x = tensorOf(kernels, [1]);
    const outer = kernels.prepare(() => kernels.prepare(() => kernels.scale(x, x, 3))());
    outer();
    expect(x.data[0]).toBe(3);
  });

  it('still works when there is no more room to write things down', () => {
    const kernels = kernelsOf(backend, 'float64');
    const x = tensorOf(kernels, [0]);
    const one = tensorOf(kernels, [-1]);
    for (let i = 0; i < 2000; i++) kernels.prepare(() => kernels.subtract(x, x, one))();
    expect(x.data[0]).toBe(2000);
  });
});

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('what is cut into pieces on %s', (backend) => {
  it.each([...Object.entries(convolutions), ['pooling', pooling] as const, ['element by element', elementwise] as const])('agrees with the reference: %s', (_, job) => {
    const expected = job(kernelsOf('reference', 'float64'))();
    const actual = job(kernelsOf(backend, 'float64'))();
    actual.forEach(({ data }, i) => {
      const wanted = Array.from(expected[i].data);
      const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      // One number: what is wrong in a hundred thousand takes minutes to print.
      const furthest = wanted.reduce((most, value, j) => Math.max(most, Math.abs(data[j] - value)), 0);
      expect(data).toHaveLength(wanted.length);
      expect(furthest).toBeLessThan(1e-12 * largest);
    });
  });

  it('goes back to the input through windows of more than 256 places', () => {
    const windows: Windows = { kernel_size: [17, 17], stride: [1, 1], padding: [3, 0] };
    const [expected, actual] = (['reference', backend] as const).map((each) => {
      const kernels = kernelsOf(each, 'float64');
      const [dx, dy, weight] = [[1, 2, 20, 18], [1, 3, 10, 2], [3, 2, 17, 17]].map((shape) => new Draw(kernels, 3).tensor(shape));
      kernels.conv2dBackwardInput(dx, dy, weight, windows, new Draw(kernels, 4).tensor(unfoldedShape([2, 20, 18], windows)));
      return dx;
    });
    expect(actual).toBeAllclose(Array.from(expected.data), { atol: 1e-10 });
  });
});

it('kernels that return something cannot be prepared', () => {
  const kernels = kernelsOf('wasm-simd', 'float64');
  const x = tensorOf(kernels, [1]);
  expect(() => kernels.prepare(() => void kernels.absoluteSum(x))).toThrow('return nothing');
  kernels.fill(x, 5);
  expect(x.data[0]).toBe(5);
});
