// Reductions of tensors that a compiled step keeps for each step, so that many steps in one call can be looked at
// afterwards. The step stores a vector for each of them; the last additions or comparisons are done when it is read.
import type { Tensor } from './tensor';

/** What is kept. `nan`: whether an element is NaN; `magnitude`: the largest absolute value. */
export type ReductionKind = 'sum' | 'sumOfSquares' | 'least' | 'largest' | 'magnitude' | 'nan';

/** A reduction of a tensor in float32 at the end of each step. */
export interface ObservedReduction {
  readonly kind: ReductionKind;
  readonly tensor: Tensor;
}

/** Bytes of what a step stores for one reduction. */
export const REDUCTION_BYTES = 16;
const DOUBLES = REDUCTION_BYTES / 8;
const FLOATS = REDUCTION_BYTES / 4;

/** Reads what the steps of the last call stored: the same numbers as those of the kernels. */
export class ObservedReductions {
  readonly #doubles: Float64Array;
  readonly #floats: Float32Array;
  readonly #words: Uint32Array;

  /** @param count reductions for each step */
  constructor(
    memory: ArrayBufferLike,
    address: number,
    readonly count: number,
    steps: number,
  ) {
    this.#doubles = new Float64Array(memory, address, steps * count * DOUBLES);
    this.#floats = new Float32Array(memory, address, steps * count * FLOATS);
    this.#words = new Uint32Array(memory, address, steps * count * FLOATS);
  }

  /** A function that reads a reduction, by its index, of a step of the call, counted from 0. */
  reader(kind: ReductionKind, index: number): (step: number) => number {
    const { count } = this;
    const floats = this.#floats;
    const doubles = this.#doubles;
    const words = this.#words;
    const offset = (step: number): number => (step * count + index) * FLOATS;
    switch (kind) {
      case 'sum':
      case 'sumOfSquares':
        return (step) => {
          const at = (step * count + index) * DOUBLES;
          return doubles[at]! + doubles[at + 1]!;
        };
      case 'least':
        return (step) => {
          const at = offset(step);
          return Math.min(floats[at]!, floats[at + 1]!, floats[at + 2]!, floats[at + 3]!);
        };
      case 'largest':
      case 'magnitude':
        return (step) => {
          const at = offset(step);
          return Math.max(floats[at]!, floats[at + 1]!, floats[at + 2]!, floats[at + 3]!);
        };
      case 'nan':
        return (step) => {
          const at = offset(step);
          return (words[at]! | words[at + 1]! | words[at + 2]! | words[at + 3]!) === 0 ? 0 : 1;
        };
    }
  }
}
