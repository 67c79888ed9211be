// Writes down what kernels are called with, for `play` of assembly/tape.ts to do all of it in one call. Only
// operations that return nothing can be written down, and one that returns a number.
import type { Exports } from './instance';

/** By the number that they have on a tape: how many addresses and sizes they take. Doubles follow those. */
const OPERATIONS: readonly (readonly [name: keyof Exports, words: number])[] = [
  ['fill', 2], ['copy', 3], ['scale', 3], ['subtract', 4], ['matmul', 7], ['matmulTransposedA', 7], ['matmulTransposedB', 8],
  ['addRow', 4], ['accumulateRows', 4], ['tanh', 3], ['tanhBackward', 4], ['sigmoid', 3], ['sigmoidBackward', 4],
  ['relu', 3], ['reluBackward', 4], ['softmax', 4], ['softmaxBackward', 5], ['squaredErrorBackward', 4],
  ['crossEntropyBackward', 5], ['negativeLogLikelihoodBackward', 4], ['binaryCrossEntropyBackward', 4],
  ['binaryCrossEntropyWithLogitsBackward', 4], ['sgd', 3], ['sgdWithMomentum', 4],
  ['combine', 3], ['combineSquares', 3], ['addQuotient', 4], ['addSign', 3], ['clamp', 3], ['multiply', 4],
  ['unary', 4], ['unaryBackward', 5], ['logSoftmax', 4], ['logSoftmaxBackward', 5],
];

/** Those that return a number and write nothing; they take addresses and sizes only, and have no number on a tape. */
export const RETURNING = [
  'squaredError', 'crossEntropy', 'negativeLogLikelihood', 'binaryCrossEntropy', 'binaryCrossEntropyWithLogits',
] as const satisfies readonly (keyof Exports)[];

/** Thrown out of work that cannot be written down, and caught where it was to be. */
export class CannotPrepare extends Error {}

/** Bytes of an operation, and where in it the doubles begin. */
const OPERATION = 64;
const DOUBLES = 48;

export interface Operation {
  readonly number: number;
  readonly name: keyof Exports;
  readonly words: readonly number[];
  readonly doubles: readonly number[];
  /** It returns a number, which is what the tape returns. */
  readonly returns: boolean;
}

export class Tapes {
  recording = false;
  #operations: Operation[] = [];
  #top: number;

  /** @param end where the room for tapes ends. */
  constructor(
    top: number,
    readonly end: number,
  ) {
    this.#top = top;
  }

  /** What to call in place of the module, until `stop`. @param returning whether one operation may return a number */
  start(exports: Exports, returning = false): Exports {
    this.recording = true;
    this.#operations = [];
    const refuse = (): never => {
      if (returning) throw new CannotPrepare();
      throw new Error('only kernels that return nothing can be prepared');
    };
    const recorder: Record<string, unknown> = Object.fromEntries(Object.keys(exports).map((name) => [name, refuse]));
    OPERATIONS.forEach(([name, count], number) => {
      recorder[name] = (...values: number[]): void => {
        this.#operations.push({ number, name, words: values.slice(0, count), doubles: values.slice(count), returns: false });
      };
    });
    for (const name of returning ? RETURNING : []) {
      recorder[name] = (...words: number[]): number => {
        if (this.#operations.some(({ returns }) => returns)) refuse();
        this.#operations.push({ number: NaN, name, words, doubles: [], returns: true });
        return NaN;
      };
    }
    return recorder as unknown as Exports;
  }

  stop(): void {
    this.recording = false;
  }

  /** What was recorded last. */
  get operations(): readonly Operation[] {
    return this.#operations;
  }

  /** Writes what was recorded into memory; null where there is no room. */
  write(memory: ArrayBufferLike): { readonly from: number; readonly to: number } | null {
    const from = this.#top;
    const to = from + this.#operations.length * OPERATION;
    if (to > this.end) return null;
    this.#operations.forEach(({ number, words, doubles }, i) => {
      const at = from + i * OPERATION;
      new Int32Array(memory, at, 1 + words.length).set([number, ...words]);
      new Float64Array(memory, at + DOUBLES, doubles.length).set(doubles);
    });
    this.#top = to;
    return { from, to };
  }
}
