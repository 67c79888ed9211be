// What a custom layer, loss or penalty returns or throws is foreign: a getter may throw, a proxy may answer differently
// each time, a text may hold a million characters. It is read here once, into plain values, and only these are used.
import type { Tensor } from '../kernels/tensor';
import type { Gradients, InputGradients, LossGradient } from './contract';

const MAX_MESSAGE_CHARS = 1000;
const MAX_STACK_CHARS = 16_000;
const MAX_STACK_LINE_CHARS = 1000;
/** Dimensions of a shape that are read; more than any valid shape has. */
const MAX_SHAPE_LENGTH = 100;

/** What was thrown, as plain text. */
export interface ThrownError {
  readonly name: string;
  readonly message: string;
  /** Null if there is none. */
  readonly stack: string | null;
  readonly code: string | null;
}

/** @returns the result, or `fallback` if reading throws */
function readSafely<Result>(read: () => Result, fallback: Result): Result {
  try {
    return read();
  } catch {
    return fallback;
  }
}

const readText = (read: () => unknown, maxChars: number): string | null =>
  readSafely(() => {
    const value = read();
    return typeof value === 'string' ? value.slice(0, maxChars) : null;
  }, null);

/** An error as plain text; null if something other than an error was thrown. Never throws. */
export function readThrownError(thrown: unknown): ThrownError | null {
  const error = readSafely(() => (thrown instanceof Error ? thrown : null), null);
  if (!error) return null;
  const stack = readText(() => error.stack, MAX_STACK_CHARS);
  return {
    name: readText(() => error.name, MAX_MESSAGE_CHARS) || 'Error',
    message: readText(() => error.message, MAX_MESSAGE_CHARS) ?? 'its message cannot be read',
    // Expressions that search a long line for places take quadratic time.
    stack:
      stack &&
      stack
        .split('\n')
        .map((line) => line.slice(0, MAX_STACK_LINE_CHARS))
        .join('\n'),
    code: readText(() => (error as { code?: unknown }).code, MAX_MESSAGE_CHARS),
  };
}

/** The first line of a message, without the period. */
export const firstLine = (text: string): string => text.split('\n', 1)[0]!.trim().replace(/\.$/, '');

/** A short description of a value. Never throws. */
export function describeValue(value: unknown): string {
  return readSafely(() => {
    if (value === null || value === undefined) return String(value);
    if (typeof value === 'function') return 'a function';
    if (Array.isArray(value)) return 'a list';
    if (typeof (value as { then?: unknown }).then === 'function') return 'a promise';
    return typeof value === 'object' ? 'an object' : `the ${typeof value} ${String(value).slice(0, 40)}`;
  }, 'an object that cannot be read');
}

/** What was thrown, as the end of a sentence: `threw TypeError: x is not a function`. Never throws. */
export function describeThrown(thrown: unknown): string {
  const error = readThrownError(thrown);
  if (!error) return `threw ${describeValue(thrown)}`;
  const message = firstLine(error.message);
  return message === '' ? `threw ${error.name}` : `threw ${error.name}: ${message}`;
}

/** A list as a plain array. Only as many entries are read as a valid shape can have. */
export const readShape = (shape: unknown): unknown =>
  Array.isArray(shape)
    ? Array.from({ length: Math.min(shape.length, MAX_SHAPE_LENGTH) }, (_, i): unknown => shape[i])
    : shape;

/** The most texts of a list that are read. */
const MAX_TEXTS = 64;

/** A list of texts; null if it is none. Throws what its getters throw. */
export function readTexts(value: unknown): readonly string[] | null {
  if (!Array.isArray(value)) return null;
  const texts = Array.from({ length: Math.min(value.length, MAX_TEXTS) }, (_, i): unknown => value[i]);
  return texts.every((text) => typeof text === 'string') ? texts : null;
}

const ownClass = (data: Tensor['data']): boolean => {
  const prototype: unknown = Object.getPrototypeOf(data);
  return prototype === Float32Array.prototype || prototype === Float64Array.prototype;
};

/** Numbers that nothing else can change: those of a subclass or in shared memory are copied. */
function readNumbers(data: unknown): unknown {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return data;
  if (ownClass(data) && !(data.buffer instanceof SharedArrayBuffer)) return data;
  const Numbers = data instanceof Float32Array ? Float32Array : Float64Array;
  return new Numbers(data);
}

/** A tensor as a plain object, or the value itself if it is none. Throws what its getters throw. */
export function readTensor(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('data' in value) || !('shape' in value)) return value;
  return { shape: readShape(value.shape), data: readNumbers(value.data) };
}

/** What `backward` returned, as plain objects. Throws what its getters throw. */
export function readGradients(returned: unknown): unknown {
  if (typeof returned !== 'object' || returned === null) return returned;
  const { dx, dInputs, dOutputs, parameters } = returned as Partial<Gradients & InputGradients & LossGradient>;
  return {
    ...returned,
    ...(dx !== undefined && { dx: readTensor(dx) }),
    ...(dInputs !== undefined && { dInputs: Array.isArray(dInputs) ? dInputs.map(readTensor) : dInputs }),
    ...(dOutputs !== undefined && { dOutputs: readTensor(dOutputs) }),
    ...(parameters !== undefined && {
      parameters:
        typeof parameters === 'object' && parameters !== null
          ? Object.fromEntries(Object.entries(parameters).map(([name, tensor]) => [name, readTensor(tensor)]))
          : parameters,
    }),
  };
}
