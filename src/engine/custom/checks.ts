// Looks at what the user's functions gave, before anything of the engine relies on it. Each answers with what is wrong,
// to be put after the function's name, or with null.
import { counted } from '../counted';
import { initializer } from '../initializers/options';
import { formatShape, type Shape, sizeOf, type Tensor } from '../kernels/tensor';
import type { ParameterDeclaration } from '../layers/layer';
import type { Parameter } from './contract';

/** What is wrong, and what to do. */
export interface Complaint {
  readonly what: string;
  readonly remedy: string;
}

const DEFAULT_START = { type: 'fan_in_uniform' } as const;
const initializerSchema = initializer('');
const MOST_PARAMETERS = 64;

const complaint = (what: string, remedy: string): Complaint => ({ what, remedy });

/** A value in a few words. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'a list';
  if (typeof (value as { then?: unknown }).then === 'function') return 'a promise';
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${String(value).slice(0, 40)}`;
}

export const isShape = (value: unknown): value is Shape =>
  Array.isArray(value) && value.length > 0 && value.every((n) => Number.isSafeInteger(n) && n >= 1);

export function shapeComplaint(value: unknown): Complaint | null {
  if (isShape(value)) return null;
  const what = Array.isArray(value) ? `gave [${value.map(String).join(', ')}], which is no shape` : `gave ${shown(value)}, which is no shape`;
  return complaint(what, 'Return a list of whole numbers from 1 up, without the batch, such as [16].');
}

/** What is wrong with a tensor that should have this shape. */
export function tensorComplaint(value: unknown, what: string, shape: Shape): Complaint | null {
  const remedy = `Return a tensor of the shape ${formatShape(shape)}, such as ops.tensor([${shape.join(', ')}]).`;
  if (typeof value !== 'object' || value === null || !('data' in value) || !('shape' in value)) {
    const promised = shown(value) === 'a promise';
    return complaint(`gave ${shown(value)} in place of ${what}`, promised ? 'Write the function without "async".' : remedy);
  }
  const { shape: given, data } = value as Tensor;
  if (!Array.isArray(given) || given.length !== shape.length || given.some((n, i) => n !== shape[i])) {
    const is = Array.isArray(given) ? `the shape ${formatShape(given as Shape)}` : 'no shape';
    return complaint(`gave ${what} with ${is} in place of ${formatShape(shape)}`, remedy);
  }
  if (!(data instanceof Float32Array || data instanceof Float64Array) || data.length !== sizeOf(shape)) {
    const is = ArrayBuffer.isView(data) || Array.isArray(data) ? counted((data as unknown as ArrayLike<number>).length, 'number') : 'no numbers';
    return complaint(`gave ${what} with ${is} for the shape ${formatShape(shape)}`, remedy);
  }
  return null;
}

/** Where a tensor first holds what is no finite number, in words; null where all are. */
export function notFinite({ shape, data }: Tensor): string | null {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    const index = shape.map((n, axis) => Math.floor(i / sizeOf(shape.slice(axis + 1))) % n);
    return `${data[i]} at [${index.join(', ')}]`;
  }
  return null;
}

/** Whether two arrays hold the same numbers, NaN included. */
export function same(a: Tensor['data'], b: Tensor['data']): boolean {
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i] && !(Number.isNaN(a[i]) && Number.isNaN(b[i]))) return false;
  return true;
}

/** The parameters as the engine declares them, or what is wrong with them. */
export function declarations(value: unknown): { readonly parameters: readonly ParameterDeclaration[] } | Complaint {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || typeof (value as { then?: unknown }).then === 'function') {
    return complaint(`gave ${shown(value)} in place of parameters`, 'Return an object with a shape for each name, such as { weight: [4, 2] }.');
  }
  const entries = Object.entries(value as Record<string, Parameter>);
  if (entries.length > MOST_PARAMETERS) return complaint(`gave ${entries.length} parameters`, `Give at most ${MOST_PARAMETERS}.`);
  const parameters: ParameterDeclaration[] = [];
  for (const [name, given] of entries) {
    const declared = declaration(name, given);
    if ('what' in declared) return declared;
    parameters.push(declared);
  }
  return { parameters };
}

function declaration(name: string, given: unknown): ParameterDeclaration | Complaint {
  const { shape, init, values } = (isShape(given) ? { shape: given } : (given ?? {})) as { shape?: unknown; init?: unknown; values?: unknown };
  if (!isShape(shape)) {
    return complaint(`gave the parameter "${name}" no shape`, `Give it a list of whole numbers from 1 up: { ${name}: [4, 2] }.`);
  }
  if (values !== undefined) {
    const list: unknown = Array.isArray(values) || values instanceof Float64Array || values instanceof Float32Array ? Array.from(values) : null;
    if (Array.isArray(list) && list.length === sizeOf(shape) && list.every((n) => Number.isFinite(n))) {
      return { name, shape, start: { values: list as number[] } };
    }
    return complaint(`gave the parameter "${name}" values that do not fill ${formatShape(shape)}`, `Give ${counted(sizeOf(shape), 'finite number')}.`);
  }
  if (init === undefined) return { name, shape, start: { initializer: DEFAULT_START } };
  const parsed = initializerSchema.safeParse(init);
  if (parsed.success) return { name, shape, start: { initializer: parsed.data } };
  return complaint(
    `gave the parameter "${name}" an "init" that is not known`,
    'Use an initializer of spec.md, such as "xavier_uniform" or { type: "normal", std: 0.1 }.',
  );
}
