// V8 can join pairs of 128-bit vectors into 256-bit ones when it compiles WebAssembly. The flag is experimental, so
// it is on only while one module is compiled as a whole, whose results are compared before they are used.
import v8 from 'node:v8';
import type { WideVectors } from '../engine/kernels/wide';

/** At once and with all optimizations, so that nothing is compiled later under other flags. */
const FLAGS: readonly (readonly [on: string, off: string])[] = [
  ['--experimental-wasm-revectorize', '--no-experimental-wasm-revectorize'],
  ['--no-liftoff', '--liftoff'],
  ['--no-wasm-lazy-compilation', '--wasm-lazy-compilation'],
];

export const wideVectors: WideVectors = {
  compile(work) {
    for (const [on] of FLAGS) v8.setFlagsFromString(on);
    try {
      return work();
    } finally {
      for (const [, off] of FLAGS) v8.setFlagsFromString(off);
    }
  },
  now: () => performance.now(),
};

/** @param wanted `0` for no: NABLASCOPE_WIDE_VECTORS unless told. */
export const wideVectorsIfWanted = (wanted = process.env.NABLASCOPE_WIDE_VECTORS): WideVectors | undefined =>
  wanted === '0' ? undefined : wideVectors;
