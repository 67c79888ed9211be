// Which kernels run: the fastest that the engine has. The only place that knows all of them.
import type { Kernels } from './kernels';
import { ReferenceKernels } from './reference';
import type { Team } from './team';
import type { Precision } from './tensor';
import { WasmKernels } from './wasm';
import type { WideVectors } from './wide';

/** Named by what they need of the machine; see ModelInfo.backend. */
export type Backend = 'wasm-relaxed-simd' | 'wasm-simd' | 'reference';

export type Deterministic = 'machine' | 'portable';

export interface KernelOptions {
  /**
   * Where a run repeats to the bit. `portable`: on every machine that has SIMD. Relaxed SIMD rounds a product
   * and a sum once where the processor can and twice where it cannot, so it is left out then.
   */
  readonly deterministic?: Deterministic;
  /** Exactly these; throws where the engine does not have them. */
  readonly backend?: Backend;
  /** Threads that help with what is large. They change no bit. */
  readonly team?: Team;
  /** Has large products run in vectors of 256 bits where that computes the same. */
  readonly wideVectors?: WideVectors;
  /** How many steps of a small network are played before they become code of their own. That changes no bit. */
  readonly fuseAfter?: number;
  /** Multiply-adds of large products after which wide vectors are looked for. */
  readonly wideAfter?: number;
}

export function kernelsOf(backend: Backend, precision: Precision, { team, wideVectors, fuseAfter, wideAfter }: KernelOptions = {}): Kernels {
  if (backend === 'reference') return new ReferenceKernels(precision);
  return new WasmKernels(precision, backend === 'wasm-relaxed-simd' ? 'relaxed' : 'plain', team, wideVectors, fuseAfter, wideAfter);
}

export function createKernels(precision: Precision, options: KernelOptions = {}): Kernels {
  const { deterministic, backend } = options;
  if (backend) return kernelsOf(backend, precision, options);
  const candidates: Backend[] = deterministic === 'portable' ? ['wasm-simd'] : ['wasm-relaxed-simd', 'wasm-simd'];
  for (const candidate of candidates) {
    try {
      return kernelsOf(candidate, precision, options);
    } catch {
      // Without these instructions, or without room for the memory, the next one.
    }
  }
  return new ReferenceKernels(precision);
}
