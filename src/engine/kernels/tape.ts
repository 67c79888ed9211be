// Writes down what kernels are called with, for `play` of assembly/tape.ts to do all of it in one call. Only
// operations that return nothing can be written down.
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

/** Bytes of an operation, and where in it the doubles begin. */
const OPERATION = 64;
const DOUBLES = 48;

interface Operation {
  readonly number: number;
  readonly words: readonly number[];
  readonly doubles: readonly number[];
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

  /** What to call in place of the module, until `stop`. */
  start(exports: Exports): Exports {
    this.recording = true;
    this.#operations = [];
    const refuse = (): never => {
      throw new Error('only kernels that return nothing can be prepared');
    };
    const recorder: Record<string, unknown> = Object.fromEntries(Object.keys(exports).map((name) => [name, refuse]));
    OPERATIONS.forEach(([name, count], number) => {
      recorder[name] = (...values: number[]): void => {
        this.#operations.push({ number, words: values.slice(0, count), doubles: values.slice(count) });
      };
    });
    return recorder as unknown as Exports;
  }

  stop(): void {
    this.recording = false;
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
