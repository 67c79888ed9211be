// Products in vectors of 256 bits, where the engine can: the same bits, or they are not used.
import { describe, expect, it } from 'vitest';
import { kernelsOf } from '../../src/engine/kernels/create';
import { compile, type Exports, instantiate, sharedMemory } from '../../src/engine/kernels/instance';
import type { WasmKernels } from '../../src/engine/kernels/wasm';
import { wasmModules } from '../../src/engine/kernels/wasm-modules';
import { agree, WIDE_KERNELS, type WideVectors } from '../../src/engine/kernels/wide';
import { wideVectors, wideVectorsIfWanted } from '../../src/machine/wide-vectors';
import { convolutions, elementwise, jobs, pooling } from '../support/large-jobs';
import { filled } from '../support/tensors';

const cases = (['wasm-simd', 'wasm-relaxed-simd'] as const).flatMap((backend) =>
  (['float32', 'float64'] as const).map((precision) => [backend, precision] as const),
);

/** As if wide tiles took half or twice the time of narrow ones. */
const paced = (wideIsFaster: boolean): WideVectors => {
  let calls = 0;
  let time = 0;
  // Ten looks at the clock for narrow tiles, then ten for wide ones.
  return { ...wideVectors, now: () => (time += calls++ < 10 === wideIsFaster ? 2 : 1) };
};

describe.each(cases)('%s in %s', (backend, precision) => {
  const make = (vectors?: WideVectors): WasmKernels => kernelsOf(backend, precision, { wideVectors: vectors, wideAfter: 0 }) as WasmKernels;

  it('compute the bits of narrow vectors', () => {
    const [narrow, wide] = [make(), make(paced(true))];
    expect(narrow.wide).toBe(false);
    expect(wide.wide).toBe(true);
    for (const job of Object.values(jobs)) expect(job(wide)().data).toEqual(job(narrow)().data);
    for (const job of [...Object.values(convolutions), pooling]) {
      expect(job(wide)().map(({ data }) => data)).toEqual(job(narrow)().map(({ data }) => data));
    }
    expect(elementwise(wide)().map(({ data }) => data)).toEqual(elementwise(narrow)().map(({ data }) => data));
  });

  it('are not used where they are slower, or cannot be compiled', () => {
    expect(make(paced(false)).wide).toBe(false);
    const without: WideVectors = {
      ...wideVectors,
      compile: () => {
        throw new Error('no such flag');
      },
    };
    const kernels = make(without);
    expect(kernels.wide).toBe(false);
    expect(jobs.linear(kernels)().data).toEqual(jobs.linear(make())().data);
  });

  it.each(WIDE_KERNELS)('are not used where %s gives one other bit', (name) => {
    const bytes = Buffer.from(wasmModules[backend === 'wasm-simd' ? 'plain' : 'relaxed'][precision], 'base64');
    const memory = sharedMemory(128, 128);
    const narrow = instantiate(compile(bytes), memory);
    narrow.prepareConstants();
    expect(agree(narrow, narrow, memory, precision)).toBe(true);
    const faulty = (out: number, ...rest: number[]): void => {
      (narrow[name] as (...values: number[]) => void)(out, ...rest);
      const first = new Uint8Array(memory.buffer, out, 1);
      first[0] ^= 1;
    };
    expect(agree(narrow, { ...narrow, [name]: faulty } as Exports, memory, precision)).toBe(false);
  });
});

it('are looked for once a network has shown to be large', () => {
  let compiled = 0;
  const vectors: WideVectors = {
    ...paced(true),
    compile: (work) => {
      compiled++;
      return wideVectors.compile(work);
    },
  };
  const [products, pieces, small] = [[200, 200, 200], [10, 10, 10], [40, 40, 40]];
  const kernels = kernelsOf('wasm-simd', 'float32', { wideVectors: vectors, wideAfter: 3 * 200 ** 3 }) as WasmKernels;
  const plain = kernelsOf('wasm-simd', 'float32') as WasmKernels;
  const work = [kernels, plain].map((each) => {
    const multiply = ([m, n, k]: number[]): (() => Float32Array) => {
      const [a, b, out] = [[m, k], [k, n], [m, n]].map((shape) => filled(each, shape, Float64Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(i))));
      return () => (each.matmul(out, a, b, false), out.data.slice() as Float32Array);
    };
    return [multiply(products), multiply(pieces), multiply(small)];
  });
  for (let i = 0; i < 1000; i++) for (const little of work[0].slice(1)) little();
  for (let i = 0; i < 2; i++) work[0][0]();
  expect([compiled, kernels.wide]).toEqual([0, false]);
  for (let i = 0; i < 3; i++) expect(work[0][0]()).toEqual(work[1][0]());
  expect([compiled, kernels.wide]).toEqual([1, true]);
});

it('wide vectors are used unless somebody says no', () => {
  expect(wideVectorsIfWanted('0')).toBeUndefined();
  for (const other of ['', '1', 'yes']) expect(wideVectorsIfWanted(other)).toBe(wideVectors);
});
