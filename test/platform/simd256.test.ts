// Products with 256-bit vectors, if supported: the same bits, or they are not used.
import { describe, expect, it } from 'vitest';
import { createBackend } from '../../src/engine/kernels/create-kernels';
import {
  compileModule,
  type WasmExports,
  instantiate,
  createSharedMemory,
} from '../../src/engine/kernels/wasm-instance';
import type { WasmKernels } from '../../src/engine/kernels/wasm-kernels';
import { wasmModules } from '../../src/engine/kernels/wasm-modules';
import { bitwiseEqual, SIMD256_KERNELS, type Simd256Compiler } from '../../src/engine/kernels/simd256';
import { simd256Compiler, simd256CompilerIfEnabled } from '../../src/platform/simd256';
import {
  convolutionWorkloads,
  elementwiseWorkload,
  matmulWorkloads,
  poolingWorkload,
} from '../support/large-workloads';
import { tensorFrom } from '../support/tensors';

const cases = (['wasm-simd', 'wasm-relaxed-simd'] as const).flatMap((backend) =>
  (['float32', 'float64'] as const).map((precision) => [backend, precision] as const),
);

/** A clock by which 256-bit tiles take half or twice the time of 128-bit tiles. */
const fakeClock = (simd256IsFaster: boolean): Simd256Compiler => {
  let calls = 0;
  let time = 0;
  // Ten readings for 128-bit tiles, then ten for 256-bit tiles.
  return { ...simd256Compiler, now: () => (time += calls++ < 10 === simd256IsFaster ? 2 : 1) };
};

describe.each(cases)('%s in %s', (backend, precision) => {
  const make = (vectors?: Simd256Compiler): WasmKernels =>
    createBackend(backend, precision, { simd256: vectors, simd256After: 0 }) as WasmKernels;

  it('computes the bits of 128-bit vectors', () => {
    const [narrow, wide] = [make(), make(fakeClock(true))];
    expect(narrow.usesSimd256).toBe(false);
    expect(wide.usesSimd256).toBe(true);
    for (const job of Object.values(matmulWorkloads)) expect(job(wide)().data).toEqual(job(narrow)().data);
    for (const job of [...Object.values(convolutionWorkloads), poolingWorkload]) {
      expect(job(wide)().map(({ data }) => data)).toEqual(job(narrow)().map(({ data }) => data));
    }
    expect(elementwiseWorkload(wide)().map(({ data }) => data)).toEqual(
      elementwiseWorkload(narrow)().map(({ data }) => data),
    );
  });

  it('is not used if it is slower, or cannot be compiled', () => {
    expect(make(fakeClock(false)).usesSimd256).toBe(false);
    const without: Simd256Compiler = {
      ...simd256Compiler,
      compile: () => {
        throw new Error('no such flag');
      },
    };
    const kernels = make(without);
    expect(kernels.usesSimd256).toBe(false);
    expect(matmulWorkloads.linear(kernels)().data).toEqual(matmulWorkloads.linear(make())().data);
  });

  it.each(SIMD256_KERNELS)('is not used if %s differs in one bit', (name) => {
    const bytes = Buffer.from(wasmModules[backend === 'wasm-simd' ? 'plain' : 'relaxed'][precision], 'base64');
    const memory = createSharedMemory(128, 128);
    const narrow = instantiate(compileModule(bytes), memory);
    narrow.initConstants();
    expect(bitwiseEqual(narrow, narrow, memory, precision)).toBe(true);
    const faulty = (out: number, ...rest: number[]): void => {
      (narrow[name] as (...values: number[]) => void)(out, ...rest);
      const first = new Uint8Array(memory.buffer, out, 1);
      first[0] ^= 1;
    };
    expect(bitwiseEqual(narrow, { ...narrow, [name]: faulty } as WasmExports, memory, precision)).toBe(false);
  });
});

it('is tried once a network has turned out to be large', () => {
  let compiled = 0;
  const vectors: Simd256Compiler = {
    ...fakeClock(true),
    compile: (work) => {
      compiled++;
      return simd256Compiler.compile(work);
    },
  };
  const [products, pieces, small] = [
    [200, 200, 200],
    [10, 10, 10],
    [40, 40, 40],
  ];
  const kernels = createBackend('wasm-simd', 'float32', {
    simd256: vectors,
    simd256After: 3 * 200 ** 3,
  }) as WasmKernels;
  const plain = createBackend('wasm-simd', 'float32') as WasmKernels;
  const work = [kernels, plain].map((each) => {
    const multiply = ([m, n, k]: number[]): (() => Float32Array) => {
      const [a, b, out] = [
        [m, k],
        [k, n],
        [m, n],
      ].map((shape) =>
        tensorFrom(
          each,
          shape,
          Float64Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(i)),
        ),
      );
      return () => (each.matmul(out, a, b, false), out.data.slice() as Float32Array);
    };
    return [multiply(products), multiply(pieces), multiply(small)];
  });
  for (let i = 0; i < 1000; i++) for (const little of work[0].slice(1)) little();
  for (let i = 0; i < 2; i++) work[0][0]();
  expect([compiled, kernels.usesSimd256]).toEqual([0, false]);
  for (let i = 0; i < 3; i++) expect(work[0][0]()).toEqual(work[1][0]());
  expect([compiled, kernels.usesSimd256]).toEqual([1, true]);
});

it('is used unless the user disables it', () => {
  expect(simd256CompilerIfEnabled('0')).toBeUndefined();
  for (const other of ['', '1', 'yes']) expect(simd256CompilerIfEnabled(other)).toBe(simd256Compiler);
});
