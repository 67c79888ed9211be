import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bindExpression, type Bound, ExpressionError, functions, parseExpression } from '../../src/expressions';
import { MAX_LENGTH } from '../../src/expressions';
import { hostileExpressions } from './hostile-expressions';
import { scope } from './scope';
import { expressionsWithValues } from './slow-evaluator';

function evaluate(text: string): { type: Bound['type']; shape: readonly number[]; entries: number[] } {
  const { type, shape, size, prepare, at } = bindExpression(parseExpression(text), scope);
  prepare();
  return { type, shape, entries: Array.from({ length: size }, (_, i) => at(i)) };
}

function errorOf(text: string): ExpressionError {
  try {
    evaluate(text);
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
  throw new Error(`${text} is valid`);
}

describe('an expression', () => {
  it.each<[string, readonly number[], readonly number[]]>([
    ['1 + 2 * 3', [], [7]],
    ['2 ** 3 ** 2', [], [512]],
    ['-2 ** 2', [], [-4]],
    ['(-2) ** 2', [], [4]],
    ['2 ** -1', [], [0.5]],
    ['1e3 - .5', [], [999.5]],
    ['1 / 0', [], [Infinity]],
    ['a', [2, 3], [-2.5, -1, 0, 0.5, 2, 4]],
    ['a[1]', [3], [0.5, 2, 4]],
    ['a[-1, 0]', [], [0.5]],
    ['a[:, 1]', [2], [-1, 2]],
    ['a[:, ::2]', [2, 2], [-2.5, 0, 0.5, 4]],
    ['a[0][1:]', [2], [-1, 0]],
    ['a + b', [2, 3], [-1.5, -3, 0.25, 1.5, 0, 4.25]],
    ['grad(a)[0]', [3], [2.5, 1, -0]],
    ['grad(a[0])', [3], [2.5, 1, -0]],
    ['update(b)', [3], [0.125, -0.25, 0.03125]],
    ['layer("hidden").weight[0, 1]', [2], [0.5, 7]],
    ['norm(hidden.weight[0, :, 0])', [], [Math.hypot(3, 0.5)]],
    ['mean(b)', [], [-0.25]],
    ['sum(a)', [], [3]],
    ['std(b)', [], [Math.sqrt((1.25 ** 2 + 1.75 ** 2 + 0.5 ** 2) / 3)]],
    ['min(a)', [], [-2.5]],
    ['max(abs(a))', [], [4]],
    ['argmax(a)', [], [5]],
    ['argmax(bad)', [], [0]],
    ['max(bad)', [], [NaN]],
    // torch.quantile of -2.5, -1, 0, 0.5, 2, 4
    ['quantile(a, 0.5)', [], [0.25]],
    ['quantile(a, 0.9)', [], [3]],
    ['size(a[:, 1:])', [], [4]],
    ['sqrt(4) + exp(0) + log(1) + sign(-3)', [], [2]],
  ])('%s', (text, shape, entries) => {
    const value = evaluate(text);
    expect(value.type).toBe('number');
    expect(value.shape).toEqual(shape);
    expect(value.entries).toHaveLength(entries.length);
    value.entries.forEach((entry, i) => {
      if (Number.isFinite(entries[i])) expect(entry).toBeCloseTo(entries[i], 14);
      else expect(entry).toBe(entries[i]);
    });
  });

  it.each([
    ['1 < 2', true],
    ['not 1 > 2', true],
    ['not 1 + 1 > 3', true],
    ['not 2 * 1 + 1 > 2 or false', false],
    ['(not 1 > 2) and not 1 - 1 > 0', true],
    ['-2 ** 2 + 1 == -3', true],
    ['(-2) ** 2 + 1 == 5', true],
    ['not norm(b) > 1 and loss > 0.5', false],
    ['loss == 0.75 and (step != 12 or true)', true],
    ['any(isnan(bad)) and not all(isnan(bad))', true],
    ['all(isfinite(a))', true],
    ['frac(a > 0) == 0.5', true],
    ['any(a > 1 and a < 3)', true],
    ['all((a > 0) == (a >= 0.5))', true],
    ['max(bad) == max(bad)', false],
    // The right side is not evaluated if the left one decides.
    ['false and any(isnan(bad))', false],
  ])('%s is %s', (text, expected) => {
    expect(evaluate(text)).toEqual({ type: 'boolean', shape: [], entries: [Number(expected)] });
  });

  it('may have as many terms as fit, since a chain is not nested', () => {
    const text = (terms: number): string => Array<string>(terms).fill('1').join('+');
    expect(evaluate(text(62)).entries).toEqual([62]);
    expect(evaluate(text(500)).entries).toEqual([500]);
    expect(evaluate(`a${'+a'.repeat(499)}`).entries[0]).toBeCloseTo(500 * evaluate('a').entries[0], 9);
    expect(evaluate(`not ${text(62)} + 1 > 62`).entries).toEqual([0]);
    expect(evaluate(`${'true and '.repeat(100)}false`).entries).toEqual([0]);
  });

  it('equals the obvious evaluation of its definition', () => {
    fc.assert(
      fc.property(expressionsWithValues, ({ text, value }) => {
        fc.pre(text.length <= MAX_LENGTH);
        if (value === null) {
          expect(errorOf(text)).toBeInstanceOf(ExpressionError);
          return;
        }
        const found = evaluate(text);
        expect(found.type).toBe(value.type);
        expect(found.shape).toEqual(value.shape);
        expect(found.entries).toHaveLength(value.entries.length);
        found.entries.forEach((entry, i) => {
          const wanted = value.entries[i];
          // Sums in another order.
          if (Math.abs(entry - wanted) > 1e-9 * Math.max(1, Math.abs(wanted))) expect(entry).toBe(wanted);
          else if (Number.isNaN(wanted) || Number.isNaN(entry)) expect(entry).toBe(wanted);
        });
      }),
      { numRuns: 2000, seed: 20 },
    );
  });

  it('reads the tensors anew at each evaluation', () => {
    const data = Float32Array.of(3, 4);
    const bound = bindExpression(parseExpression('norm(x - mean(x)) + norm(x)'), {
      resolve: () => ({ kind: 'tensor', shape: [2], data }),
    });
    bound.prepare();
    expect(bound.at(0)).toBeCloseTo(Math.SQRT1_2 + 5, 14);
    data.fill(1);
    bound.prepare();
    expect(bound.at(0)).toBeCloseTo(Math.SQRT2, 14);
  });
});

describe('an expression that cannot be evaluated', () => {
  it.each<[string, string]>([
    // The part of the text at fault.
    ['norm(a) > nothing.weight', 'nothing.weight'],
    ['1 + frobenius(a)', 'frobenius(a)'],
    ['b + a[:, 0]', 'b + a[:, 0]'],
    ['a[2]', 'a[2]'],
    ['a[0, 1.5]', '1.5'],
    ['a[1:1]', 'a[1:1]'],
    ['norm(a, b)', 'norm(a, b)'],
    ['loss and true', 'loss'],
    ['1 + (2 < 3)', '(2 < 3)'],
    ['grad(1)', '1'],
    ['1 2', '2'],
    ['1 + *', '*'],
    ['quantile(a, b)', 'b'],
    ['any(a)', 'a'],
    ['norm("a")', '"a"'],
    ['sum(huge)', 'sum(huge)'],
    ['crosses(1)', 'crosses(1)'],
  ])('%s is wrong at %s', (text, part) => {
    const { start, end } = errorOf(text);
    expect(text.slice(start, end)).toBe(part);
  });

  it('says so at its place, for 500 hostile ones', () => {
    expect(new Set(hostileExpressions).size).toBe(500);
    for (const text of hostileExpressions) {
      const { message, start, end } = errorOf(text);
      expect(message).toMatch(/[.?]$/);
      expect(start).toBeGreaterThanOrEqual(0);
      expect(end).toBeGreaterThanOrEqual(start);
      expect(end).toBeLessThanOrEqual(text.length);
    }
  });

  it('never fails in another way, whatever the text', () => {
    const part = fc.constantFrom(
      ...'a b [ ] ( ) , : . - + * / ** < >= == ! = & | ? ; " \' 0 1.5 1e9 not and or true loss norm grad layer \u{1f600} \0'.split(
        ' ',
      ),
      ...functions.keys(),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), fc.constantFrom('', ' '), (parts, separator) => {
        try {
          evaluate(parts.join(separator));
        } catch (error) {
          expect(error).toBeInstanceOf(ExpressionError);
        }
      }),
      { numRuns: 5000, seed: 20 },
    );
  });
});
