// Selects the fastest backend that the JavaScript engine supports. Only this file knows all of them.
import type { Kernels } from './kernels';
import { ReferenceKernels } from './reference-kernels';
import type { ThreadPool } from './thread-pool';
import type { Precision } from './tensor';
import { WasmKernels } from './wasm-kernels';
import type { Simd256Compiler } from './simd256';

/** Named by the instructions they need; see ModelInfo.backend. */
export type Backend = 'wasm-relaxed-simd' | 'wasm-simd' | 'reference';

export type Deterministic = 'machine' | 'portable';

export interface KernelOptions {
  /**
   * Where a run repeats bit for bit. `portable`: on every machine with SIMD, so relaxed SIMD is excluded, since it
   * rounds a product and a sum once or twice depending on the processor.
   */
  readonly deterministic?: Deterministic | undefined;
  /** Uses exactly this backend; throws if it is not supported. */
  readonly backend?: Backend | undefined;
  /** Worker threads for large work. They change no bit. */
  readonly threadPool?: ThreadPool | undefined;
  /** Enables 256-bit vectors for large products, if they give the same results. */
  readonly simd256?: Simd256Compiler | undefined;
  /** After how many replayed steps the step of a small network is compiled. Changes no bit. */
  readonly fuseAfter?: number | undefined;
  /** Multiply-adds of large products after which 256-bit vectors are tried. */
  readonly simd256After?: number | undefined;
}

export function createBackend(
  backend: Backend,
  precision: Precision,
  { threadPool, simd256, fuseAfter, simd256After }: KernelOptions = {},
): Kernels {
  if (backend === 'reference') return new ReferenceKernels(precision);
  return new WasmKernels(
    precision,
    backend === 'wasm-relaxed-simd' ? 'relaxed' : 'plain',
    threadPool,
    simd256,
    fuseAfter,
    simd256After,
  );
}

/** @throws if `portable` is wanted where there is no SIMD, or no memory */
export function createKernels(precision: Precision, options: KernelOptions = {}): Kernels {
  const { deterministic, backend } = options;
  if (backend) return createBackend(backend, precision, options);
  // Every other backend would give other bits.
  if (deterministic === 'portable') return createBackend('wasm-simd', precision, options);
  for (const candidate of ['wasm-relaxed-simd', 'wasm-simd'] as const) {
    try {
      return createBackend(candidate, precision, options);
    } catch {
      // Without these instructions, or without enough memory, try the next backend.
    }
  }
  return new ReferenceKernels(precision);
}
