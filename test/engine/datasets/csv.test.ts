// Valid and invalid CSV files. Every error names the file, the row and the column.
import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { CsvReader, CsvSyntaxError, detectDelimiter, readCsv } from '../../../src/engine/datasets/csv-reader';
import { DataError } from '../../../src/engine/datasets/data-error';
import type { Dataset } from '../../../src/engine/datasets/dataset';
import { makeDataset } from '../../support/datasets';
import { filesOnDisk, ODD_CHUNKS, withName } from '../../support/data-files';

const read = (text: string, options: object = {}, chunkSize = ODD_CHUNKS.text): Dataset =>
  makeDataset(
    'csv',
    { path: 'p.csv', ...options },
    { files: filesOnDisk({ 'p.csv': text }, { ...ODD_CHUNKS, text: chunkSize }) },
  );

function errorOf(text: string, options: object = {}): DataError {
  try {
    read(text, options);
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error('this should have been refused');
}

describe('a CSV file', () => {
  it('uses the last column as the target and the others as inputs', () => {
    const data = read('a,b,c\n1,2,0.5\n3,4,1.5\n');
    expect(data).toMatchObject({ samples: 2, inputShape: [2], targetSize: 1, featureNames: ['a', 'b'] });
    expect([...data.inputs]).toEqual([1, 2, 3, 4]);
    expect([...data.targets]).toEqual([0.5, 1.5]);
    expect(data.classes).toBeUndefined();
  });

  it('takes columns by name or number, in the requested order', () => {
    const data = read('a,b,c\n1,2,0.5\n3,4,1.5\n', { inputs: ['c', 1], target: 'b', task: 'values' });
    expect([...data.inputs]).toEqual([0.5, 1, 1.5, 3]);
    expect([...data.targets]).toEqual([2, 4]);
    expect(data.featureNames).toEqual(['c', 'a']);
  });

  it('stores classes in one byte each, or more for more classes or higher numbers', () => {
    const rows = (labels: readonly (string | number)[]): string =>
      `a,b\n${labels.map((label, i) => `${i},${label}`).join('\n')}\n`;
    const few = read(rows(['x', 'y', 'x']));
    expect([few.targets.BYTES_PER_ELEMENT, ...few.targets]).toEqual([1, 0, 1, 0]);
    const names = Array.from({ length: 600 }, (_, i) => `c${String(i % 300).padStart(3, '0')}`);
    expect([...read(rows(names)).targets]).toEqual(names.map((name) => Number(name.slice(1))));
    expect([...read(rows([999, 3, 999]), { classes: 1000 }).targets]).toEqual([999, 3, 999]);
  });

  it('may lack a header', () => {
    const data = read('1;2;a\n3;4;b', { header: false });
    expect(data).toMatchObject({ samples: 2, featureNames: ['column 1', 'column 2'], classes: ['a', 'b'] });
  });

  it.each([
    ['text', 'x\ny\nx', {}, ['x', 'y'], [0, 1, 0]],
    ['whole numbers', '2\n10\n2', {}, ['2', '10'], [0, 1, 0]],
    ['whole numbers asked for as values', '2\n10\n2', { task: 'values' }, undefined, [2, 10, 2]],
    ['numbers with fractions', '2\n1.5\n2', {}, undefined, [2, 1.5, 2]],
    ['numbers with fractions asked for as classes', '2\n1.5\n2', { task: 'classes' }, ['1.5', '2'], [1, 0, 1]],
    ['numbers written in several ways', '1\n2\n1.0', { task: 'classes' }, ['1', '2'], [0, 1, 0]],
    ['class indexes', '0\n2\n0', { classes: 3 }, ['0', '1', '2'], [0, 2, 0]],
    ['indexes of names', '2\n0\n1', { classes: ['cat', 'dog', 'bird'] }, ['cat', 'dog', 'bird'], [2, 0, 1]],
    ['names in an order of their own', 'x\ny\nx', { classes: ['y', 'x'] }, ['y', 'x'], [1, 0, 1]],
  ])('reads a target of %s', (_what, column, options, classes, targets) => {
    const text = `a,t\n${column
      .split('\n')
      .map((cell) => `1,${cell}`)
      .join('\n')}\n`;
    const data = read(text, options);
    expect(data.classes).toEqual(classes);
    expect([...data.targets]).toEqual(targets);
  });

  it('takes many distinct integers as values', () => {
    const column = (n: number): string => `a,t\n${Array.from({ length: n }, (_, i) => `0,${i}`).join('\n')}`;
    expect(read(column(20)).classes).toHaveLength(20);
    expect(read(column(21)).classes).toBeUndefined();
  });

  it.each([
    ['1e3', 1000],
    [' -2.5 ', -2.5],
    ['+.5', 0.5],
    ['7.', 7],
    ['"3"', 3],
  ])('reads %j as a number', (cell, value) => {
    expect(read(`a,t\n${cell},x\n0,y`).inputs[0]).toBe(value);
  });

  it.each([
    ['nothing at all', '', {}, 'p.csv is empty.', ['path']],
    ['a header only', 'a,b\n', {}, 'p.csv has column names but no rows of data.', ['path']],
    ['a row too short', 'a,b\n1,2\n\n3\n', {}, 'p.csv, row 4: there is 1 cell, but row 1 has 2.', ['path']],
    ['a row too long', 'a,b\n1,2\n1,2,3\n', {}, 'p.csv, row 3: there are 3 cells, but row 1 has 2.', ['path']],
    [
      'text among numbers',
      'a,b,t\n1,2,0.5\n3,four,0.5\n',
      {},
      'p.csv, row 3, column 2 (b): "four" is not a number.',
      ['path'],
    ],
    ['an empty cell', 'a,b,t\n1,,0.5\n', {}, 'p.csv, row 2, column 2 (b): the cell is empty.', ['path']],
    ['an empty label', 'a,t\n1,x\n2, \n3,y', {}, 'p.csv, row 3, column 2 (t): the cell is empty.', ['path']],
    ['NaN', 'a,t\nNaN,0.5\n', {}, 'p.csv, row 2, column 1 (a): the value is missing ("NaN").', ['path']],
    [
      'NaN among values',
      'a,t\n1,0.5\n2,nan\n',
      {},
      'p.csv, row 3, column 2 (t): the value is missing ("nan").',
      ['path'],
    ],
    ['an infinity', 'a,t\n-inf,0.5\n', {}, 'p.csv, row 2, column 1 (a): "-inf" is infinite.', ['path']],
    [
      'a number too large',
      'a,t\n1e999,0.5\n',
      {},
      'p.csv, row 2, column 1 (a): "1e999" is too large for a number.',
      ['path'],
    ],
    ['a hexadecimal number', 'a,t\n0x10,0.5\n', {}, '"0x10" is not in decimal notation.', ['path']],
    [
      'a label out of range',
      'a,t\n1,0\n2,3\n',
      { classes: 3 },
      'p.csv, row 3, column 2 (t): the label 3 is out of range; with 3 classes it must be an integer from 0 to 2.',
      ['path'],
    ],
    ['a negative label', 'a,t\n1,-1\n2,1\n', { classes: 2 }, 'the label -1 is out of range', ['path']],
    [
      'a label that is no class',
      'a,t\n1,x\n2,z\n',
      { classes: ['x', 'y'] },
      'p.csv, row 3, column 2 (t): the label "z" is out of range; the classes are x, y.',
      ['path'],
    ],
    ['one class only', 'a,t\n1,x\n2,x\n', {}, 'Every sample has the label "x"', ['path']],
    [
      'text where values are asked for',
      'a,t\n1,x\n2,y\n',
      { task: 'values' },
      'p.csv, row 2, column 2 (t): "x" is not a number.',
      ['path'],
    ],
    [
      'a target that is not there',
      'a,speices\n1,x\n',
      { target: 'species' },
      'p.csv has no column "species".',
      ['target'],
    ],
    ['an input that is not there', 'a,b\n1,x\n', { inputs: ['a', 'c'] }, 'p.csv has no column "c".', ['inputs', 1]],
    ['a column number beyond the last', 'a,b\n1,x\n', { target: 3 }, 'p.csv has no column 3: it has 2.', ['target']],
    ['two columns of the name', 'a,a,t\n1,2,x\n', { inputs: ['a'] }, 'p.csv has two columns named "a".', ['inputs', 0]],
    [
      'the target among the inputs',
      'a,t\n1,0.5\n',
      { inputs: ['a', 't'] },
      'The target column "t" is also an input',
      ['inputs', 1],
    ],
    ['a single column', 'a\n1\n', {}, 'has only one column', ['path']],
    ['a quote that never ends', 'a,t\n"1,0.5\n', {}, 'p.csv, row 2: ', ['path']],
    ['a quote in the middle', 'a,t\n"1"2,0.5\n', {}, 'p.csv, row 2: "2" follows the closing quote', ['path']],
  ])('with %s is refused', (_what, text, options, message, path) => {
    const error = errorOf(text, options);
    expect(error.message).toContain(message);
    expect(error.path).toEqual(path);
    expect(error.remedy).toMatch(/\S[.?]$/);
  });

  it('counts lines inside a quoted cell', () => {
    expect(errorOf('a,note,t\n1,"two\nlines",0.5\nx,y,0.5\n', { inputs: ['a'] }).message).toContain(
      'row 4, column 1 (a)',
    );
  });

  it('suggests a similar column, and the option for a decimal comma', () => {
    expect(errorOf('a,species\n1,x\n', { target: 'specie' }).suggestion).toBe('species');
    expect(errorOf('a;t\n0,5;x\n1;y\n').remedy).toContain('"decimal": ","');
  });
});

describe('a cell of 200,000 characters', () => {
  // Each would take many minutes in time that grows with the square of its length.
  const digits = '1'.repeat(200_000);
  it.each([
    `${digits}x`,
    `[${digits}`,
    `(${digits}`,
    `${digits} kg`,
    `1,${digits}`,
    `${digits}d`,
    `<${digits}x`,
    `-${digits}%`,
  ])('is refused at its place (%#)', (cell) => {
    const chunk = 2 ** 14;
    expect(() => read(`a;t\n2;1\n${cell};2\n`, {}, chunk)).toThrow('row 3, column 1');
    expect(() => read(`a;t\n${cell};2\n2;1\n`, { missing: 'mean', missing_values: ['7'] }, chunk)).toThrow('row 2');
  });
});

describe('rows of a CSV file', () => {
  const rows = Array.from({ length: 40 }, (_, i) => `${i},${i % 3},${'abc'[i % 3]}`);
  const text = `a,b,t\n${rows.join('\n')}\n`;

  it('are the first ones with a limit, and later rows are not inspected', () => {
    const { samples, inputs, classes } = read(`a,b,t\n${rows.slice(0, 7).join('\n')}\nx,y,z,w\n`, { limit: 7 });
    expect({ samples, classes }).toEqual({ samples: 7, classes: ['a', 'b', 'c'] });
    expect([...inputs]).toEqual([0, 0, 1, 1, 2, 2, 3, 0, 4, 1, 5, 2, 6, 0]);
  });

  it('drawn from the seed are equally likely, each with its own label', () => {
    const counts = new Array<number>(40).fill(0);
    for (let seed = 0; seed < 400; seed++) {
      const { samples, inputs, targets } = makeDataset(
        'csv',
        { path: 'p', limit: 10, pick: 'random' },
        { seed, files: filesOnDisk({ p: text }) },
      );
      expect(samples).toBe(10);
      const drawn = Array.from({ length: 10 }, (_, i) => inputs[2 * i]);
      expect(new Set(drawn).size).toBe(10);
      drawn.forEach((row, i) => {
        expect([inputs[2 * i + 1], targets[i]]).toEqual([row % 3, row % 3]);
        counts[row]++;
      });
    }
    // Each of 400 draws selects a row with probability 1/4: 100 ± 8.7. The bound is six times that, for 40 rows.
    expect(Math.max(...counts.map((count) => Math.abs(count - 100)))).toBeLessThan(52);
  });

  it('may be more than the first of them suggest', () => {
    const short = Array.from({ length: 3000 }, (_, i) => `${i % 10},0.5`);
    const long = `a,t\n${'1'.padEnd(300, '0')},0.5\n${short.join('\n')}`;
    const { samples, inputs } = read(long.replace(/10{299}/, '7'.padEnd(300, ' ')), {}, 200);
    expect(samples).toBe(3001);
    expect([...inputs.slice(0, 12)]).toEqual([7, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
    expect(inputs).toHaveLength(3001);
  });

  it('are rejected if there are too many, with the size that they would take', () => {
    const many = `a,b,t\n${Array.from({ length: 5 }, () => rows.join('\n')).join('\n')}\n`;
    const files = filesOnDisk({ p: many }, { ...ODD_CHUNKS, text: 100 });
    const given = { ...files, open: () => withName(files.open('p', []), 'p', 4e9) };
    expect(() => makeDataset('csv', { path: 'p' }, { files: given })).toThrow(
      /^p would take [\d,]+ MB: [\d,]+ samples of 2 numbers in float64; the limit is 512 MB\.$/,
    );
    expect(makeDataset('csv', { path: 'p', limit: 5 }, { files: given }).samples).toBe(5);
  });

  it('are the same for any chunk sizes', () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', '1', ' ', ',', '"', '\n', '\r\n', '\r', 'é', '🙂'),
      maxLength: 6,
    });
    const table = fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 });
    const source = fc.oneof(
      fc.tuple(table, fc.constantFrom('\n', '\r\n', '\r')).map(([cells, newline]) => Papa.unparse(cells, { newline })),
      fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '\n', '\r', '\uFEFF'), maxLength: 20 }),
    );
    const rowsOf = (whole: string, size: number, delimiter?: string): unknown => {
      const reader = new CsvReader({ ...(delimiter && { delimiter }) });
      const found: unknown[] = [];
      try {
        for (let from = 0; from < whole.length; from += size) {
          found.push(...reader.rows(whole.slice(from, from + size), from + size >= whole.length));
        }
      } catch (error) {
        expect(error).toBeInstanceOf(CsvSyntaxError);
        return (error as CsvSyntaxError).message;
      }
      return found;
    };
    fc.assert(
      fc.property(source, fc.integer({ min: 1, max: 9 }), fc.constantFrom(',', undefined), (whole, size, delimiter) => {
        expect(rowsOf(whole, size, delimiter)).toEqual(rowsOf(whole, Infinity, delimiter));
      }),
      { numRuns: 2000 },
    );
  });

  it('have the same cells in any selection of columns', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '1', ' ', 'é'), maxLength: 3 });
    const source = fc.oneof(
      fc
        .tuple(
          fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
          fc.constantFrom('\n', '\r\n', '\r'),
        )
        .map(([cells, newline]) => Papa.unparse(cells, { newline })),
      fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '\n', '\r'), maxLength: 24 }),
    );
    const rowsOf = (whole: string, size: number, only: readonly number[]): unknown => {
      const reader = new CsvReader({ delimiter: ',' });
      if (only.length > 0) reader.selectColumns(only);
      const found: unknown[] = [];
      try {
        for (let from = 0; from < whole.length; from += size) {
          for (const { line, cells } of reader.rows(whole.slice(from, from + size), from + size >= whole.length)) {
            found.push({ line, count: cells.length, chosen: columns.map((column) => cells[column]) });
          }
        }
      } catch (error) {
        expect(error).toBeInstanceOf(CsvSyntaxError);
        return (error as CsvSyntaxError).message;
      }
      return found;
    };
    let columns: readonly number[] = [];
    fc.assert(
      fc.property(
        source,
        fc.integer({ min: 1, max: 40 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 }),
        (whole, size, chosen) => {
          columns = chosen;
          expect(rowsOf(whole, size, chosen)).toEqual(rowsOf(whole, size, []));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('readCsv', () => {
  const cell = fc.string({
    unit: fc.constantFrom('a', '1', ' ', ',', ';', '"', '\n', '\r\n', 'é', '🙂'),
    maxLength: 6,
  });

  it('parses what was written, as Papa Parse does', () => {
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(table, fc.constantFrom(',', ';', '\t'), fc.constantFrom('\n', '\r\n'), (rows, delimiter, newline) => {
        const text = Papa.unparse(rows, { delimiter, newline });
        expect(readCsv(text, delimiter).map(({ cells }) => cells)).toEqual(rows);
      }),
    );
  });

  it('agrees with Papa Parse whenever that finds no error', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '\n'), maxLength: 20 });
    fc.assert(
      fc.property(text, (source) => {
        const { data, errors } = Papa.parse<string[]>(source, { delimiter: ',', newline: '\n' });
        if (errors.length > 0) return;
        const rows = data.filter((row) => row.length > 1 || row[0].trim() !== '');
        expect(readCsv(source, ',').map(({ cells }) => cells)).toEqual(rows);
      }),
      { numRuns: 1000 },
    );
  });

  it('parses any text, or names the row where it cannot', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (source) => {
        try {
          for (const { line, cells } of readCsv(source, ',')) {
            expect(line).toBeGreaterThan(0);
            expect(cells.length).toBeGreaterThan(0);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(CsvSyntaxError);
          expect((error as CsvSyntaxError).line).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('skips a byte order mark', () => {
    expect(readCsv('\uFEFFa,b', ',')[0].cells).toEqual(['a', 'b']);
  });

  it.each([
    ['a,b;c', ','],
    ['a;b;c,d', ';'],
    ['a\tb', '\t'],
    ['"a,b,c"|d', '|'],
    ['a', ','],
    ['', ','],
  ])('finds the delimiter of %j', (text, delimiter) => {
    expect(detectDelimiter(text)).toBe(delimiter);
  });
});
