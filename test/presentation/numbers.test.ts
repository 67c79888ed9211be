import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  pluralize,
  FIGURE_SPACE,
  formatInteger,
  formatIndex,
  formatNumber,
  formatPowerOfTen,
  formatRate,
  formatCompact,
  formatShape,
  parseNumber,
  formatPercent,
  formatSigned,
  formatExact,
  MINUS,
} from '../../src/presentation/numbers';

/** The number that a person would read. */
const read = (text: string): number =>
  text.endsWith('∞') ? (text.startsWith(MINUS) ? -Infinity : Infinity) : Number(text.replaceAll(MINUS, '-'));

describe('formatRate', () => {
  it.each([
    [0.9871, '1.0'],
    [1, '1.0'],
    [9.93, '9.9'],
    [9.97, '10'],
    [62.48, '62'],
    [12345.6, '12,346'],
  ])('writes %s as %s', (rate, text) => {
    expect(formatRate(rate)).toBe(text);
  });
});

describe('formatNumber', () => {
  it.each([
    [0, '0'],
    [-0, '0'],
    [0.5, '0.5000'],
    [-0.5, '−0.5000'],
    [1, '1.000'],
    [3.14159, '3.142'],
    [12.3456, '12.35'],
    [0.001, '0.001000'],
    [0.000999, '9.990e−4'],
    [1e-9, '1.000e−9'],
    [-2.5e-7, '−2.500e−7'],
    [9999.4, '9999'],
    [9999.6, '10000'],
    [12345.6, '12346'],
    [99999, '99999'],
    [99999.4, '99999'],
    [99999.6, '1.000e5'],
    [1e5, '1.000e5'],
    [1.5e300, '1.500e300'],
    [NaN, 'NaN'],
    [Infinity, '∞'],
    [-Infinity, '−∞'],
    [5e-324, '4.941e−324'],
  ])('writes %s as %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it('is off by at most half a unit of the fourth digit, and keeps the sign', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e308, max: 1e308 }), (value) => {
        const shown = read(formatNumber(value));
        expect(Math.abs(shown - value)).toBeLessThanOrEqual(Math.abs(value) * 5.01e-4 + 1e-323);
        if (value !== 0) expect(Math.sign(shown)).toBe(Math.sign(value));
      }),
    );
  });

  it('never exceeds the width of a column', () => {
    fc.assert(fc.property(fc.double(), (value) => void expect(formatNumber(value).length).toBeLessThanOrEqual(11)));
  });
});

it('reserves the same width for every sign', () => {
  expect(formatSigned(0.5)).toBe(`${FIGURE_SPACE}0.5000`);
  expect(formatSigned(-0.5)).toBe('−0.5000');
  expect(formatSigned(0.5).length).toBe(formatSigned(-0.5).length);
});

it('has the full number for copying: it parses to the same bits', () => {
  fc.assert(fc.property(fc.double(), (value) => void expect(Number(formatExact(value))).toBe(value)));
  expect(formatExact(-0)).toBe('-0');
});

it('groups digits of counts and never abbreviates them', () => {
  expect(formatInteger(0)).toBe('0');
  expect(formatInteger(9999)).toBe('9,999');
  expect(formatInteger(10000)).toBe('10,000');
  expect(formatInteger(1234567)).toBe('1,234,567');
  for (const value of [
    1,
    12,
    123,
    1000,
    12345,
    100_000,
    999_999,
    -1,
    -999,
    -1000,
    -1234567,
    2 ** 53 - 1,
    2 ** 60,
    0.5,
    NaN,
  ])
    expect(formatInteger(value)).toBe(new Intl.NumberFormat('en-US').format(value));
  expect(pluralize(1, 'entry', 'entries')).toBe('1 entry');
  expect(pluralize(22, 'entry', 'entries')).toBe('22 entries');
});

describe('parseNumber', () => {
  it('reads what the formats for fields write', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        const parsed = parseNumber(formatCompact(x));
        expect(Math.abs((parsed ?? NaN) - x)).toBeLessThanOrEqual(1e-5 * Math.abs(x));
      }),
    );
    expect(parseNumber(' −5e−4 ')).toBe(-5e-4);
  });

  it.each(['', '1 2', '0x10', '1e999', '--1', '.', 'NaN', '1,5'])('refuses "%s"', (text) => {
    expect(parseNumber(text)).toBeNull();
  });
});

it('writes round numbers in their shortest form', () => {
  const round: [number, string][] = [
    [0, '0'],
    [0.5, '0.5'],
    [-20, '−20'],
    [1e-5, '1e−5'],
    [6e-6, '6e−6'],
    [2e75, '2e75'],
    [0.1 + 0.2, '0.3'],
  ];
  for (const [value, text] of round) expect(formatCompact(value)).toBe(text);
});

it('formats powers, shares, shapes and indices', () => {
  expect([-4, -2, 0, 2, 3].map(formatPowerOfTen)).toEqual(['1e−4', '0.01', '1', '100', '1e3']);
  expect([0, 0.25, 0.125, 0.0123, 1].map(formatPercent)).toEqual([
    '0\u202f%',
    '25\u202f%',
    '12.5\u202f%',
    '1.2\u202f%',
    '100\u202f%',
  ]);
  expect(formatShape([32, 4])).toBe('32 × 4');
  expect(formatShape([])).toBe('1');
  expect(formatIndex([3, 0])).toBe('[3, 0]');
});
