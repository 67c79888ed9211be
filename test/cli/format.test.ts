// Formatting numbers as text.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pluralize, formatNumber } from '../../src/presentation/plain-numbers';
import {
  formatShortest,
  formatDuration,
  NO_LIMITS,
  formatMatrix,
  SCREEN_LIMITS,
  formatTable,
} from '../../src/cli/format';
import { toJsonText, toNestedList } from '../../src/cli/json';
import { locateProblems, formatProblem } from '../../src/cli/problems';
import { renderBar } from '../../src/cli/progress';
import { sparkline } from '../../src/cli/progress';

describe('numbers', () => {
  it('are short in sentences', () => {
    expect([0, 0.713059511, 1 / 3, 1e-5, 123456789, NaN, -Infinity].map(formatNumber)).toEqual([
      '0',
      '0.71306',
      '0.333333',
      '1.000e-5',
      '1.235e+8',
      'NaN',
      '-Infinity',
    ]);
    expect([6e-6, 0.00001, 0.1, 1, 0].map(formatShortest)).toEqual(['6e-6', '1e-5', '0.1', '1', '0']);
    expect([3, 1500, 99_900, 125_000].map(formatDuration)).toEqual(['3 ms', '1.5 s', '99.9 s', '2 min 5 s']);
    expect([pluralize(1, 'step'), pluralize(1200, 'step'), pluralize(0, 'entry', 'entries')]).toEqual([
      '1 step',
      '1,200 steps',
      '0 entries',
    ]);
  });
});

describe('matrices', () => {
  it('align, with nine digits of the largest number', () => {
    expect(formatMatrix([2, 2], Float64Array.of(1.5, -22.25, 0, 3), SCREEN_LIMITS)).toEqual([
      '1.5000000  -22.2500000',
      '0.0000000    3.0000000',
    ]);
    expect(formatMatrix([1, 2], Float64Array.of(0.75136507, -0.1), SCREEN_LIMITS)).toEqual([
      '0.751365070  -0.100000000',
    ]);
    expect(formatMatrix([2], Float64Array.of(1e-9, 0), SCREEN_LIMITS)).toEqual(['1.00000000e-9  0']);
    expect(formatMatrix([1, 3], Float64Array.of(1, 0, -1), SCREEN_LIMITS)).toEqual(['1  0  -1']);
    expect(formatMatrix([1, 3], Float64Array.of(0.5, NaN, -Infinity), SCREEN_LIMITS)).toEqual([
      '0.500000000  NaN  -Infinity',
    ]);
  });

  it('are truncated if too large, and say by how much', () => {
    const large = new Float64Array(300);
    expect(formatMatrix([30, 10], large, SCREEN_LIMITS).at(-1)).toBe(
      '… 22 more rows and 2 more columns; --full shows all',
    );
    expect(formatMatrix([30, 10], large, SCREEN_LIMITS)).toHaveLength(9);
    expect(formatMatrix([9, 2], new Float64Array(18), SCREEN_LIMITS).at(-1)).toBe('… 1 more row; --full shows all');
    expect(formatMatrix([30, 10], large, NO_LIMITS)).toHaveLength(30);
  });
});

describe('tables', () => {
  it('are as wide as their cells', () => {
    expect(
      formatTable(
        ['Name', 'n'],
        [
          ['a', '10'],
          ['long', '3'],
        ],
      ),
    ).toEqual(['Name   n', 'a     10', 'long   3']);
  });
});

describe('sparklines and bars', () => {
  it('show the course of a series', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([7, 7, 0, 0], 2)).toBe('█▁');
    expect(sparkline([2, 2, 2], 10)).toBe('▁▁▁');
    expect(sparkline([1, NaN, 3], 3)).toBe('▁█');
    expect(sparkline([], 10)).toBe('');
    expect(sparkline([NaN], 10)).toBe('');
    expect(
      sparkline(
        Array.from({ length: 1000 }, (_, i) => i),
        20,
      ),
    ).toHaveLength(20);
  });

  it('fill from left to right', () => {
    expect([renderBar(0, 4), renderBar(0.5, 4), renderBar(1, 4), renderBar(2, 4)]).toEqual([
      '░░░░',
      '██░░',
      '████',
      '████',
    ]);
  });
});

describe('JSON', () => {
  const jsonNumber = fc
    .oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer())
    .map((x) => (Object.is(x, -0) ? 0 : x));
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      jsonNumber,
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('any')),
      fc.dictionary(fc.string(), tie('any')),
    ),
  })).any;

  it('parses back to what was written, whatever its layout', () => {
    fc.assert(
      fc.property(value, (written) => {
        expect(JSON.parse(toJsonText(written))).toEqual(JSON.parse(JSON.stringify(written)));
      }),
    );
  });

  it('keeps every digit, and each list of numbers on one line', () => {
    fc.assert(
      fc.property(fc.array(jsonNumber, { minLength: 1 }), (numbers) => {
        const text = toJsonText(Float64Array.from(numbers));
        expect(JSON.parse(text)).toEqual(numbers);
        expect(text.trimEnd()).not.toContain('\n');
      }),
    );
  });

  it('writes NaN and infinities as strings', () => {
    expect(toJsonText({ a: [NaN, Infinity, -Infinity, 1] })).toBe('{\n  "a": ["NaN", "Infinity", "-Infinity", 1]\n}\n');
  });

  it('nests tensors by their shape', () => {
    expect(toNestedList([2, 3], Float64Array.of(1, 2, 3, 4, 5, 6))).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(toNestedList([2, 1, 2], Float64Array.of(1, 2, 3, 4))).toEqual([[[1, 2]], [[3, 4]]]);
    expect(toNestedList([3], Float32Array.of(1, 2, 3))).toEqual([1, 2, 3]);
    expect(toNestedList([], Float64Array.of(7))).toBe(7);
  });
});

describe('problems', () => {
  it('have the right line and column for all kinds of line breaks', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const text = ['{', '  "loss": "msee"', '}'].join(end);
      const start = text.indexOf('"msee"');
      const [placed] = locateProblems('a.json', text, [
        { code: 'unknown-loss', severity: 'error', start, end: start + 6, message: 'No.', remedy: 'Yes.' },
      ]);
      expect(placed).toMatchObject({ line: 2, column: 11, endLine: 2, endColumn: 17 });
      expect(formatProblem(placed)).toBe('a.json:2:11: error: No. Yes. [unknown-loss]');
    }
  });
});
