// Tables that are taken away: read back by a reader of RFC 4180 that knows nothing of the writer.
import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { asCsv, asTabs } from '../../../webview/sheet';

const read = (csv: string): string[][] => Papa.parse<string[]>(csv.replace(/^\uFEFF/, ''), { newline: '\r\n', delimiter: ',', skipEmptyLines: false }).data;

describe('CSV', () => {
  it('has the form of RFC 4180', () => {
    const csv = asCsv({ heads: ['a "b"', 'c,d'], rows: [['new\nline', 0.1], [null, -0]] });
    expect(csv).toBe('\uFEFF"a ""b""","c,d"\r\n"new\nline",0.1\r\n,-0\r\n');
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', ' =1', '\t=1', '\r=1', '＝1'])('makes no formula of the name %j', (name) => {
    expect(read(asCsv({ heads: [], rows: [[name]] }))[0][0]).toBe(`'${name}`);
  });

  it('keeps negative numbers numbers', () => {
    expect(asCsv({ heads: [], rows: [[-1.5, -Infinity, NaN]] })).toBe('\uFEFF-1.5,-Infinity,NaN\r\n');
  });

  it('gives back any name and every digit of any number', () => {
    const name = fc.string({ unit: 'binary' });
    const number = fc.double();
    fc.assert(
      fc.property(fc.array(fc.tuple(name, number), { minLength: 1, maxLength: 5 }), (rows) => {
        const back = read(asCsv({ heads: ['name', 'value'], rows }));
        rows.forEach(([text, value], i) => {
          expect([text, `'${text}`]).toContain(back[i + 1][0]);
          expect(Number(back[i + 1][1])).toBe(value);
        });
        expect(back.length).toBe(rows.length + 2);
      }),
    );
  });
});

describe('for the clipboard', () => {
  it('keeps a row a row, whatever names hold', () => {
    expect(asTabs({ heads: ['n\tame', 'value'], rows: [['a\r\nb', 0.1]] })).toBe('n ame\tvalue\na b\t0.1');
  });
});
