// Records calls of kernels, which \`replay\` of assembly/trace.ts repeats in one call. A trace holds kernels that
// return nothing, and at most one that returns a number.
import type { WasmExports } from './wasm-instance';

/** The kernels that can be recorded, by opcode: how many addresses and sizes each takes. Doubles follow those. */
export const OPCODES: readonly (readonly [name: keyof WasmExports, words: number])[] = [
  ['fill', 2],
  ['copy', 3],
  ['scale', 3],
  ['subtract', 4],
  ['matmul', 7],
  ['matmulTransposedA', 7],
  ['matmulTransposedB', 8],
  ['addRow', 4],
  ['accumulateRows', 4],
  ['tanh', 3],
  ['tanhBackward', 4],
  ['sigmoid', 3],
  ['sigmoidBackward', 4],
  ['relu', 3],
  ['reluBackward', 4],
  ['softmax', 4],
  ['softmaxBackward', 5],
  ['squaredErrorBackward', 4],
  ['crossEntropyBackward', 5],
  ['negativeLogLikelihoodBackward', 4],
  ['binaryCrossEntropyBackward', 4],
  ['binaryCrossEntropyWithLogitsBackward', 4],
  ['sgd', 3],
  ['sgdWithMomentum', 4],
  ['axpby', 3],
  ['axpbySquared', 3],
  ['addcdivSqrt', 4],
  ['addSign', 3],
  ['clamp', 3],
  ['multiply', 4],
  ['unary', 4],
  ['unaryBackward', 5],
  ['logSoftmax', 4],
  ['logSoftmaxBackward', 5],
  ['copyColumns', 8],
];

/** Kernels that return a number and write nothing. They take only addresses and sizes, and have no opcode. */
export const SCALAR_KERNELS = [
  'squaredError',
  'crossEntropy',
  'negativeLogLikelihood',
  'binaryCrossEntropy',
  'binaryCrossEntropyWithLogits',
] as const satisfies readonly (keyof WasmExports)[];

/** Thrown by work that cannot be recorded, and caught by the recorder. */
export class NotTraceableError extends Error {}

/** Size of a recorded call in bytes, and the offset of its doubles. */
export const CALL_BYTES = 64;
export const DOUBLES_OFFSET = 48;

export interface KernelCall {
  readonly opcode: number;
  readonly name: keyof WasmExports;
  readonly ints: readonly number[];
  readonly doubles: readonly number[];
  /** Whether it returns the number that the trace returns. */
  readonly returnsValue: boolean;
}

export class TraceRecorder {
  isRecording = false;
  #calls: KernelCall[] = [];
  #nextAddress: number;

  /** @param end end of the memory for traces */
  constructor(
    top: number,
    readonly end: number,
  ) {
    this.#nextAddress = top;
  }

  /**
   * The functions to call instead of the module until `stop`. @param allowScalar whether one operation may return a
   * number
   */
  start(exports: WasmExports, allowScalar = false): WasmExports {
    this.isRecording = true;
    this.#calls = [];
    const refuse = (): never => {
      if (allowScalar) throw new NotTraceableError();
      throw new Error('only kernels that return nothing can be prepared');
    };
    const recorder: Record<string, unknown> = Object.fromEntries(Object.keys(exports).map((name) => [name, refuse]));
    OPCODES.forEach(([name, count], opcode) => {
      recorder[name] = (...values: number[]): void => {
        this.#calls.push({
          opcode,
          name,
          ints: values.slice(0, count),
          doubles: values.slice(count),
          returnsValue: false,
        });
      };
    });
    for (const name of allowScalar ? SCALAR_KERNELS : []) {
      recorder[name] = (...ints: number[]): number => {
        if (this.#calls.some(({ returnsValue }) => returnsValue)) refuse();
        this.#calls.push({ opcode: NaN, name, ints, doubles: [], returnsValue: true });
        return NaN;
      };
    }
    return recorder as unknown as WasmExports;
  }

  stop(): void {
    this.isRecording = false;
  }

  /** The latest recording. */
  get calls(): readonly KernelCall[] {
    return this.#calls;
  }

  /** Writes the recording into memory; null if there is no room. */
  write(memory: ArrayBufferLike): { readonly from: number; readonly to: number } | null {
    const from = this.#nextAddress;
    const to = from + this.#calls.length * CALL_BYTES;
    if (to > this.end) return null;
    this.#calls.forEach(({ opcode, ints, doubles }, i) => {
      const at = from + i * CALL_BYTES;
      new Int32Array(memory, at, 1 + ints.length).set([opcode, ...ints]);
      new Float64Array(memory, at + DOUBLES_OFFSET, doubles.length).set(doubles);
    });
    this.#nextAddress = to;
    return { from, to };
  }
}
