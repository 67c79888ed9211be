// Small steps with 256-bit vectors, if supported: the same bits, or they are not used.
import { describe, expect, it } from 'vitest';
import { createSharedMemory } from '../../src/engine/kernels/wasm-instance';
import type { WasmKernels } from '../../src/engine/kernels/wasm-kernels';
import type { Simd256Compiler } from '../../src/engine/kernels/simd256';
import { simd256Step } from '../../src/engine/kernels/simd256-step';
import { simd256Compiler } from '../../src/platform/simd256';
import type { TrainingSession } from '../../src/session/session';
import { createSession, workloads } from '../../bench/workloads';

/** A clock whose successive readings advance by these amounts, cyclically. */
const fakeClock = (...milliseconds: readonly number[]): Simd256Compiler => {
  let looks = 0;
  let time = 0;
  return { ...simd256Compiler, now: () => (time += milliseconds[Math.min(looks++ >> 1, milliseconds.length - 1)]) };
};
/** Nine rounds with 128-bit vectors, then nine with 256-bit vectors. */
const simd256IsFaster = (): Simd256Compiler => fakeClock(...Array<number>(9).fill(2), 1);

function train(session: TrainingSession, steps: number): number[] {
  const losses: number[] = [];
  for (let done = 0; done < steps; losses.push(session.loss ?? NaN)) done += session.train(steps - done);
  return losses;
}

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('%s', (backend) => {
  it.each(workloads.slice(1, 3))('$name: the bits of 128-bit vectors', (workload) => {
    const [narrow, wide] = [undefined, simd256IsFaster()].map((vectors) =>
      createSession(workload, { backend, simd256: vectors, fuseAfter: 5 }),
    );
    expect(train(wide, 300)).toEqual(train(narrow, 300));
    expect(wide.stateHash()).toBe(narrow.stateHash());
    expect([narrow, wide].map(({ network }) => (network.kernels as WasmKernels).usesSimd256Step)).toEqual([
      false,
      true,
    ]);
  });
});

describe('trial steps', () => {
  const LIST = 64;
  const FROM = 1024;
  const memory = createSharedMemory(1, 1);
  const cell = new Float64Array(memory.buffer, FROM, 1);
  const list = new Float64Array(memory.buffer, LIST, 16);
  /** A step that increments a number. */
  const adding =
    (by: number) =>
    (from: number, to: number): number => {
      for (let i = from; i < to; i += 8) list[(i - LIST) / 8] = cell[0] += by;
      return to;
    };
  const tried = (by: number, vectors: Simd256Compiler): boolean => {
    const other = adding(by);
    const found = simd256Step(adding(1), () => other, vectors, memory, { from: FROM, to: FROM + 8, results: LIST }, 0);
    expect(found === null || found === other).toBe(true);
    return found !== null;
  };

  it('are reverted, and used if they do the same faster', () => {
    cell[0] = 7;
    expect(tried(1, simd256IsFaster())).toBe(true);
    expect(cell[0]).toBe(7);
  });

  it('are not used if a bit differs', () => {
    cell[0] = 7;
    expect(tried(1 + 2 ** -49, simd256IsFaster())).toBe(false);
    expect(cell[0]).toBe(7);
  });

  it('are not used if they are not faster', () => expect(tried(1, fakeClock(1))).toBe(false));

  it('are not used if they cannot be compiled', () => {
    const compile = (): never => {
      throw new Error('no such flag');
    };
    expect(tried(1, { ...simd256IsFaster(), compile })).toBe(false);
  });
});
