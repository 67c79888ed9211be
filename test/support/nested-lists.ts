// Converts between nested lists, as tests write numbers, and flat arrays with a shape, as the engine stores them.
import type { Shape } from '../../src/engine/kernels/tensor';

export type Nested = number | readonly Nested[];

/** Anything that contains numbers: a number, nested lists, a typed array, a tensor. */
export type Numbers = Nested | ArrayLike<number> | { readonly data: ArrayLike<number> };

/** All numbers, row-major. */
export function flat(numbers: Numbers): number[] {
  if (typeof numbers === 'number') return [numbers];
  if ('data' in numbers) return Array.from(numbers.data);
  return Array.from(numbers as ArrayLike<Nested>, flat).flat();
}

/** The shape of nested lists; throws if they are ragged. */
export function shapeOf(nested: Nested): Shape {
  if (typeof nested === 'number') return [];
  const inner = nested.length === 0 ? [] : shapeOf(nested[0]);
  for (const row of nested) {
    if (String(shapeOf(row)) !== String(inner)) throw new Error('ragged lists have no shape');
  }
  return [nested.length, ...inner];
}
