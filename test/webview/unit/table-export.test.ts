// Exported tables, read by an independent RFC 4180 reader.
import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { toCsv, toTsv } from '../../../webview/export/table-export';

const read = (csv: string): string[][] =>
  Papa.parse<string[]>(csv.replace(/^\uFEFF/, ''), { newline: '\r\n', delimiter: ',', skipEmptyLines: false }).data;

describe('CSV', () => {
  it('conforms to RFC 4180', () => {
    const csv = toCsv({
      headers: ['a "b"', 'c,d'],
      rows: [
        ['new\nline', 0.1],
        [null, -0],
      ],
    });
    expect(csv).toBe('\uFEFF"a ""b""","c,d"\r\n"new\nline",0.1\r\n,-0\r\n');
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', ' =1', '\t=1', '\r=1', '＝1'])(
    'does not turn the name %j into a formula',
    (name) => {
      expect(read(toCsv({ headers: [], rows: [[name]] }))[0][0]).toBe(`'${name}`);
    },
  );

  it('keeps negative numbers as numbers', () => {
    expect(toCsv({ headers: [], rows: [[-1.5, -Infinity, NaN]] })).toBe('\uFEFF-1.5,-Infinity,NaN\r\n');
  });

  it('preserves any name and every digit of any number', () => {
    const name = fc.string({ unit: 'binary' });
    const number = fc.double();
    fc.assert(
      fc.property(fc.array(fc.tuple(name, number), { minLength: 1, maxLength: 5 }), (rows) => {
        const back = read(toCsv({ headers: ['name', 'value'], rows }));
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
  it('keeps each row on one line, whatever the names contain', () => {
    expect(toTsv({ headers: ['n\tame', 'value'], rows: [['a\r\nb', 0.1]] })).toBe('n ame\tvalue\na b\t0.1');
  });
});
