import { describe, expect, it } from 'vitest';
import { relativeError } from './allclose';
import { flat, shapeOf } from './nested-lists';

describe('relativeError', () => {
  it.each([
    [1, 1, 0],
    [0, -0, 0],
    [Infinity, Infinity, 0],
    [NaN, NaN, 0],
    [1, 2, 0.5],
    [2, 1, 0.5],
    [-1, 1, 2],
    [0, 1e-300, 1],
    [1e-320, 2e-320, 0.5],
    [1, Infinity, Infinity],
    [NaN, 0, Infinity],
  ])('of %d and %d is %d', (a, b, expected) => {
    expect(relativeError(a, b)).toBeCloseTo(expected, 3);
  });
});

describe('toBeAllclose', () => {
  it('takes numbers, lists, typed arrays and tensors', () => {
    expect(1).toBeAllclose(1 + 1e-13);
    expect(Float64Array.of(1, 2)).toBeAllclose([1, 2]);
    expect({ data: Float32Array.of(1, 2, 3, 4) }).toBeAllclose([
      [1, 2],
      [3, 4],
    ]);
  });

  it.each<[string, number[], number[]]>([
    [
      'one element in a thousand is off by 1e-11',
      [...new Array<number>(999).fill(1), 1],
      [...new Array<number>(999).fill(1), 1 + 1e-11],
    ],
    ['a sign differs', [1e-300], [-1e-300]],
    ['an exact zero is not exact', [1e-300], [0]],
    ['only one is NaN', [NaN], [1]],
    ['only one is infinite', [Infinity], [1e308]],
    ['the infinities have opposite signs', [Infinity], [-Infinity]],
    ['there are more numbers', [1, 1], [1]],
    ['there is nothing to compare', [], []],
  ])('fails when %s', (_why, actual, expected) => {
    expect(() => expect(actual).toBeAllclose(expected)).toThrow();
  });

  it('allows an absolute bound, one for all or one for each', () => {
    expect([1, 1e-9]).toBeAllclose([1, 0], { atol: 1e-9 });
    expect([1, 2]).toBeAllclose([1.1, 2], { atol: [0.11, 0] });
    expect(() => expect([1, 2]).toBeAllclose([1.1, 2], { atol: [0, 0.11] })).toThrow('1 of 2 numbers are off');
  });

  it('names the worst elements', () => {
    expect(() => expect([1, 2, 3]).toBeAllclose([1, 2.5, 4])).toThrow(
      /\[2\] 3 instead of 4.*\n.*\[1\] 2 instead of 2\.5/,
    );
  });
});

it('shapeOf gives the sizes of nested lists and refuses ragged ones', () => {
  expect(
    shapeOf([
      [1, 2, 3],
      [4, 5, 6],
    ]),
  ).toEqual([2, 3]);
  expect(shapeOf(7)).toEqual([]);
  expect(() => shapeOf([[1, 2], [3]])).toThrow('ragged');
  expect(flat([[1, [2]], 3])).toEqual([1, 2, 3]);
});
