// Every kernel backend, for tests that all of them must pass.
import type { Backend } from '../../src/engine/kernels/create-kernels';

export const BACKENDS: readonly Backend[] = ['reference', 'wasm-simd', 'wasm-relaxed-simd'];
