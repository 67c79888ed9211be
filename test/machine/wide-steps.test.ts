// Small steps in vectors of 256 bits, where the engine can: the same bits, or they are not used.
import { describe, expect, it } from 'vitest';
import { sharedMemory } from '../../src/engine/kernels/instance';
import type { WasmKernels } from '../../src/engine/kernels/wasm';
import type { WideVectors } from '../../src/engine/kernels/wide';
import { wideSteps } from '../../src/engine/kernels/wide-steps';
import { wideVectors } from '../../src/machine/wide-vectors';
import type { TrainingSession } from '../../src/session/session';
import { sessionOf, workloads } from '../../bench/workloads';

/** As if each look at the clock came so much later than the one before, in turn. */
const paced = (...milliseconds: readonly number[]): WideVectors => {
  let looks = 0;
  let time = 0;
  return { ...wideVectors, now: () => (time += milliseconds[Math.min(looks++ >> 1, milliseconds.length - 1)]) };
};
/** Of nine turns with narrow vectors, then nine with wide ones. */
const wideIsFaster = (): WideVectors => paced(...Array<number>(9).fill(2), 1);

function train(session: TrainingSession, steps: number): number[] {
  const losses: number[] = [];
  for (let done = 0; done < steps; losses.push(session.loss ?? NaN)) done += session.train(steps - done);
  return losses;
}

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('%s', (backend) => {
  it.each(workloads.slice(1, 3))('$name: the bits of narrow vectors', (workload) => {
    const [narrow, wide] = [undefined, wideIsFaster()].map((vectors) => sessionOf(workload, { backend, wideVectors: vectors, fuseAfter: 5 }));
    expect(train(wide, 300)).toEqual(train(narrow, 300));
    expect(wide.hash()).toBe(narrow.hash());
    expect([narrow, wide].map(({ network }) => (network.kernels as WasmKernels).wideSteps)).toEqual([false, true]);
  });
});

describe('steps that are tried', () => {
  const LIST = 64;
  const FROM = 1024;
  const memory = sharedMemory(1, 1);
  const cell = new Float64Array(memory.buffer, FROM, 1);
  const list = new Float64Array(memory.buffer, LIST, 16);
  /** A step that adds to a number. */
  const adding = (by: number) => (from: number, to: number): number => {
    for (let i = from; i < to; i += 8) list[(i - LIST) / 8] = cell[0] += by;
    return to;
  };
  const tried = (by: number, vectors: WideVectors): boolean => {
    const other = adding(by);
    const found = wideSteps(adding(1), () => other, vectors, memory, { from: FROM, to: FROM + 8, list: LIST }, 0);
    expect(found === null || found === other).toBe(true);
    return found !== null;
  };

  it('are put back, and used if they do the same faster', () => {
    cell[0] = 7;
    expect(tried(1, wideIsFaster())).toBe(true);
    expect(cell[0]).toBe(7);
  });

  it('are not used where they do another bit', () => {
    cell[0] = 7;
    expect(tried(1 + 2 ** -49, wideIsFaster())).toBe(false);
    expect(cell[0]).toBe(7);
  });

  it('are not used where they are no faster', () => expect(tried(1, paced(1))).toBe(false));

  it('are not used where they cannot be compiled', () => {
    const compile = (): never => {
      throw new Error('no such flag');
    };
    expect(tried(1, { ...wideIsFaster(), compile })).toBe(false);
  });
});
