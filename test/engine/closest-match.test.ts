import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, closestMatch } from '../../src/engine/closest-match';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['kitten', 'sitting', 3],
    ['tahn', 'tanh', 1],
    ['ca', 'abc', 3],
    ['relu', 'relu', 0],
  ])('from %j to %j is %d', (a, b, distance) => expect(editDistance(a, b)).toBe(distance));

  it('is symmetric, 0 only for equal strings, and at most the longer length', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(editDistance(b, a)).toBe(distance);
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});

describe('nearest', () => {
  const known = ['linear', 'tanh', 'sigmoid', 'relu', 'softmax', 'identity'];
  it.each([
    ['tahn', 'tanh'],
    ['Tanh', 'tanh'],
    ['ReLU', 'relu'],
    ['soft_max', 'softmax'],
    ['softmaxx', 'softmax'],
    ['sigm', 'sigmoid'],
    ['ident', 'identity'],
    ['conv2d', undefined],
    ['x', undefined],
    ['', undefined],
    ['__', undefined],
    ['a'.repeat(10000), undefined],
  ])('for %.20s is %s', (name, meant) => expect(closestMatch(name, known)).toBe(meant));
});
