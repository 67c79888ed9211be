// V8 can join pairs of 128-bit vectors into 256-bit ones when it compiles WebAssembly. The flag is experimental, so
// it is on only while one module is compiled as a whole, whose results are compared before they are used.
import v8 from 'node:v8';
import type { Simd256Compiler } from '../engine/kernels/simd256';

/** At once and with all optimizations, so that nothing is compiled later under other flags. */
const V8_FLAGS: readonly (readonly [on: string, off: string])[] = [
  ['--experimental-wasm-revectorize', '--no-experimental-wasm-revectorize'],
  ['--no-liftoff', '--liftoff'],
  ['--no-wasm-lazy-compilation', '--wasm-lazy-compilation'],
];

export const simd256Compiler: Simd256Compiler = {
  compile(work) {
    for (const [on] of V8_FLAGS) v8.setFlagsFromString(on);
    try {
      return work();
    } finally {
      for (const [, off] of V8_FLAGS) v8.setFlagsFromString(off);
    }
  },
  now: () => performance.now(),
};

/** V8 has the flag since this major version; an older one would print that it does not know it. */
const FIRST_V8_VERSION = 12;

/** @param setting `0` turns it off; NABLASCOPE_WIDE_VECTORS by default */
export const simd256CompilerIfEnabled = (
  setting = process.env.NABLASCOPE_WIDE_VECTORS,
  v8Version = process.versions.v8,
): Simd256Compiler | undefined =>
  setting === '0' || Number.parseInt(v8Version, 10) < FIRST_V8_VERSION ? undefined : simd256Compiler;
