// Custom layers share JavaScript's built-in objects with the engine. If a file replaces one of their functions, or adds
// a property that every object then has, the engine would compute other numbers or fail anywhere. Such changes are
// found by comparison with a snapshot.
import { EventEmitter } from 'node:events';
import { MessagePort } from 'node:worker_threads';

const TypedArray = Object.getPrototypeOf(Float64Array) as object;

/** The objects that the engine and Node use, by name. */
function builtins(): ReadonlyMap<string, object> {
  const constructors: Record<string, unknown> = {
    ...{
      Object,
      Function,
      Array,
      Number,
      Boolean,
      String,
      Symbol,
      BigInt,
      Promise,
      RegExp,
      Error,
      TypeError,
      RangeError,
    },
    ...{
      Map,
      Set,
      WeakMap,
      WeakSet,
      ArrayBuffer,
      SharedArrayBuffer,
      DataView,
      Date,
      TypedArray,
      MessagePort,
      EventEmitter,
    },
    ...{
      Float64Array,
      Float32Array,
      Int8Array,
      Int32Array,
      Uint8Array,
      Uint16Array,
      Uint32Array,
      EventTarget,
      TextDecoder,
    },
  };
  const namespaces: Record<string, unknown> = { Math, JSON, Reflect, Atomics };
  // The types of Node leave it out.
  namespaces.WebAssembly = Reflect.get(globalThis, 'WebAssembly');
  const found = new Map<string, object>();
  for (const [name, value] of Object.entries({ ...constructors, ...namespaces })) found.set(name, value as object);
  for (const [name, value] of Object.entries(constructors))
    found.set(`${name}.prototype`, (value as { prototype: object }).prototype);
  const iterator = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()) as object) as object;
  found.set('the prototype of iterators', iterator);
  found.set('the prototype of iterators of lists', Object.getPrototypeOf([][Symbol.iterator]()) as object);
  return found;
}

/** Names that programs set on purpose, and that compute nothing. */
const FREE = new Set(['Error.prepareStackTrace', 'Error.stackTraceLimit']);
const GLOBAL_NAMES = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'structuredClone'] as const;
/** Every object inherits what is added here. */
const INHERITED_BY_ALL = 'Object.prototype';

// Bound and used without methods, because a file may have replaced any of them when changes are looked for.
const { ownKeys, getOwnPropertyDescriptor } = Reflect;
const { is } = Object;

interface Snapshot {
  readonly name: string;
  readonly target: object;
  readonly keys: readonly PropertyKey[];
  /** In the order of the keys. */
  readonly properties: readonly PropertyDescriptor[];
}

const isSame = (a: PropertyDescriptor, b: PropertyDescriptor): boolean =>
  is(a.value, b.value) && a.get === b.get && a.set === b.set;

const isCode = ({ value, get, set }: PropertyDescriptor): boolean =>
  typeof value === 'function' || get !== undefined || set !== undefined;

function isAmong(keys: readonly PropertyKey[], key: PropertyKey): boolean {
  for (let i = 0; i < keys.length; i++) if (keys[i] === key) return true;
  return false;
}

const toName = (owner: string, key: PropertyKey): string => (owner === '' ? String(key) : `${owner}.${String(key)}`);

export class BuiltinGuard {
  readonly #snapshots: readonly Snapshot[];

  constructor() {
    const targets = builtins();
    const globals = [...GLOBAL_NAMES, ...targets.keys()].filter((name) => name in globalThis);
    // Node defines some when they are first read.
    for (const name of globals) Reflect.get(globalThis, name);
    this.#snapshots = [
      takeSnapshot('', globalThis, globals),
      ...[...targets].map(([name, target]) =>
        takeSnapshot(
          name,
          target,
          ownKeys(target).filter((key) => !FREE.has(toName(name, key))),
        ),
      ),
    ];
  }

  /** Names of what has changed since this was created, such as `Array.prototype.map`. */
  findChanges(): readonly string[] {
    const changes: string[] = [];
    const report = (owner: string, key: PropertyKey): void => {
      changes[changes.length] = toName(owner, key);
    };
    for (let i = 0; i < this.#snapshots.length; i++) {
      const { name, target, keys, properties } = this.#snapshots[i]!;
      for (let k = 0; k < keys.length; k++) {
        const before = properties[k]!;
        const now = getOwnPropertyDescriptor(target, keys[k]!);
        if (isCode(before) && (!now || !isSame(before, now))) report(name, keys[k]!);
      }
      if (name !== INHERITED_BY_ALL && name !== 'Array.prototype') continue;
      const current = ownKeys(target);
      for (let k = 0; k < current.length; k++) {
        const key = current[k]!;
        if (isAmong(keys, key)) continue;
        if (name === INHERITED_BY_ALL || getOwnPropertyDescriptor(target, key)?.enumerable) report(name, key);
      }
    }
    return changes;
  }
}

const takeSnapshot = (name: string, target: object, keys: readonly PropertyKey[]): Snapshot => ({
  name,
  target,
  keys,
  properties: keys.map((key) => getOwnPropertyDescriptor(target, key)!),
});
