// Reductions that are kept for each step: in the order of assembly/reductions.ts, hence with its bits.
import type { ReductionKind } from '../observed-reductions';
import {
  type Address,
  ELEMENT_BYTES,
  LANES,
  offsetBy,
  type Value,
  VECTOR_BYTES,
  type WasmEmitter,
} from './wasm-emitter';

/** Up to this many vectors there is no loop; above, the number of vectors per iteration. */
const UNROLL_LIMIT = 16;
const UNROLL_FACTOR = 4;

/** A reduction of `length` elements from an address, which is stored at another one. */
export interface EmittedReduction {
  readonly kind: ReductionKind;
  readonly from: number;
  readonly length: number;
  readonly to: number;
}

export function emitReduction(emitter: WasmEmitter, { kind, from, length, to }: EmittedReduction): void {
  const result =
    kind === 'sum' || kind === 'sumOfSquares'
      ? emitSum(emitter, from, length, kind === 'sumOfSquares')
      : emitRange(emitter, from, length, kind);
  emitter.store(emitter.addressOf(to), result, LANES);
}

/** Calls `step` with the values so far for each whole vector. @returns the last values, and how many elements remain */
function emitVectors(
  emitter: WasmEmitter,
  from: number,
  length: number,
  initial: readonly Value[],
  step: (values: readonly Value[], at: Address) => readonly Value[],
): { readonly values: readonly Value[]; readonly rest: readonly Address[] } {
  const vectors = Math.floor(length / LANES);
  let values = initial;
  let done = 0;
  if (vectors > UNROLL_LIMIT) {
    const times = Math.floor(vectors / UNROLL_FACTOR);
    const variables = initial.map((value) => emitter.variable(value));
    emitter.loop(times, [[from, UNROLL_FACTOR * VECTOR_BYTES]], ([pointer]) => {
      let current: readonly Value[] = variables;
      for (let i = 0; i < UNROLL_FACTOR; i++) current = step(current, offsetBy(pointer!, i * VECTOR_BYTES));
      variables.forEach((variable, i) => emitter.assign(variable, current[i]!));
    });
    values = variables;
    done = times * UNROLL_FACTOR;
  }
  const at = (element: number): Address => emitter.addressOf(from + element * ELEMENT_BYTES);
  for (; done < vectors; done++) values = step(values, at(done * LANES));
  const rest = Array.from({ length: length % LANES }, (_, i) => at(vectors * LANES + i));
  return { values, rest };
}

/** In two parts of two float64 each; the elements after the last whole vector join the first lane. */
function emitSum(emitter: WasmEmitter, from: number, length: number, squared: boolean): Value {
  const add = (sum: Value, x: Value): Value =>
    emitter.binary('addDoubles', sum, squared ? emitter.binary('multiplyDoubles', x, x) : x);
  const pair = (at: Address): Value => emitter.unary('promote', emitter.load(at, 2));
  const zero = emitter.double(0);
  const { values, rest } = emitVectors(emitter, from, length, [zero, zero], ([a, b], at) => [
    add(a!, pair(at)),
    add(b!, pair(offsetBy(at, VECTOR_BYTES / 2))),
  ]);
  const [a, b] = values;
  const first = rest.reduce(
    (sum, at) => add(sum, emitter.firstDouble(emitter.unary('promote', emitter.load(at, 1)))),
    a!,
  );
  return emitter.binary('addDoubles', first, b!);
}

function emitRange(emitter: WasmEmitter, from: number, length: number, kind: ReductionKind): Value {
  const combine = (value: Value, x: Value): Value => {
    if (kind === 'nan') return emitter.binary('or', value, emitter.binary('notEqual', x, x));
    if (kind === 'least') return emitter.binary('min', value, x);
    return emitter.binary('max', value, kind === 'magnitude' ? emitter.unary('absolute', x) : x);
  };
  const initial = kind === 'nan' ? 0 : kind === 'least' ? Infinity : -Infinity;
  const { values, rest } = emitVectors(emitter, from, length, [emitter.constant(initial)], ([value], at) => [
    combine(value!, emitter.load(at)),
  ]);
  const [last] = rest;
  if (!last) return values[0]!;
  // An element that is there twice changes nothing.
  return combine(values[0]!, emitter.gather(Array.from({ length: LANES }, (_, lane) => rest[lane] ?? last)));
}
