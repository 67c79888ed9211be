// Compiles the step of a small network with 256-bit vectors (simd256.ts), and compares it with the 128-bit version:
// both run some steps from the current memory, which is restored afterwards.
import type { Memory, StepFunction } from './wasm-instance';
import type { Simd256Compiler } from './simd256';

/** Number of steps that are compared and timed. */
const COMPARED_STEPS = 16;
const TIMED_RUNS = 9;

/** The memory that steps change, and the list of their results. */
export interface StepMemory {
  readonly from: number;
  readonly to: number;
  readonly results: number;
}

/**
 * The step with 256-bit vectors; null if they are not supported, not faster, or give other bits.
 * @param startIndex the chunk of the streams for the first step @param compileStep compiles the step as a new module
 */
export function simd256Step(
  narrow: StepFunction,
  compileStep: () => StepFunction,
  compiler: Simd256Compiler,
  memory: Memory,
  { from, to, results }: StepMemory,
  startIndex: number,
): StepFunction | null {
  let wide: StepFunction;
  try {
    wide = compiler.compile(compileStep);
  } catch {
    // A module that does not compile is not used.
    return null;
  }
  const bytes = new Uint8Array(memory.buffer, from, to - from);
  const before = bytes.slice();
  const runSteps = (run: StepFunction): number => run(results, results + COMPARED_STEPS * 8, startIndex);
  const after = (run: StepFunction): readonly [number, Uint8Array] => {
    const end = runSteps(run);
    const found = bytes.slice();
    bytes.set(before);
    return [end, found];
  };
  const fastestTime = (run: StepFunction): number => {
    const times = Array.from({ length: TIMED_RUNS }, () => {
      const start = compiler.now();
      runSteps(run);
      const time = compiler.now() - start;
      bytes.set(before);
      return time;
    });
    return Math.min(...times);
  };
  const [end, expected] = after(narrow);
  const [wideEnd, found] = after(wide);
  const same = end === wideEnd && expected.every((byte, i) => byte === found[i]);
  return same && fastestTime(narrow) > 1.05 * fastestTime(wide) ? wide : null;
}
