// Writes the code of one function that does the same again and again, in vectors of four float32: from one piece of what it is
// fed on to the next, with what each time returns in a list. What is computed lies in locals that are assigned once a time; what memory
// holds is remembered as long as no loop or call may have changed it, and not loaded again.
import { doubleBytes, floatBytes, signed, unsigned } from './bytes';
import {
  CONSTANT, F64, FIRST_DOUBLE, GET, I32, LATENCIES, LOAD, LOAD_SPLAT, OF_ONE, OPERATIONS, RELAXED_MADD, SET, SHIFTS, SHUFFLE,
  SIMD, STORE, STORE_ONE, STORE_TWO, TEE, USUAL_LATENCY, V128,
} from './instructions';
import { carriedOver, type Instruction, schedule } from './schedule';

/** The number of a local that holds a vector. */
export type Value = number;

/** An address: fixed, or from a pointer of a loop on. */
export interface Address {
  /** The number of a local, or `FIXED`. */
  readonly pointer: number;
  readonly offset: number;
}

const FIXED = -1;
export const fixed = (offset: number): Address => ({ pointer: FIXED, offset });
export const after = ({ pointer, offset }: Address, bytes: number): Address => ({ pointer, offset: offset + bytes });

/** A part of memory of which each time takes the next piece of so many bytes, after the last one the first again. */
export interface Source {
  readonly from: number;
  readonly end: number;
  readonly bytes: number;
  /** It begins with the first piece, whatever that of the others is. */
  readonly own?: boolean;
}

/** Numbers that stand for those of a list, of which each time takes the next ones. */
export interface Varying {
  readonly standIns: readonly number[];
  readonly source: Source;
}

/** Elements of a vector. */
export const LANES = 4;
/** Bytes of an element. */
export const SIZE = 4;
/** Bytes of a vector. */
export const VECTOR = 16;

/** What the function takes: where the list goes on, where it ends, and the first piece. */
const LIST = 0;
const END = 1;
const PIECE = 2;
const PARAMETERS = 3;

interface Lane {
  readonly value: Value;
  readonly lane: number;
}

/** One number for each address. */
const keyOf = ({ pointer, offset }: Address): number => (pointer + 1) * 2 ** 33 + offset;

export class Code {
  readonly #body: Instruction[] = [];
  /** The instruction that is being written, and the locals that it reads. */
  #now: number[] = [];
  #reads: number[] = [];
  #touches: number[] = [];
  #whole: number | null = null;
  #size = 0;
  /** What is computed once, before everything else. */
  readonly #constants: number[] = [];
  readonly #types: number[] = [];
  /** What the function returns. */
  #returned: number | null = null;
  readonly #variables = new Set<Value>();
  readonly #known = new Map<number, Lane>();
  readonly #splats = new Map<number, Value>();
  readonly #shuffles = new Map<string, Value>();
  readonly #constantValues = new Map<string, Value>();
  /** Of each source, the pointer to the piece whose turn it is. */
  readonly #sources: readonly (Source & { readonly pointer: number })[];

  constructor(
    /** Whether products and sums are rounded once where the machine can. */
    readonly relaxed: boolean,
    sources: readonly Source[] = [],
    readonly varying: Varying | null = null,
  ) {
    this.#sources = [...sources, ...(varying ? [varying.source] : [])].map((source) => ({ ...source, pointer: this.#local(I32) }));
  }

  get size(): number {
    return this.#size;
  }

  /** The function's body, as a module holds it; it ends early after a time that returned no finite number. @returns where the list ends then */
  bytes(): number[] {
    const locals = [...unsigned(this.#types.length), ...this.#types.flatMap((type) => [1, type])];
    const result = this.#returned === null ? [0x44, ...doubleBytes(0)] : [GET, ...unsigned(this.#returned)];
    const starts = this.#sources.flatMap(({ from, bytes, own, pointer }) => [
      ...(own ? [0x41, 0] : [GET, PIECE]), 0x41, ...signed(bytes), 0x6c, 0x41, ...signed(from), 0x6a, SET, ...unsigned(pointer),
    ]);
    const advances = this.#sources.flatMap(({ from, end, bytes, pointer }) => [
      0x41, ...signed(from), GET, ...unsigned(pointer), 0x41, ...signed(bytes), 0x6a, TEE, ...unsigned(pointer),
      GET, ...unsigned(pointer), 0x41, ...signed(end), 0x46, 0x1b, SET, ...unsigned(pointer),
    ]);
    const carried = carriedOver(this.#body);
    const first = carried.flatMap(({ load }) => load.bytes);
    const loaded = new Set(carried.map(({ load }) => load));
    const body = schedule(this.#body.filter((each) => !loaded.has(each)), carried).flatMap(({ bytes }) => bytes);
    // All at once: what one of them leaves may be what another had.
    const left = [
      ...carried.flatMap(({ value }) => [GET, ...unsigned(value)]),
      ...carried.toReversed().flatMap(({ load }) => [SET, ...unsigned(load.writes ?? 0)]),
    ];
    const finite = [...result, ...result, 0xa1, 0x44, ...doubleBytes(0), 0x61];
    return [
      ...locals, ...this.#constants, ...starts, ...first, 0x03, 0x40, ...body, ...left, GET, LIST, ...result, 0x39, 3, 0,
      GET, LIST, 0x41, 8, 0x6a, SET, LIST, ...advances,
      ...finite, GET, LIST, GET, END, 0x49, 0x71, 0x0d, 0x00, 0x0b, GET, LIST, 0x0b,
    ];
  }

  /** An address as the tape has it, which may lie in the first piece of a source. */
  place(address: number): Address {
    const source = this.#sources.find(({ from, bytes }) => address >= from && address < from + bytes);
    return source ? { pointer: source.pointer, offset: address - source.from } : fixed(address);
  }

  /** The same number in every lane, rounded to float32. */
  constant(x: number): Value {
    const place = this.varying?.standIns.indexOf(x) ?? -1;
    if (this.varying && place >= 0) return this.#splat(after(this.place(this.varying.source.from), place * SIZE));
    return this.#constant(`float ${Object.is(x, -0) ? '-0' : x}`, () => floatBytes(x));
  }

  /** The same double in both lanes. */
  double(x: number): Value {
    return this.#constant(`double ${x}`, () => doubleBytes(x));
  }

  binary(name: keyof typeof OPERATIONS, a: Value, b: Value): Value {
    this.#get(a);
    this.#get(b);
    return this.#result(OPERATIONS[name]);
  }

  add = (a: Value, b: Value): Value => this.binary('add', a, b);
  subtract = (a: Value, b: Value): Value => this.binary('subtract', a, b);
  multiply = (a: Value, b: Value): Value => this.binary('multiply', a, b);

  /** a b + c. */
  madd(a: Value, b: Value, c: Value): Value {
    if (!this.relaxed) return this.add(this.multiply(a, b), c);
    this.#get(a);
    this.#get(b);
    this.#get(c);
    return this.#result(RELAXED_MADD);
  }

  unary(name: keyof typeof OF_ONE, x: Value): Value {
    this.#get(x);
    return this.#result(OF_ONE[name]);
  }

  shift(name: keyof typeof SHIFTS, x: Value, bits: number): Value {
    this.#get(x);
    this.#now.push(0x41, ...signed(bits));
    return this.#result(SHIFTS[name]);
  }

  /** A value that is assigned again, by `assign`. */
  variable(from: Value): Value {
    const variable = this.#local(V128);
    this.#variables.add(variable);
    this.assign(variable, from);
    return variable;
  }

  assign(variable: Value, value: Value): void {
    this.#get(value);
    this.#now.push(SET, ...unsigned(variable));
    this.#end({ writes: variable, latency: 0 });
  }

  /** The elements at four addresses; those at null may be anything. A whole vector is readable wherever an element is. */
  gather(addresses: readonly (Address | null)[]): Value {
    const wanted = addresses.filter((address) => address !== null);
    const [first] = wanted;
    if (wanted.every(({ pointer, offset }) => pointer === first.pointer && offset === first.offset)) return this.#splat(first);
    const consecutive = addresses.every((address, lane) => address === null || address.offset === first.offset + lane * SIZE);
    if (consecutive && addresses[0] !== null && wanted.every((address) => !this.#known.has(keyOf(address)))) return this.#load(first);
    for (const address of wanted) {
      if (!this.#known.has(keyOf(address))) this.#load(after(address, -(address.offset & (VECTOR - 1))));
    }
    return this.#shuffle(addresses.map((address) => (address ? (this.#known.get(keyOf(address)) ?? null) : null)));
  }

  /** Up to four elements from an address on. */
  load(address: Address, count = LANES): Value {
    return this.gather(Array.from({ length: LANES }, (_, lane) => (lane < count ? after(address, lane * SIZE) : null)));
  }

  /** Stores the first elements of a value, 1 to 4. */
  store(address: Address, value: Value, count: number): void {
    if (count >= LANES) this.#store(address, value, STORE, 2);
    else {
      if (count >= 2) this.#store(address, value, STORE_TWO, 3, 0);
      if (count % 2 === 1) this.#store(after(address, (count - 1) * SIZE), value, STORE_ONE, 2, count - 1);
    }
    for (let lane = 0; lane < count; lane++) {
      const key = keyOf(after(address, lane * SIZE));
      this.#known.set(key, { value, lane });
      this.#splats.delete(key);
    }
  }

  /** Does `body` a number of times, at least once, with pointers that start and advance as told, in bytes. */
  loop(times: number, pointers: readonly (readonly [from: number, step: number])[], body: (pointers: readonly Address[]) => void): void {
    this.forget();
    const locals = pointers.map(([from]) => {
      const local = this.#local(I32);
      const { pointer, offset } = this.place(from);
      this.#now.push(0x41, ...signed(offset));
      if (pointer !== FIXED) this.#now.push(GET, ...unsigned(pointer), 0x6a);
      this.#now.push(SET, ...unsigned(local));
      return local;
    });
    this.#now.push(0x03, 0x40);
    this.#end({ fixed: true });
    const first = this.#body.length;
    body(locals.map((pointer) => ({ pointer, offset: 0 })));
    // What a time leaves in locals would count as used by the next one, and so keep the machine from joining vectors.
    const zero = this.constant(0);
    const left = new Set(this.#body.slice(first).flatMap(({ writes }) => (writes === null || this.#variables.has(writes) ? [] : [writes])));
    for (const local of left) this.assign(local, zero);
    pointers.forEach(([, step], i) => {
      this.#get(locals[i]);
      this.#now.push(0x41, ...signed(step), 0x6a, SET, ...unsigned(locals[i]));
    });
    const [from, step] = pointers[0];
    this.#get(locals[0]);
    this.#now.push(0x41, ...signed(from + times * step), 0x49, 0x0d, 0x00, 0x0b);
    this.#end({ fixed: true });
    this.forget();
  }

  /** Calls an imported function. @param returns whether what it returns is to be returned */
  call(index: number, words: readonly number[], doubles: readonly number[], returns = false): void {
    for (const word of words) this.#now.push(0x41, ...signed(word));
    for (const double of doubles) this.#now.push(0x44, ...doubleBytes(double));
    this.#now.push(0x10, ...unsigned(index));
    // What returns something writes nothing.
    if (returns) this.#now.push(SET, ...unsigned((this.#returned = this.#local(F64))));
    else this.forget();
    this.#end({ fixed: true });
  }

  /** Returns the sum of two doubles. */
  returnSum(x: Value): void {
    this.#returned = this.#local(F64);
    for (const lane of [0, 1]) {
      this.#get(x);
      this.#now.push(SIMD, ...unsigned(FIRST_DOUBLE), lane);
    }
    this.#now.push(0xa0, SET, ...unsigned(this.#returned));
    this.#end({ writes: this.#returned, latency: 0 });
  }

  /** What was loaded or stored so far may have changed. */
  forget(): void {
    this.#known.clear();
    this.#splats.clear();
    this.#shuffles.clear();
  }

  #splat(address: Address): Value {
    const lane = this.#known.get(keyOf(address));
    if (lane) return this.#shuffle([lane, lane, lane, lane]);
    const found = this.#splats.get(keyOf(address));
    if (found !== undefined) return found;
    this.#address(address);
    this.#touch(address, SIZE);
    const value = this.#result(LOAD_SPLAT, 2, ...unsigned(this.#offset(address)));
    this.#splats.set(keyOf(address), value);
    return value;
  }

  #load(address: Address): Value {
    this.#address(address);
    this.#touch(address, VECTOR, true);
    const value = this.#result(LOAD, 2, ...unsigned(this.#offset(address)));
    for (let lane = 0; lane < LANES; lane++) {
      const key = keyOf(after(address, lane * SIZE));
      if (!this.#known.has(key)) this.#known.set(key, { value, lane });
    }
    return value;
  }

  /** A vector of lanes of others; null may be anything. */
  #shuffle(lanes: readonly (Lane | null)[]): Value {
    const values = [...new Set(lanes.flatMap((lane) => (lane ? [lane.value] : [])))];
    if (values.length === 1 && lanes.every((lane, i) => !lane || lane.lane === i)) return values[0];
    const key = lanes.map((lane) => (lane ? `${lane.value}.${lane.lane}` : '')).join();
    const found = this.#shuffles.get(key);
    if (found !== undefined) return found;
    let [result] = values;
    for (let i = Math.min(1, values.length - 1); i < values.length; i++) {
      this.#get(result);
      this.#get(values[i]);
      const first = i <= 1;
      const from = lanes.map((lane, to) => {
        if (lane && i > 0 && lane.value === values[i]) return LANES + lane.lane;
        return lane && first && lane.value === values[0] ? lane.lane : to;
      });
      result = this.#result(SHUFFLE, ...from.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * SIZE + byte)));
    }
    this.#shuffles.set(key, result);
    return result;
  }

  #store(address: Address, value: Value, operation: number, alignment: number, ...lane: number[]): void {
    this.#address(address);
    this.#get(value);
    this.#now.push(SIMD, ...unsigned(operation), alignment, ...unsigned(this.#offset(address)), ...lane);
    this.#touch(address, lane.length === 0 ? VECTOR : operation === STORE_TWO ? 2 * SIZE : SIZE, lane.length === 0);
    this.#end({ stores: true, latency: 0 });
  }

  // A whole address is the offset of an instruction; with a pointer, offsets may be negative, so they are added to it.
  #address({ pointer, offset }: Address): void {
    if (pointer === FIXED) this.#now.push(0x41, 0);
    else {
      this.#get(pointer);
      if (offset < 0) this.#now.push(0x41, ...signed(offset), 0x6a);
    }
  }

  #offset({ offset }: Address): number {
    return Math.max(0, offset);
  }

  #constant(key: string, bytesOf: () => readonly number[]): Value {
    let value = this.#constantValues.get(key);
    if (value === undefined) {
      value = this.#local(V128);
      const bytes = bytesOf();
      this.#constants.push(SIMD, CONSTANT, ...Array.from({ length: VECTOR }, (_, i) => bytes[i % bytes.length]), SET, ...unsigned(value));
      this.#constantValues.set(key, value);
    }
    return value;
  }

  #local(type: number): number {
    return PARAMETERS + this.#types.push(type) - 1;
  }

  #get(local: number): void {
    this.#now.push(GET, ...unsigned(local));
    this.#reads.push(local);
  }

  #result(operation: number, ...immediates: number[]): Value {
    const value = this.#local(V128);
    this.#now.push(SIMD, ...unsigned(operation), ...immediates, SET, ...unsigned(value));
    this.#end({ writes: value, latency: LATENCIES.get(operation) ?? USUAL_LATENCY });
    return value;
  }

  /** The instruction touches so many bytes from an address on. */
  #touch({ pointer, offset }: Address, bytes: number, whole = false): void {
    // What a step is fed from is only read, and in a loop nothing is put in another order.
    if (pointer !== FIXED) return;
    for (let at = offset & -VECTOR; at < offset + bytes; at += VECTOR) this.#touches.push(at);
    if (whole && this.#touches.length === 1) [this.#whole] = this.#touches;
  }

  #end(what: { readonly writes?: number; readonly latency?: number; readonly stores?: boolean; readonly fixed?: boolean }): void {
    const { writes = null, latency = 0, stores = false, fixed = false } = what;
    this.#body.push({ bytes: this.#now, reads: this.#reads, writes, latency, touches: this.#touches, whole: this.#whole, stores, fixed });
    this.#size += this.#now.length;
    this.#now = [];
    this.#reads = [];
    this.#touches = [];
    this.#whole = null;
  }
}
