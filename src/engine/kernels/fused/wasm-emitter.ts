// Emits one function that repeats a step, in vectors of four float32. Each iteration reads the next chunk of its
// streams and appends its result to a list. Values are in locals that are assigned once per iteration. Values loaded
// from memory are reused until a loop or a call may have changed them.
import { float64Bytes, float32Bytes, signedLeb128, unsignedLeb128 } from './wasm-encoding';
import {
  V128_CONST,
  F64,
  F64X2_EXTRACT_LANE,
  LOCAL_GET,
  I32,
  LATENCIES,
  LOAD,
  LOAD_SPLAT,
  UNARY_OPERATIONS,
  BINARY_OPERATIONS,
  RELAXED_MADD,
  LOCAL_SET,
  SHIFTS,
  SHUFFLE,
  SIMD,
  STORE,
  STORE32_LANE,
  STORE64_LANE,
  LOCAL_TEE,
  DEFAULT_LATENCY,
  V128,
} from './instructions';
import { loopCarriedVectors, type Instruction, schedule } from './schedule';

/** The index of a local that holds a vector. */
export type Value = number;

/** An address: fixed, or relative to the pointer of a loop. */
export interface Address {
  /** The index of a local, or `FIXED_POINTER`. */
  readonly pointer: number;
  readonly offset: number;
}

const ALL_BITS = Array<number>(8).fill(0xff);
const NO_BITS = Array<number>(8).fill(0);

const FIXED_POINTER = -1;
export const fixedAddress = (offset: number): Address => ({ pointer: FIXED_POINTER, offset });
export const offsetBy = ({ pointer, offset }: Address, bytes: number): Address => ({ pointer, offset: offset + bytes });

/**
 * A region of memory from which each iteration takes the next chunk of this many bytes, starting again after the last.
 */
export interface StreamSource {
  readonly from: number;
  readonly end: number;
  readonly bytesPerStep: number;
  /** Whether it starts with its first chunk, whatever chunk the others start with. */
  readonly startsAtFirst?: boolean;
}

/** Placeholders for the numbers of a list, from which each iteration takes the next ones. */
export interface PerStepParameters {
  readonly placeholders: readonly number[];
  readonly source: StreamSource;
}

/** Elements per vector. */
export const LANES = 4;
/** Bytes per element. */
export const ELEMENT_BYTES = 4;
/** Bytes per vector. */
export const VECTOR_BYTES = 16;

/** The parameters of the function: where the list continues, where it ends, and the first chunk. */
const RESULTS_PARAM = 0;
const RESULTS_END_PARAM = 1;
const START_INDEX_PARAM = 2;
const PARAMETER_COUNT = 3;

interface VectorLane {
  readonly value: Value;
  readonly lane: number;
}

/** A unique number for each address. */
const addressKey = ({ pointer, offset }: Address): number => (pointer + 1) * 2 ** 33 + offset;

export class WasmEmitter {
  readonly #instructions: Instruction[] = [];
  /** The instruction being emitted, and the locals that it reads. */
  #bytes: number[] = [];
  #reads: number[] = [];
  #touchedVectors: number[] = [];
  #wholeVector: number | null = null;
  #size = 0;
  /** Computed once, before everything else. */
  readonly #constantBytes: number[] = [];
  readonly #localTypes: number[] = [];
  /** The local that the function returns. */
  #resultLocal: number | null = null;
  readonly #variables = new Set<Value>();
  readonly #knownLanes = new Map<number, VectorLane>();
  readonly #splats = new Map<number, Value>();
  readonly #shuffles = new Map<string, Value>();
  readonly #constantValues = new Map<string, Value>();
  /** Each stream with the pointer to its current chunk. */
  readonly #streams: readonly (StreamSource & { readonly pointer: number })[];

  constructor(
    /** Whether products and sums may be rounded once, if the processor can. */
    readonly relaxedSimd: boolean,
    sources: readonly StreamSource[] = [],
    readonly perStepParameters: PerStepParameters | null = null,
  ) {
    this.#streams = [...sources, ...(perStepParameters ? [perStepParameters.source] : [])].map((source) => ({
      ...source,
      pointer: this.#addLocal(I32),
    }));
  }

  get size(): number {
    return this.#size;
  }

  /**
   * The function's body in the encoding of a module. It ends early after an iteration with a result that is not finite.
   * @returns where the list ends then
   */
  encodeBody(): number[] {
    const locals = [...unsignedLeb128(this.#localTypes.length), ...this.#localTypes.flatMap((type) => [1, type])];
    const result =
      this.#resultLocal === null ? [0x44, ...float64Bytes(0)] : [LOCAL_GET, ...unsignedLeb128(this.#resultLocal)];
    const starts = this.#streams.flatMap(({ from, bytesPerStep, startsAtFirst, pointer }) => [
      ...(startsAtFirst ? [0x41, 0] : [LOCAL_GET, START_INDEX_PARAM]),
      0x41,
      ...signedLeb128(bytesPerStep),
      0x6c,
      0x41,
      ...signedLeb128(from),
      0x6a,
      LOCAL_SET,
      ...unsignedLeb128(pointer),
    ]);
    const advances = this.#streams.flatMap(({ from, end, bytesPerStep, pointer }) => [
      0x41,
      ...signedLeb128(from),
      LOCAL_GET,
      ...unsignedLeb128(pointer),
      0x41,
      ...signedLeb128(bytesPerStep),
      0x6a,
      LOCAL_TEE,
      ...unsignedLeb128(pointer),
      LOCAL_GET,
      ...unsignedLeb128(pointer),
      0x41,
      ...signedLeb128(end),
      0x46,
      0x1b,
      LOCAL_SET,
      ...unsignedLeb128(pointer),
    ]);
    const loopCarried = loopCarriedVectors(this.#instructions);
    const first = loopCarried.flatMap(({ load }) => load.bytes);
    const loaded = new Set(loopCarried.map(({ load }) => load));
    const body = schedule(
      this.#instructions.filter((each) => !loaded.has(each)),
      loopCarried,
    ).flatMap(({ bytes }) => bytes);
    // All at once, because one may overwrite what another reads.
    const storeLoopCarried = [
      ...loopCarried.flatMap(({ value }) => [LOCAL_GET, ...unsignedLeb128(value)]),
      ...loopCarried.toReversed().flatMap(({ load }) => [LOCAL_SET, ...unsignedLeb128(load.writes ?? 0)]),
    ];
    const finite = [...result, ...result, 0xa1, 0x44, ...float64Bytes(0), 0x61];
    return [
      ...locals,
      ...this.#constantBytes,
      ...starts,
      ...first,
      0x03,
      0x40,
      ...body,
      ...storeLoopCarried,
      LOCAL_GET,
      RESULTS_PARAM,
      ...result,
      0x39,
      3,
      0,
      LOCAL_GET,
      RESULTS_PARAM,
      0x41,
      8,
      0x6a,
      LOCAL_SET,
      RESULTS_PARAM,
      ...advances,
      ...finite,
      LOCAL_GET,
      RESULTS_PARAM,
      LOCAL_GET,
      RESULTS_END_PARAM,
      0x49,
      0x71,
      0x0d,
      0x00,
      0x0b,
      LOCAL_GET,
      RESULTS_PARAM,
      0x0b,
    ];
  }

  /** An address of the trace, which may be in the first chunk of a stream. */
  addressOf(address: number): Address {
    const source = this.#streams.find(({ from, bytesPerStep }) => address >= from && address < from + bytesPerStep);
    return source ? { pointer: source.pointer, offset: address - source.from } : fixedAddress(address);
  }

  /** The same number in every lane, rounded to float32. */
  constant(x: number): Value {
    const place = this.perStepParameters?.placeholders.indexOf(x) ?? -1;
    if (this.perStepParameters && place >= 0)
      return this.#loadSplat(offsetBy(this.addressOf(this.perStepParameters.source.from), place * ELEMENT_BYTES));
    return this.#constant(`float ${Object.is(x, -0) ? '-0' : x}`, () => float32Bytes(x));
  }

  /** The same float64 in both lanes. */
  double(x: number): Value {
    return this.#constant(`double ${x}`, () => float64Bytes(x));
  }

  /** The first of two float64 lanes, with 0 in the other one. */
  firstDouble(x: Value): Value {
    return this.binary(
      'and',
      x,
      this.#constant('first double', () => [...ALL_BITS, ...NO_BITS]),
    );
  }

  binary(name: keyof typeof BINARY_OPERATIONS, a: Value, b: Value): Value {
    this.#emitGet(a);
    this.#emitGet(b);
    return this.#emitResult(BINARY_OPERATIONS[name]);
  }

  accumulate = (a: Value, b: Value): Value => this.binary('add', a, b);
  subtract = (a: Value, b: Value): Value => this.binary('subtract', a, b);
  multiply = (a: Value, b: Value): Value => this.binary('multiply', a, b);

  /** a b + c. */
  madd(a: Value, b: Value, c: Value): Value {
    if (!this.relaxedSimd) return this.accumulate(this.multiply(a, b), c);
    this.#emitGet(a);
    this.#emitGet(b);
    this.#emitGet(c);
    return this.#emitResult(RELAXED_MADD);
  }

  unary(name: keyof typeof UNARY_OPERATIONS, x: Value): Value {
    this.#emitGet(x);
    return this.#emitResult(UNARY_OPERATIONS[name]);
  }

  shift(name: keyof typeof SHIFTS, x: Value, bits: number): Value {
    this.#emitGet(x);
    this.#bytes.push(0x41, ...signedLeb128(bits));
    return this.#emitResult(SHIFTS[name]);
  }

  /** A mutable value, reassigned with `assign`. */
  variable(from: Value): Value {
    const variable = this.#addLocal(V128);
    this.#variables.add(variable);
    this.assign(variable, from);
    return variable;
  }

  assign(variable: Value, value: Value): void {
    this.#emitGet(value);
    this.#bytes.push(LOCAL_SET, ...unsignedLeb128(variable));
    this.#finishInstruction({ writes: variable, latency: 0 });
  }

  /**
   * The elements at four addresses; lanes with null are undefined. A whole vector is readable wherever an element is.
   */
  gather(addresses: readonly (Address | null)[]): Value {
    const requested = addresses.filter((address) => address !== null);
    const first = requested[0]!;
    if (requested.every(({ pointer, offset }) => pointer === first.pointer && offset === first.offset))
      return this.#loadSplat(first);
    const consecutive = addresses.every(
      (address, lane) => address === null || address.offset === first.offset + lane * ELEMENT_BYTES,
    );
    if (
      consecutive &&
      addresses[0] !== null &&
      requested.every((address) => !this.#knownLanes.has(addressKey(address)))
    )
      return this.#load(first);
    for (const address of requested) {
      if (!this.#knownLanes.has(addressKey(address)))
        this.#load(offsetBy(address, -(address.offset & (VECTOR_BYTES - 1))));
    }
    return this.#shuffle(
      addresses.map((address) => (address ? (this.#knownLanes.get(addressKey(address)) ?? null) : null)),
    );
  }

  /** Up to four elements from an address. */
  load(address: Address, count = LANES): Value {
    return this.gather(
      Array.from({ length: LANES }, (_, lane) => (lane < count ? offsetBy(address, lane * ELEMENT_BYTES) : null)),
    );
  }

  /** Stores the first 1 to 4 elements of a value. */
  store(address: Address, value: Value, count: number): void {
    if (count >= LANES) this.#store(address, value, STORE, 2);
    else {
      if (count >= 2) this.#store(address, value, STORE64_LANE, 3, 0);
      if (count % 2 === 1)
        this.#store(offsetBy(address, (count - 1) * ELEMENT_BYTES), value, STORE32_LANE, 2, count - 1);
    }
    for (let lane = 0; lane < count; lane++) {
      const key = addressKey(offsetBy(address, lane * ELEMENT_BYTES));
      this.#knownLanes.set(key, { value, lane });
      this.#splats.delete(key);
    }
  }

  /** Repeats `body`, at least once, with pointers that start and advance as given, in bytes. */
  loop(
    times: number,
    pointers: readonly (readonly [from: number, step: number])[],
    body: (pointers: readonly Address[]) => void,
  ): void {
    this.invalidateMemory();
    const locals = pointers.map(([from]) => {
      const local = this.#addLocal(I32);
      const { pointer, offset } = this.addressOf(from);
      this.#bytes.push(0x41, ...signedLeb128(offset));
      if (pointer !== FIXED_POINTER) this.#bytes.push(LOCAL_GET, ...unsignedLeb128(pointer), 0x6a);
      this.#bytes.push(LOCAL_SET, ...unsignedLeb128(local));
      return local;
    });
    this.#bytes.push(0x03, 0x40);
    this.#finishInstruction({ isBarrier: true });
    const first = this.#instructions.length;
    body(locals.map((pointer) => ({ pointer, offset: 0 })));
    // Locals that an iteration leaves behind would count as used by the next one, which keeps V8 from joining vectors.
    const zero = this.constant(0);
    const unusedLocals = new Set(
      this.#instructions
        .slice(first)
        .flatMap(({ writes }) => (writes === null || this.#variables.has(writes) ? [] : [writes])),
    );
    for (const local of unusedLocals) this.assign(local, zero);
    pointers.forEach(([, step], i) => {
      this.#emitGet(locals[i]!);
      this.#bytes.push(0x41, ...signedLeb128(step), 0x6a, LOCAL_SET, ...unsignedLeb128(locals[i]!));
    });
    const [from, step] = pointers[0]!;
    this.#emitGet(locals[0]!);
    this.#bytes.push(0x41, ...signedLeb128(from + times * step), 0x49, 0x0d, 0x00, 0x0b);
    this.#finishInstruction({ isBarrier: true });
    this.invalidateMemory();
  }

  /** Calls an imported function. @param returns whether the emitted function returns its result */
  call(index: number, ints: readonly number[], doubles: readonly number[], returns = false): void {
    for (const word of ints) this.#bytes.push(0x41, ...signedLeb128(word));
    for (const double of doubles) this.#bytes.push(0x44, ...float64Bytes(double));
    this.#bytes.push(0x10, ...unsignedLeb128(index));
    // A function with a result writes nothing.
    if (returns) this.#bytes.push(LOCAL_SET, ...unsignedLeb128((this.#resultLocal = this.#addLocal(F64))));
    else this.invalidateMemory();
    this.#finishInstruction({ isBarrier: true });
  }

  /** Returns the sum of two float64 lanes. */
  returnSum(x: Value): void {
    this.#resultLocal = this.#addLocal(F64);
    for (const lane of [0, 1]) {
      this.#emitGet(x);
      this.#bytes.push(SIMD, ...unsignedLeb128(F64X2_EXTRACT_LANE), lane);
    }
    this.#bytes.push(0xa0, LOCAL_SET, ...unsignedLeb128(this.#resultLocal));
    this.#finishInstruction({ writes: this.#resultLocal, latency: 0 });
  }

  /** Values loaded or stored so far may have changed. */
  invalidateMemory(): void {
    this.#knownLanes.clear();
    this.#splats.clear();
    this.#shuffles.clear();
  }

  #loadSplat(address: Address): Value {
    const lane = this.#knownLanes.get(addressKey(address));
    if (lane) return this.#shuffle([lane, lane, lane, lane]);
    const found = this.#splats.get(addressKey(address));
    if (found !== undefined) return found;
    this.#emitAddress(address);
    this.#recordAccess(address, ELEMENT_BYTES);
    const value = this.#emitResult(LOAD_SPLAT, 2, ...unsignedLeb128(this.#offset(address)));
    this.#splats.set(addressKey(address), value);
    return value;
  }

  #load(address: Address): Value {
    this.#emitAddress(address);
    this.#recordAccess(address, VECTOR_BYTES, true);
    const value = this.#emitResult(LOAD, 2, ...unsignedLeb128(this.#offset(address)));
    for (let lane = 0; lane < LANES; lane++) {
      const key = addressKey(offsetBy(address, lane * ELEMENT_BYTES));
      if (!this.#knownLanes.has(key)) this.#knownLanes.set(key, { value, lane });
    }
    return value;
  }

  /** A vector of lanes of others; lanes with null are undefined. */
  #shuffle(lanes: readonly (VectorLane | null)[]): Value {
    const values = [...new Set(lanes.flatMap((lane) => (lane ? [lane.value] : [])))];
    if (values.length === 1 && lanes.every((lane, i) => !lane || lane.lane === i)) return values[0]!;
    const key = lanes.map((lane) => (lane ? `${lane.value}.${lane.lane}` : '')).join();
    const found = this.#shuffles.get(key);
    if (found !== undefined) return found;
    let result = values[0]!;
    for (let i = Math.min(1, values.length - 1); i < values.length; i++) {
      this.#emitGet(result);
      this.#emitGet(values[i]!);
      const first = i <= 1;
      const from = lanes.map((lane, to) => {
        if (lane && i > 0 && lane.value === values[i]) return LANES + lane.lane;
        return lane && first && lane.value === values[0] ? lane.lane : to;
      });
      result = this.#emitResult(
        SHUFFLE,
        ...from.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * ELEMENT_BYTES + byte)),
      );
    }
    this.#shuffles.set(key, result);
    return result;
  }

  #store(address: Address, value: Value, operation: number, alignment: number, ...lane: number[]): void {
    this.#emitAddress(address);
    this.#emitGet(value);
    this.#bytes.push(SIMD, ...unsignedLeb128(operation), alignment, ...unsignedLeb128(this.#offset(address)), ...lane);
    this.#recordAccess(
      address,
      lane.length === 0 ? VECTOR_BYTES : operation === STORE64_LANE ? 2 * ELEMENT_BYTES : ELEMENT_BYTES,
      lane.length === 0,
    );
    this.#finishInstruction({ isStore: true, latency: 0 });
  }

  // A fixed address becomes the offset of an instruction. With a pointer, offsets may be negative, so they are added to
  // it.
  #emitAddress({ pointer, offset }: Address): void {
    if (pointer === FIXED_POINTER) this.#bytes.push(0x41, 0);
    else {
      this.#emitGet(pointer);
      if (offset < 0) this.#bytes.push(0x41, ...signedLeb128(offset), 0x6a);
    }
  }

  #offset({ offset }: Address): number {
    return Math.max(0, offset);
  }

  #constant(key: string, bytesOf: () => readonly number[]): Value {
    let value = this.#constantValues.get(key);
    if (value === undefined) {
      value = this.#addLocal(V128);
      const bytes = bytesOf();
      this.#constantBytes.push(
        SIMD,
        V128_CONST,
        ...Array.from({ length: VECTOR_BYTES }, (_, i) => bytes[i % bytes.length]!),
        LOCAL_SET,
        ...unsignedLeb128(value),
      );
      this.#constantValues.set(key, value);
    }
    return value;
  }

  #addLocal(type: number): number {
    return PARAMETER_COUNT + this.#localTypes.push(type) - 1;
  }

  #emitGet(local: number): void {
    this.#bytes.push(LOCAL_GET, ...unsignedLeb128(local));
    this.#reads.push(local);
  }

  #emitResult(operation: number, ...immediates: number[]): Value {
    const value = this.#addLocal(V128);
    this.#bytes.push(SIMD, ...unsignedLeb128(operation), ...immediates, LOCAL_SET, ...unsignedLeb128(value));
    this.#finishInstruction({ writes: value, latency: LATENCIES.get(operation) ?? DEFAULT_LATENCY });
    return value;
  }

  /** Records that the instruction accesses this many bytes from an address. */
  #recordAccess({ pointer, offset }: Address, bytes: number, isWholeVector = false): void {
    // Streams are read-only, and loops are not reordered.
    if (pointer !== FIXED_POINTER) return;
    for (let at = offset & -VECTOR_BYTES; at < offset + bytes; at += VECTOR_BYTES) this.#touchedVectors.push(at);
    if (isWholeVector && this.#touchedVectors.length === 1) this.#wholeVector = this.#touchedVectors[0]!;
  }

  #finishInstruction(what: {
    readonly writes?: number;
    readonly latency?: number;
    readonly isStore?: boolean;
    readonly isBarrier?: boolean;
  }): void {
    const { writes = null, latency = 0, isStore = false, isBarrier = false } = what;
    this.#instructions.push({
      bytes: this.#bytes,
      reads: this.#reads,
      writes,
      latency,
      touches: this.#touchedVectors,
      wholeVector: this.#wholeVector,
      isStore,
      isBarrier,
    });
    this.#size += this.#bytes.length;
    this.#bytes = [];
    this.#reads = [];
    this.#touchedVectors = [];
    this.#wholeVector = null;
  }
}
