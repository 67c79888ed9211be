import { afterEach, expect, it } from 'vitest';
import { BuiltinGuard } from '../../src/custom-layers/builtin-guard';

const undo: (() => void)[] = [];
afterEach(() => undo.splice(0).forEach((restore) => restore()));

function define(target: object, name: PropertyKey, descriptor: PropertyDescriptor): void {
  const before = Reflect.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { configurable: true, ...descriptor });
  undo.push(() => (before ? Object.defineProperty(target, name, before) : Reflect.deleteProperty(target, name)));
}

const nothing = (): undefined => undefined;

it('finds nothing where nothing changed', () => {
  expect(new BuiltinGuard().findChanges()).toEqual([]);
});

it.each([
  ['Math.sqrt', Math, 'sqrt'],
  ['Array.prototype.map', Array.prototype, 'map'],
  ['TypedArray.prototype.set', Object.getPrototypeOf(Float64Array.prototype) as object, 'set'],
  ['Promise.prototype.then', Promise.prototype, 'then'],
  ['Map.prototype.get', Map.prototype, 'get'],
  ['Reflect.ownKeys', Reflect, 'ownKeys'],
  ['Object.is', Object, 'is'],
  ['JSON.parse', JSON, 'parse'],
  ['Atomics.add', Atomics, 'add'],
  ['queueMicrotask', globalThis, 'queueMicrotask'],
  ['Object.prototype.helper', Object.prototype, 'helper'],
] as const)('finds that %s was changed', (name, target, key) => {
  const guard = new BuiltinGuard();
  define(target, key, { value: nothing, writable: true });
  const changes = guard.findChanges();
  undo.splice(0).forEach((restore) => restore());
  expect(changes).toEqual([name]);
});

it('finds a function that was removed, and a getter that was replaced', () => {
  const guard = new BuiltinGuard();
  define(Map.prototype, 'size', { get: () => 7 });
  define(String.prototype, 'at', { value: undefined });
  const changes = guard.findChanges();
  undo.splice(0).forEach((restore) => restore());
  expect(changes).toEqual(['String.prototype.at', 'Map.prototype.size']);
});

it('accepts what does not change how the engine computes', () => {
  const guard = new BuiltinGuard();
  define(Array.prototype, 'lastOne', { value: nothing, enumerable: false });
  define(Error, 'prepareStackTrace', { value: nothing, writable: true });
  define(Error, 'stackTraceLimit', { value: 50, writable: true });
  expect(guard.findChanges()).toEqual([]);
});
