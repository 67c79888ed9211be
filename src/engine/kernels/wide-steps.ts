// A small step that is code of its own in vectors of 256 bits (wide.ts). It is compared with the same code in vectors of 128 bits
// where it stands: both do some steps from the same memory, which is put back afterwards.
import type { Memory, Run } from './instance';
import type { WideVectors } from './wide';

/** Steps that are compared, and of which the time is taken. */
const STEPS = 16;
const TURNS = 9;

/** Where in memory there is what steps change, and the list of what they return. */
export interface Place {
  readonly from: number;
  readonly to: number;
  readonly list: number;
}

/**
 * The code in wide vectors; null where the engine has none, gains nothing, or computes another bit.
 * @param piece what the first step is fed @param make the code from a module of its own, compiled as told
 */
export function wideSteps(plain: Run, make: () => Run, vectors: WideVectors, memory: Memory, { from, to, list }: Place, piece: number): Run | null {
  let wide: Run;
  try {
    wide = vectors.compile(make);
  } catch {
    // What cannot be compiled is not used.
    return null;
  }
  const bytes = new Uint8Array(memory.buffer, from, to - from);
  const before = bytes.slice();
  const steps = (run: Run): number => run(list, list + STEPS * 8, piece);
  const after = (run: Run): readonly [number, Uint8Array] => {
    const end = steps(run);
    const found = bytes.slice();
    bytes.set(before);
    return [end, found];
  };
  const least = (run: Run): number => {
    const times = Array.from({ length: TURNS }, () => {
      const start = vectors.now();
      steps(run);
      const time = vectors.now() - start;
      bytes.set(before);
      return time;
    });
    return Math.min(...times);
  };
  const [end, expected] = after(plain);
  const [wideEnd, found] = after(wide);
  const same = end === wideEnd && expected.every((byte, i) => byte === found[i]);
  return same && least(plain) > 1.05 * least(wide) ? wide : null;
}
