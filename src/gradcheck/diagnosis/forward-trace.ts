// Observes a custom layer's forward pass: the functions of `Math` that it calls, and the numbers that it stores in
// typed arrays and lists and reads again. Between these nodes there is plain arithmetic. In a replay, each node gives
// the result that it gave before, whatever goes into it, so that a perturbed number changes only what arithmetic
// alone connects it with.
import { asCustomLayerError } from '../../engine/custom/custom-layer-error';
import type { ForwardObserver } from '../../engine/layers/layer';
import type { Tensor } from '../../engine/kernels/tensor';

const OBSERVED = [
  ...['abs', 'acos', 'asin', 'atan', 'atan2', 'cbrt', 'cos', 'cosh', 'exp', 'expm1', 'hypot', 'log', 'log10', 'log1p'],
  ...['log2', 'max', 'min', 'pow', 'sin', 'sinh', 'sqrt', 'tan', 'tanh'],
] as const satisfies readonly (keyof Math)[];

/** Functions that make a list of another one. */
const LIST_METHODS = ['concat', 'filter', 'flat', 'flatMap', 'map', 'slice', 'toReversed', 'toSorted', 'with'] as const;

// Used while those of `Array` are observed.
const RealList = Array;
const listFrom = Array.from.bind(Array) as (
  source: Iterable<unknown> | ArrayLike<unknown>,
  map?: (value: unknown, i: number) => unknown,
) => unknown[];

/** Frames of a stack that tell places in the code apart. */
const STACK_DEPTH = 40;
/** The same for reads, of which there are many. */
const READ_STACK_DEPTH = 12;
/** Places are distinguished for up to this many reads. */
const MAX_PLACED_READS = 6000;
/** Stacks that become text between two turns. */
const STACKS_AT_ONCE = 64;

type MathFunction = (...values: number[]) => number;

/** A call of a function of `Math`, or a number that is stored and read again. */
export interface TraceNode {
  /** `tanh`; `stored` for a number in an array. */
  readonly name: string;
  readonly original: MathFunction;
  readonly values: readonly number[];
  readonly result: number;
  /** Its stack says where the function was called, or the array created. */
  readonly at: Error;
  /** What it is called if it has no place in the code. */
  readonly label?: string;
}

export const STORED = 'stored';
const identity: MathFunction = (...values) => values[0] ?? NaN;

export interface TraceLimits {
  readonly nodes: number;
  /** Reads, writes and calls of one forward pass. */
  readonly events: number;
}

/** An entry is read several times for one number. */
export interface RepeatedUse {
  /** The number of the input or parameter: first the inputs, then the parameters. */
  readonly leaf: number;
  readonly entry: number;
  /** For an output, -2 minus its index. */
  readonly node: number;
  readonly count: number;
}

/** A read of an entry of an input or parameter, or of a node. */
export interface Read {
  /** The number of the input or parameter: first the inputs, then the parameters; -1 for a node. */
  readonly leaf: number;
  /** The entry, or the node. */
  readonly at: number;
  /** Its stack says where in the code it is; null if there are too many reads to tell. */
  readonly error: Error | null;
}

/** What the node is of each read, write and call, in their order; -1 for none. */
interface Schedule {
  /** Whether each list that the layer makes is observed. */
  readonly lists: readonly boolean[];
  readonly reads: Int32Array;
  readonly writes: Int32Array;
  readonly calls: Int32Array;
}

export class ForwardTrace {
  readonly #slotOf: Int32Array;
  readonly #schedule: Schedule;
  readonly #observesArrays: boolean;

  private constructor(
    readonly nodes: readonly TraceNode[],
    /** Reads, writes and calls of one forward pass. */
    readonly events: number,
    schedule: Schedule,
    /** How often entries of the input and the parameters are read for one stored number, if it is more than once. */
    readonly repeatedUses: readonly RepeatedUse[],
    /** In their order; null for those of what is neither an entry nor a node. */
    readonly reads: readonly (Read | null)[],
    observesArrays: boolean,
  ) {
    this.#schedule = schedule;
    this.#observesArrays = observesArrays;
    this.#slotOf = new Int32Array(nodes.length);
    for (let i = 1; i < nodes.length; i++) this.#slotOf[i] = this.#slotOf[i - 1]! + nodes[i - 1]!.values.length;
  }

  /** @returns null if the forward pass exceeds the limits */
  static record(
    run: (observer: ForwardObserver) => void,
    limits: TraceLimits,
    observesArrays: boolean,
  ): ForwardTrace | null {
    const recorder = new Recorder(limits);
    if (!completes(() => observe(recorder, observesArrays, run)) || recorder.isFull) return null;
    const { nodes, schedule } = recorder.summarize();
    if (nodes.length > limits.nodes) return null;
    const uses = recorder.countUses(schedule.writes);
    const reads = recorder.listReads(schedule.reads);
    return new ForwardTrace(nodes, recorder.events, schedule, uses, reads, observesArrays);
  }

  /** By read: the number of its place in the code, counted by first use; -1 where it is unknown. */
  *placesOfReads(): Generator<undefined, { readonly placeOf: Int32Array; readonly places: readonly Error[] }> {
    const numbers = new Map<string, number>();
    const places: Error[] = [];
    const placeOf = new Int32Array(this.reads.length).fill(-1);
    for (const [i, read] of this.reads.entries()) {
      if (i % STACKS_AT_ONCE === 0) yield;
      if (!read?.error) continue;
      const stack = read.error.stack ?? '';
      const known = numbers.get(stack);
      placeOf[i] = known ?? places.length;
      if (known !== undefined) continue;
      numbers.set(stack, places.length);
      places.push(read.error);
    }
    return { placeOf, places };
  }

  /**
   * @param results of the nodes; null to compute them again, NaN for those that are to be computed again
   * @param values receives the arguments of all nodes, one after the other
   * @param added to what is read, by read; null for nothing
   * @returns false if the forward pass did other things than before
   */
  replay(
    run: (observer: ForwardObserver) => void,
    results: Float64Array | null,
    values: Float64Array,
    added: Float64Array | null = null,
  ): boolean {
    const player = new Player(this.nodes, this.#slotOf, this.#schedule, results, values, added);
    return completes(() => observe(player, this.#observesArrays, run)) && player.isSame;
  }
}

/** False if the layer's code throws: for a perturbed number, or because a limit is exceeded. */
function completes(run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    asCustomLayerError(error);
    return false;
  }
}

/** An array whose reads and writes are observed. */
interface Storage {
  readonly at: Error;
  readonly isLeaf: boolean;
  readonly isList: boolean;
  /** Where its first element is numbered. */
  readonly first: number;
}

interface Listener {
  /** Which array the output is, and how long it is. */
  returned(storage: Storage, length: number): void;
  allocate(length: number, kind?: 'leaf' | 'list'): Storage;
  /** Whether a list is observed. */
  observes(list: readonly unknown[]): boolean;
  read(storage: Storage, index: number, value: number): number;
  write(storage: Storage, index: number, value: number): void;
  call(name: string, original: MathFunction, values: number[]): number;
}

function observe(listener: Listener, observesArrays: boolean, run: (observer: ForwardObserver) => void): void {
  const functions = Math as unknown as Record<string, MathFunction>;
  const originals = OBSERVED.map((name) => [name, functions[name]!] as const);
  const RealArray = globalThis.Float64Array;
  const listMethods = LIST_METHODS.map((name) => [name, RealList.prototype[name]] as const);
  const errors = Error as { stackTraceLimit?: number };
  const depth = errors.stackTraceLimit;
  const restore = (): void => {
    for (const [name, original] of originals) functions[name] = original;
    globalThis.Float64Array = RealArray;
    globalThis.Array = RealList;
    for (const [name, original] of listMethods) replaceMethod(RealList.prototype, name, original);
    if (depth !== undefined) errors.stackTraceLimit = depth;
  };
  const arrays = new ObservedArrays(listener);
  const observer: ForwardObserver = {
    start: (tensor) => (observesArrays ? { shape: tensor.shape, data: arrays.wrapLeaf(tensor.data) } : tensor),
    finish: () => {
      arrays.isActive = false;
      restore();
    },
    returned: (data) => {
      const storage = arrays.storageOf(data);
      if (storage) listener.returned(storage, data.length);
    },
  };
  try {
    // Between an array and the line that creates it there may be functions of `ops` and of the layer.
    if (depth !== undefined) errors.stackTraceLimit = STACK_DEPTH;
    for (const [name, original] of originals) {
      const takesAny = name === 'max' || name === 'min' || name === 'hypot';
      // As the function of `map`, it also gets an index and a list.
      functions[name] = (...values) => {
        if (!takesAny && values.length > original.length) values.length = original.length;
        return listener.call(name, original, values);
      };
    }
    if (observesArrays) {
      globalThis.Float64Array = arrays.constructorInstead(RealArray);
      globalThis.Array = arrays.listConstructor();
      for (const [name, original] of listMethods)
        replaceMethod(RealList.prototype, name, arrays.listMethod(original as (...all: unknown[]) => unknown));
    }
    run(observer);
  } finally {
    observer.finish();
  }
}

/** Built-in methods are not enumerable. */
const replaceMethod = (target: object, name: string, value: unknown): void => {
  Object.defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });
};

type Numbers = Float64Array;

/** Typed arrays that report what is read and written. */
class ObservedArrays {
  isActive = true;
  readonly #listener: Listener;
  readonly #storageOf = new WeakMap<object, Storage>();

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  storageOf(array: object): Storage | undefined {
    return this.#storageOf.get(array);
  }

  wrapLeaf(data: Tensor['data']): Tensor['data'] {
    return data instanceof Float32Array ? data : this.#wrap(data, 'leaf');
  }

  /** `Array`, whose lists of numbers are observed. */
  listConstructor(): ArrayConstructor {
    const from = (
      source: Iterable<unknown> | ArrayLike<unknown>,
      map?: (value: unknown, i: number) => unknown,
    ): unknown[] => this.#observed(listFrom(source, map));
    const make = (given: unknown[]): unknown[] => {
      const made = new RealList<unknown>(...(given as [number]));
      return this.isActive && given.length === 1 && typeof given[0] === 'number' ? this.#list(made) : made;
    };
    return new Proxy(RealList, {
      construct: (_, given) => make(given as unknown[]),
      apply: (_target, _this, given) => make(given as unknown[]),
      get: (target, key) => (key === 'from' ? from : (Reflect.get(target, key) as unknown)),
    });
  }

  listMethod(original: (...all: unknown[]) => unknown): (...all: unknown[]) => unknown {
    const observed = (result: unknown): unknown => (this.isActive ? this.#observed(result as unknown[]) : result);
    return function (this: unknown, ...all) {
      return observed(original.apply(this, all));
    };
  }

  #observed(values: unknown[]): unknown[] {
    if (!this.isActive || !this.#listener.observes(values)) return values;
    const list = this.#list(new RealList<unknown>(values.length));
    for (let i = 0; i < values.length; i++) list[i] = values[i];
    return list;
  }

  #list(real: unknown[]): unknown[] {
    const storage = this.#listener.allocate(real.length, 'list');
    const { length } = real;
    let isFresh = true;
    const isObserved = (index: number, value: unknown): value is number =>
      this.isActive && index >= 0 && index < length && typeof value === 'number';
    // What a list starts with is no number that anything computed.
    const fill = (value: unknown, ...range: number[]): unknown[] => {
      if (isFresh) real.fill(value, ...range);
      else RealList.prototype.fill.call(list, value, ...range);
      return list;
    };
    const list: unknown[] = new Proxy(real, {
      get: (target, key) => {
        if (key === 'fill') return fill;
        const value: unknown = Reflect.get(target, key, target);
        const index = indexOf(key);
        return isObserved(index, value) ? this.#listener.read(storage, index, value) : value;
      },
      set: (target, key, value) => {
        const index = indexOf(key);
        if (index >= 0) isFresh = false;
        Reflect.set(target, key, value, target);
        if (isObserved(index, value)) this.#listener.write(storage, index, value);
        return true;
      },
    });
    return list;
  }

  constructorInstead(Real: Float64ArrayConstructor): Float64ArrayConstructor {
    const fromValues = (values: ArrayLike<number>): Numbers => {
      const made = this.#wrap(new Real(values.length));
      for (let i = 0; i < values.length; i++) made[i] = values[i]!;
      return made;
    };
    const construct = (given: unknown[]): Numbers => {
      const [first] = given;
      if (first === undefined || typeof first === 'number') return this.#wrap(new Real(first ?? 0));
      if (first instanceof ArrayBuffer) return new Real(...(given as [ArrayBuffer]));
      return fromValues(toList(first as Iterable<number> | ArrayLike<number>));
    };
    const from = (
      source: Iterable<number> | ArrayLike<number>,
      map?: (value: number, i: number) => number,
    ): Numbers => {
      const list = toList(source);
      if (!map) return fromValues(list);
      const made = this.#wrap(new Real(list.length));
      for (let i = 0; i < list.length; i++) made[i] = map(list[i]!, i);
      return made;
    };
    return new Proxy(Real, {
      construct: (_, given) => construct(given as unknown[]),
      get: (target, key) =>
        key === 'from'
          ? from
          : key === 'of'
            ? (...values: number[]) => fromValues(values)
            : (Reflect.get(target, key) as unknown),
    });
  }

  #wrap(real: Numbers, kind?: 'leaf'): Numbers {
    const storage = this.#listener.allocate(real.length, kind);
    const view = this.#view(real, storage, 0);
    this.#storageOf.set(view, storage);
    return view;
  }

  /** @param offset of the view's first element in the storage */
  #view(real: Numbers, storage: Storage, offset: number): Numbers {
    const methods = this.#methods(real, storage, offset);
    const listener = this.#listener;
    const view: Numbers = new Proxy(real, {
      get: (target, key) => {
        const index = indexOf(key);
        if (index >= 0) {
          const value = target[index];
          return value === undefined || !this.isActive ? value : listener.read(storage, offset + index, value);
        }
        const method = methods(view)[key as keyof Numbers];
        if (method) return method;
        const found: unknown = Reflect.get(target, key, target);
        // Generic functions of lists read through the proxy.
        if (typeof found !== 'function') return found;
        // Lists are sorted as texts.
        const generic =
          key === 'sort' || key === 'toSorted'
            ? null
            : (Array.prototype as unknown as Record<PropertyKey, unknown>)[key];
        return typeof generic === 'function' ? generic : (found as (...all: unknown[]) => unknown).bind(target);
      },
      set: (target, key, value: number) => {
        const index = indexOf(key);
        if (index < 0) return Reflect.set(target, key, value, target);
        if (index < target.length) {
          target[index] = value;
          if (this.isActive) listener.write(storage, offset + index, value);
        }
        return true;
      },
    });
    return view;
  }

  /** Functions that make another typed array, or that copy into this one. */
  #methods(real: Numbers, storage: Storage, offset: number): (view: Numbers) => Partial<Record<PropertyKey, unknown>> {
    const allocate = (length: number): Numbers => this.#wrap(new (real.constructor as Float64ArrayConstructor)(length));
    let made: Partial<Record<PropertyKey, unknown>> | null = null;
    return (view) =>
      (made ??= {
        slice: (from?: number, to?: number) => {
          const [first, last] = [bound(from ?? 0, real.length), bound(to ?? real.length, real.length)];
          const result = allocate(last > first ? last - first : 0);
          for (let i = first; i < last; i++) result[i - first] = view[i]!;
          return result;
        },
        subarray: (from?: number, to?: number) => {
          const first = bound(from ?? 0, real.length);
          return this.#view(real.subarray(from, to), storage, offset + first);
        },
        map: (f: (value: number, i: number, all: Numbers) => number) => {
          const result = allocate(real.length);
          for (let i = 0; i < real.length; i++) result[i] = f(view[i]!, i, view);
          return result;
        },
        set: (values: ArrayLike<number>, at = 0) => {
          const list = toList(values);
          for (let i = 0; i < list.length; i++) view[at + i] = list[i]!;
        },
      });
  }
}

const bound = (i: number, length: number): number => {
  const at = i < 0 ? length + i : i;
  return at < 0 ? 0 : at > length ? length : at;
};

const toList = (values: Iterable<number> | ArrayLike<number>): readonly number[] =>
  listFrom(values as ArrayLike<number>) as number[];

/** The index that a property key is; -1 for any other key. */
function indexOf(key: PropertyKey): number {
  if (typeof key !== 'string') return -1;
  const code = key.charCodeAt(0);
  return code >= 48 && code <= 57 ? Number(key) : -1;
}

const enum Kind {
  Read,
  Write,
  Call,
}

class Recorder implements Listener {
  events = 0;
  /** Whether a limit is exceeded. It throws once, because what handles the error may call the same functions. */
  isFull = false;
  readonly #limits: TraceLimits;
  readonly #kinds: Kind[] = [];
  /** By event: the number of the element, or of the call. */
  readonly #subjects: number[] = [];
  readonly #values: number[] = [];
  readonly #storages: Storage[] = [];
  readonly #calls: TraceNode[] = [];
  readonly #lists: boolean[] = [];
  readonly #readErrors: Error[] = [];
  readonly #leafValues = new Set<number>();
  /** Results of calls, and what was read: only these can be copied. */
  readonly #known = new Set<number>();
  /** Writes into lists that only copy a number. */
  readonly #copies = new Set<number>();
  #elements = 0;
  /** The elements of the output. */
  #output = { first: 0, length: 0 };

  /** Beyond the limits, it throws into the layer's code: observing all of it could take longer than a layer may. */
  constructor(limits: TraceLimits) {
    this.#limits = limits;
  }

  allocate(length: number, kind?: 'leaf' | 'list'): Storage {
    const at = new Error(STORED);
    const storage = { at, isLeaf: kind === 'leaf', isList: kind === 'list', first: this.#elements };
    this.#elements += length;
    this.#storages.push(storage);
    return storage;
  }

  returned({ first }: Storage, length: number): void {
    this.#output = { first, length };
  }

  /** Lists of sizes and indices are not. */
  observes(list: readonly unknown[]): boolean {
    let [areNumbers, areWhole, areZero] = [list.length > 0, true, true];
    for (let i = 0; i < list.length && areNumbers; i++) {
      areNumbers = typeof list[i] === 'number';
      areWhole &&= Number.isInteger(list[i]);
      areZero &&= list[i] === 0;
    }
    const isObserved = areNumbers && (!areWhole || areZero);
    this.#lists.push(isObserved);
    return isObserved;
  }

  read({ first, isLeaf }: Storage, index: number, value: number): number {
    if (isLeaf) this.#leafValues.add(value);
    this.#known.add(value);
    if (this.#readErrors.length < MAX_PLACED_READS) this.#readErrors.push(placeOfRead());
    this.#record(Kind.Read, first + index, value);
    return value;
  }

  write({ first, isList }: Storage, index: number, value: number): void {
    const isCopy = this.#leafValues.has(value) || (isList && this.#known.has(value));
    // Nothing here may call what is observed.
    if (isCopy && value !== 0 && value !== 1 && value !== -1) this.#copies.add(this.events);
    this.#record(Kind.Write, first + index, value);
  }

  call(name: string, original: MathFunction, values: number[]): number {
    const result = original(...values);
    if (this.isFull) return result;
    if (this.#calls.length >= this.#limits.nodes) this.#stop('too many calls');
    this.#record(Kind.Call, this.#calls.length, result);
    this.#calls.push({ name, original, values, result, at: new Error(name) });
    this.#known.add(result);
    return result;
  }

  #stop(why: string): never {
    this.isFull = true;
    throw new RangeError(why);
  }

  #record(kind: Kind, subject: number, value: number): void {
    if (this.isFull) return;
    if (++this.events > this.#limits.events) this.#stop('too many reads and writes');
    this.#kinds.push(kind);
    this.#subjects.push(subject);
    this.#values.push(value);
  }

  /** A stored number is a node if something else than the next change of the same element reads it. */
  summarize(): { readonly nodes: readonly TraceNode[]; readonly schedule: Schedule } {
    const count = this.#kinds.length;
    const isUpdate = this.#findUpdates();
    // By element: the event that wrote it last, and whether that is a node.
    const lastWrite = new Int32Array(this.#elements).fill(-1);
    const isNode = new Uint8Array(count);
    const writeOfRead = new Int32Array(count).fill(-1);
    for (let event = 0; event < count; event++) {
      const element = this.#subjects[event]!;
      if (this.#kinds[event] === Kind.Write) lastWrite[element] = event;
      else if (this.#kinds[event] === Kind.Read) {
        const write = (writeOfRead[event] = lastWrite[element]!);
        if (write >= 0 && isUpdate[event] === 0 && !this.#copies.has(write)) isNode[write] = 1;
      } else isNode[event] = 1;
    }
    const nodes: TraceNode[] = [];
    const nodeOf = new Int32Array(count).fill(-1);
    const schedule = { reads: [] as number[], writes: [] as number[], calls: [] as number[] };
    for (let event = 0; event < count; event++) {
      const kind = this.#kinds[event]!;
      if (isNode[event] === 1) {
        nodeOf[event] = nodes.length;
        if (kind === Kind.Call) nodes.push(this.#calls[this.#subjects[event]!]!);
        else {
          const value = this.#values[event]!;
          const { at } = this.#storageOf(this.#subjects[event]!);
          nodes.push({ name: STORED, original: identity, values: [value], result: value, at });
        }
      }
      if (kind === Kind.Read) schedule.reads.push(writeOfRead[event]! < 0 ? -1 : nodeOf[writeOfRead[event]!]!);
      else (kind === Kind.Write ? schedule.writes : schedule.calls).push(nodeOf[event]!);
    }
    return {
      nodes,
      schedule: {
        reads: Int32Array.from(schedule.reads),
        writes: Int32Array.from(schedule.writes),
        calls: Int32Array.from(schedule.calls),
        lists: this.#lists,
      },
    };
  }

  listReads(nodeOfRead: Int32Array): (Read | null)[] {
    const leaves = new Map(this.#storages.filter(({ isLeaf }) => isLeaf).map((storage, k) => [storage, k] as const));
    const elements = this.#subjects.filter((_, event) => this.#kinds[event] === Kind.Read);
    const isPlaced = elements.length < MAX_PLACED_READS;
    return elements.map((element, i) => {
      const error = isPlaced ? this.#readErrors[i]! : null;
      if (nodeOfRead[i]! >= 0) return { leaf: -1, at: nodeOfRead[i]!, error };
      const storage = this.#storageOf(element);
      const leaf = leaves.get(storage);
      return leaf === undefined ? null : { leaf, at: element - storage.first, error };
    });
  }

  /** Reads of inputs and parameters, by the number that is stored next. */
  countUses(nodeOfWrite: Int32Array): RepeatedUse[] {
    const leaves = this.#storages.filter(({ isLeaf }) => isLeaf);
    const counts = new Map<string, RepeatedUse>();
    /** By element: the node that it is part of, from the last event to the first. */
    const nodeOf = new Map<number, number>();
    let write = nodeOfWrite.length;
    let next = -1;
    for (let event = this.#kinds.length - 1; event >= 0; event--) {
      const element = this.#subjects[event]!;
      if (this.#kinds[event] === Kind.Write) {
        const node = nodeOfWrite[--write]!;
        if (node >= 0) nodeOf.set(element, node);
        const output = element - this.#output.first;
        next = nodeOf.get(element) ?? (output >= 0 && output < this.#output.length ? -2 - output : -1);
      } else if (this.#kinds[event] === Kind.Call) next = -1;
      else if (next !== -1) {
        const storage = this.#storageOf(element);
        if (!storage.isLeaf) continue;
        const entry = element - storage.first;
        const key = `${element} ${next}`;
        const count = (counts.get(key)?.count ?? 0) + 1;
        counts.set(key, { leaf: leaves.indexOf(storage), entry, node: next, count });
      }
    }
    return [...counts.values()].filter(({ count }) => count > 1);
  }

  /** Reads whose element the next write changes, as in `sum[i] += …`. */
  #findUpdates(): Uint8Array {
    const isUpdate = new Uint8Array(this.#kinds.length);
    let next = -1;
    for (let event = this.#kinds.length - 1; event >= 0; event--) {
      if (this.#kinds[event] === Kind.Write) next = this.#subjects[event]!;
      else if (this.#kinds[event] === Kind.Read && this.#subjects[event] === next) isUpdate[event] = 1;
    }
    return isUpdate;
  }

  #storageOf(element: number): Storage {
    let [low, high] = [0, this.#storages.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#storages[middle]!.first <= element) low = middle;
      else high = middle - 1;
    }
    return this.#storages[low]!;
  }
}

/** Its stack becomes text later, if at all. */
function placeOfRead(): Error {
  const errors = Error as { stackTraceLimit?: number };
  const depth = errors.stackTraceLimit;
  errors.stackTraceLimit = READ_STACK_DEPTH;
  const error = new Error('read');
  if (depth !== undefined) errors.stackTraceLimit = depth;
  return error;
}

const NO_STORAGE: Storage = { at: new Error(STORED), isLeaf: false, isList: false, first: 0 };

class Player implements Listener {
  isSame = true;
  #reads = 0;
  #writes = 0;
  #calls = 0;
  #lists = 0;

  constructor(
    readonly nodes: readonly TraceNode[],
    readonly slotOf: Int32Array,
    readonly schedule: Schedule,
    readonly results: Float64Array | null,
    readonly values: Float64Array,
    readonly added: Float64Array | null,
  ) {}

  returned(): void {
    // The recorder knows.
  }

  allocate(): Storage {
    return NO_STORAGE;
  }

  observes(): boolean {
    const isObserved = this.schedule.lists[this.#lists++];
    if (isObserved === undefined) this.isSame = false;
    return isObserved ?? false;
  }

  read(_storage: Storage, _index: number, value: number): number {
    const by = this.added?.[this.#reads] ?? 0;
    const node = this.schedule.reads[this.#reads++];
    if (node === undefined) this.isSame = false;
    return by + (node === undefined || node < 0 ? value : this.#resultOf(node, value));
  }

  write(_storage: Storage, _index: number, value: number): void {
    const node = this.schedule.writes[this.#writes++];
    if (node === undefined) this.isSame = false;
    else if (node >= 0) this.values[this.slotOf[node]!] = value;
  }

  call(name: string, original: MathFunction, values: number[]): number {
    const node = this.schedule.calls[this.#calls++] ?? -1;
    const recorded = this.nodes[node];
    if (recorded?.name !== name || recorded.values.length !== values.length) {
      this.isSame = false;
      return original(...values);
    }
    for (const [k, value] of values.entries()) this.values[this.slotOf[node]! + k] = value;
    const given = this.results?.[node] ?? NaN;
    return Number.isNaN(given) ? original(...values) : given;
  }

  #resultOf(node: number, value: number): number {
    const given = this.results?.[node] ?? NaN;
    return Number.isNaN(given) ? value : given;
  }
}
