// Compiles a recorded trace into a module: its kernels one after the other, with addresses and sizes as constants, and
// without loops over a few numbers. The operations and their order are those of the kernels, hence the bits. A kernel
// without an emitter is called.
import type { KernelCall } from '../trace';
import { type WasmImport, encodeModule } from './wasm-encoding';
import { WasmEmitter, type StreamSource, type PerStepParameters } from './wasm-emitter';
import * as elementwise from './elementwise';
import * as losses from './losses';
import * as products from './matmul';
import * as rows from './row-reductions';
import type { KernelEmitter, Operands } from './kernel-emitter';
import { type EmittedReduction, emitReduction } from './observed';

/** Emitters, keyed by the name of the kernel. */
const emitters: Readonly<Record<string, KernelEmitter>> = { ...elementwise, ...losses, ...products, ...rows };

/** Above this size in bytes, instruction fetch makes the code too slow. */
const MAX_CODE_BYTES = 60_000;

/** Kernels whose emitters pass their numbers on unchanged. */
const PASS_THROUGH_SCALARS: readonly string[] = ['scale', 'axpby', 'axpbySquared', 'addcdivSqrt'];

export interface FusedModule {
  readonly bytes: Uint8Array;
  /** Kernels that the module calls. */
  readonly imports: readonly WasmImport[];
}

/**
 * The module that repeats a trace of float32 kernels; null if it would be too large.
 * @param streams the only memory that it copies from, and that in which reductions are kept
 * @param reductions what is kept of each repetition
 */
export function fuseTrace(
  calls: readonly KernelCall[],
  streams: readonly StreamSource[],
  relaxedSimd: boolean,
  maxPages: number,
  perStepParameters: PerStepParameters | null = null,
  reductions: readonly EmittedReduction[] = [],
): FusedModule | null {
  const imports = [
    ...new Map(
      calls.map(({ name, ints, doubles, returnsValue }) => [
        name,
        { name, ints: ints.length, doubles: doubles.length, returnsValue },
      ]),
    ).values(),
  ];
  const emitter = new WasmEmitter(relaxedSimd, streams, perStepParameters);
  for (const { name, ints, doubles, returnsValue } of calls) {
    if (
      perStepParameters &&
      !PASS_THROUGH_SCALARS.includes(name) &&
      doubles.some((double) => perStepParameters.placeholders.includes(double))
    )
      return null;
    const isEmitted = name in emitters && emitters[name]!(emitter, ints as Operands, doubles as Operands) !== false;
    if (!isEmitted)
      emitter.call(
        imports.findIndex((each) => each.name === name),
        ints,
        doubles,
        returnsValue,
      );
    if (emitter.size > MAX_CODE_BYTES) return null;
  }
  for (const reduction of reductions) emitReduction(emitter, reduction);
  if (emitter.size > MAX_CODE_BYTES) return null;
  return { bytes: encodeModule(imports, emitter.encodeBody(), maxPages), imports };
}
