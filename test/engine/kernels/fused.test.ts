// What is written out for a tape computes what the kernels on it do, to the bit.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelsOf } from '../../../src/engine/kernels/create';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import type { Tensor } from '../../../src/engine/kernels/tensor';
import { Draw } from './draw';

/** Sizes with and without a rest behind whole vectors, on both sides of where loops begin. */
const size = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(16, 17, 24, 33, 50));

type Work = (kernels: Kernels, draw: Draw, m: number, n: number, k: number) => { out: readonly Tensor[]; work: () => void };

const jobs: Readonly<Record<string, Work>> = {
  ...Object.fromEntries(
    [false, true].flatMap((add): [string, Work][] => [
      [`matmul, add ${add}`, (kernels, draw, m, n, k) => {
        const [out, a, b] = [[m, n], [m, k], [k, n]].map((shape) => draw.tensor(shape));
        return { out: [out], work: () => kernels.matmul(out, a, b, add) };
      }],
      [`matmulTransposedA, add ${add}`, (kernels, draw, m, n, k) => {
        const [out, a, b] = [[m, n], [k, m], [k, n]].map((shape) => draw.tensor(shape));
        return { out: [out], work: () => kernels.matmulTransposedA(out, a, b, add) };
      }],
      [`matmulTransposedB, add ${add}`, (kernels, draw, m, n, k) => {
        const [out, a, b] = [[m, n], [m, k], [n, k]].map((shape) => draw.tensor(shape));
        return { out: [out], work: () => kernels.matmulTransposedB(out, a, b, add) };
      }],
    ]),
  ),
};

const bits = (tensors: readonly Tensor[]): number[][] => tensors.map(({ data }) => Array.from(new Uint32Array(data.slice().buffer)));

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('fused kernels on %s', (backend) => {
  it.each(Object.entries(jobs))('%s', (_, job) => {
    fc.assert(
      fc.property(fc.nat(1e6), size, size, size, (seed, m, n, k) => {
        const [expected, actual] = [false, true].map((fused) => {
          const kernels = kernelsOf(backend, 'float32');
          const { out, work } = job(kernels, new Draw(kernels, seed), m, n, k);
          const run = fused ? kernels.prepare(work) : work;
          run();
          run();
          return bits(out);
        });
        expect(actual).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});
