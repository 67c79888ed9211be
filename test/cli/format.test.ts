// The small pieces that make text of numbers.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counted, short } from '../../src/gradcheck/words';
import { chosen, duration, EVERYTHING, matrix, SCREEN, table } from '../../src/cli/format';
import { jsonText, nested } from '../../src/cli/json';
import { placeProblems, problemText } from '../../src/cli/problems';
import { bar } from '../../src/cli/progress';
import { sparkline } from '../../src/cli/sparkline';

describe('numbers', () => {
  it('in sentences are short', () => {
    expect([0, 0.713059511, 1 / 3, 1e-5, 123456789, NaN, -Infinity].map(short)).toEqual([
      '0', '0.71306', '0.333333', '1.000e-5', '1.235e+8', 'NaN', '-Infinity',
    ]);
    expect([6e-6, 0.00001, 0.1, 1, 0].map(chosen)).toEqual(['6e-6', '1e-5', '0.1', '1', '0']);
    expect([3, 1500, 99_900, 125_000].map(duration)).toEqual(['3 ms', '1.5 s', '99.9 s', '2 min 5 s']);
    expect([counted(1, 'step'), counted(1200, 'step'), counted(0, 'entry', 'entries')]).toEqual(['1 step', '1,200 steps', '0 entries']);
  });
});

describe('matrices', () => {
  it('align, with nine digits of the largest number', () => {
    expect(matrix([2, 2], Float64Array.of(1.5, -22.25, 0, 3), SCREEN)).toEqual(['1.5000000  -22.2500000', '0.0000000    3.0000000']);
    expect(matrix([1, 2], Float64Array.of(0.751365070, -0.1), SCREEN)).toEqual(['0.751365070  -0.100000000']);
    expect(matrix([2], Float64Array.of(1e-9, 0), SCREEN)).toEqual(['1.00000000e-9  0']);
    expect(matrix([1, 3], Float64Array.of(1, 0, -1), SCREEN)).toEqual(['1  0  -1']);
    expect(matrix([1, 3], Float64Array.of(0.5, NaN, -Infinity), SCREEN)).toEqual(['0.500000000  NaN  -Infinity']);
  });

  it('that are too large are cut, and say by how much', () => {
    const large = new Float64Array(300);
    expect(matrix([30, 10], large, SCREEN).at(-1)).toBe('… 22 more rows and 2 more columns; --full shows all');
    expect(matrix([30, 10], large, SCREEN)).toHaveLength(9);
    expect(matrix([9, 2], new Float64Array(18), SCREEN).at(-1)).toBe('… 1 more row; --full shows all');
    expect(matrix([30, 10], large, EVERYTHING)).toHaveLength(30);
  });
});

describe('tables', () => {
  it('are as wide as their cells', () => {
    expect(table(['Name', 'n'], [['a', '10'], ['long', '3']])).toEqual(['Name   n', 'a     10', 'long   3']);
  });
});

describe('sparklines and bars', () => {
  it('show the way of a series', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([7, 7, 0, 0], 2)).toBe('█▁');
    expect(sparkline([2, 2, 2], 10)).toBe('▁▁▁');
    expect(sparkline([1, NaN, 3], 3)).toBe('▁█');
    expect(sparkline([], 10)).toBe('');
    expect(sparkline([NaN], 10)).toBe('');
    expect(sparkline(Array.from({ length: 1000 }, (_, i) => i), 20)).toHaveLength(20);
  });

  it('fill from left to right', () => {
    expect([bar(0, 4), bar(0.5, 4), bar(1, 4), bar(2, 4)]).toEqual(['░░░░', '██░░', '████', '████']);
  });
});

describe('JSON', () => {
  const jsonNumber = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()).map((x) => (Object.is(x, -0) ? 0 : x));
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ maxDepth: 4 }, jsonNumber, fc.string(), fc.boolean(), fc.constant(null), fc.array(tie('any')), fc.dictionary(fc.string(), tie('any'))),
  })).any;

  it('reads back as what was written, whatever its layout does', () => {
    fc.assert(fc.property(value, (written) => {
      expect(JSON.parse(jsonText(written))).toEqual(JSON.parse(JSON.stringify(written)));
    }));
  });

  it('keeps every digit of every number, and lists of numbers on a line', () => {
    fc.assert(fc.property(fc.array(jsonNumber, { minLength: 1 }), (numbers) => {
      const text = jsonText(Float64Array.from(numbers));
      expect(JSON.parse(text)).toEqual(numbers);
      expect(text.trimEnd()).not.toContain('\n');
    }));
  });

  it('writes numbers that are none as text', () => {
    expect(jsonText({ a: [NaN, Infinity, -Infinity, 1] })).toBe('{\n  "a": ["NaN", "Infinity", "-Infinity", 1]\n}\n');
  });

  it('nests tensors by their shape', () => {
    expect(nested([2, 3], Float64Array.of(1, 2, 3, 4, 5, 6))).toEqual([[1, 2, 3], [4, 5, 6]]);
    expect(nested([2, 1, 2], Float64Array.of(1, 2, 3, 4))).toEqual([[[1, 2]], [[3, 4]]]);
    expect(nested([3], Float32Array.of(1, 2, 3))).toEqual([1, 2, 3]);
    expect(nested([], Float64Array.of(7))).toBe(7);
  });
});

describe('problems', () => {
  it('are placed by line and column, whatever ends the lines', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const text = ['{', '  "loss": "msee"', '}'].join(end);
      const start = text.indexOf('"msee"');
      const [placed] = placeProblems('a.json', text, [
        { code: 'unknown-loss', severity: 'error', start, end: start + 6, message: 'No.', remedy: 'Yes.' },
      ]);
      expect(placed).toMatchObject({ line: 2, column: 11, endLine: 2, endColumn: 17 });
      expect(problemText(placed)).toBe('a.json:2:11: error: No. Yes. [unknown-loss]');
    }
  });
});
