// What `nablascope data` prints of a dataset, and when the data or the call is not right.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCli, type BuiltCli } from './built-cli';

let cli: BuiltCli;
let folder: string;

beforeAll(async () => {
  cli = await buildCli();
  folder = mkdtempSync(join(tmpdir(), 'nablascope-data-command-'));
});

afterAll(() => {
  cli?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const weather = join('examples', 'weather.nabla.json');

function writeSpec(name: string, table: string, data: object = {}): string {
  writeFileSync(join(folder, `${name}.csv`), table);
  const spec = join(folder, `${name}.nabla.json`);
  const layers = [{ type: 'linear', out_features: 1 }];
  writeFileSync(spec, JSON.stringify({ data: { type: 'csv', path: `${name}.csv`, ...data }, layers, loss: 'mse' }));
  return spec;
}

interface Answer {
  readonly problems: readonly { readonly code: string; readonly severity: string }[];
  readonly samples: number;
  readonly columns: readonly { readonly name: string; readonly missing: number; readonly kind: string }[];
  readonly classes: readonly { readonly name: string; readonly count: number }[] | null;
  readonly splits: object | null;
  readonly rows: readonly { readonly sample: number; readonly source: unknown[]; readonly input: unknown }[];
  readonly error?: { readonly code: string };
}

async function json(...words: string[]): Promise<{ code: number | null; answer: Answer }> {
  const { code, out } = await cli.run(['data', ...words, '--json']);
  return { code, answer: JSON.parse(out) as Answer };
}

/** The cells of the first line that starts with a word. */
const rowOf = (out: string, word: string): string[] =>
  (out.split('\n').find((line) => line.startsWith(`${word} `)) ?? '').split(/ {2,}/);

describe('nablascope data', () => {
  it('prints columns, classes and rows within 80 columns', async () => {
    const { code, out } = await cli.run(['data', weather]);
    expect(code).toBe(0);
    expect(Math.max(...out.split('\n').map((line) => [...line].length))).toBeLessThanOrEqual(80);
    expect(rowOf(out, 'temperature_c').slice(0, 6)).toEqual(['temperature_c', 'input', 'number', '·', '-3.9', '38.2']);
    expect(rowOf(out, 'clouds')[2]).toBe('100');
    expect(rowOf(out, '4').slice(1, 5)).toEqual(['train', '6', 'clouds', '1012.3']);
  });

  it('tells the same as JSON', async () => {
    const { code, answer } = await json(weather, '--rows', '298-500');
    expect(code).toBe(0);
    expect(answer.samples).toBe(300);
    expect(answer.classes?.map(({ name, count }) => [name, count])).toEqual([
      ['clouds', 100],
      ['fair', 100],
      ['rain', 100],
    ]);
    expect(answer.splits).toEqual({ train: 180, validation: 60, test: 60 });
    expect(answer.rows.map(({ sample, source }) => [sample, source.length])).toEqual([
      [298, 5],
      [299, 5],
    ]);
  });

  it('describes data that the spec cannot use, and ends with 2', async () => {
    const spec = writeSpec('holes', 'a,b,t\n1,,3\n4,5,6\n7,,9\n');
    const { code, answer } = await json(spec);
    expect(code).toBe(2);
    expect(answer.problems.map(({ severity }) => severity)).toContain('error');
    expect(answer.columns.map(({ name, missing, kind }) => [name, missing, kind])).toEqual([
      ['a', 0, 'integer'],
      ['b', 2, 'integer'],
      ['t', 0, 'integer'],
    ]);
    expect(answer.splits).toBeNull();
    expect(answer.rows.map(({ input }) => input)).toEqual([null, null, null]);
    const text = await cli.run(['data', spec]);
    expect(text.code).toBe(2);
    expect(rowOf(text.out, 'b')[3]).toBe('66.7 %');
    expect(text.err.split('\n').filter((line) => line.includes('error:'))).toHaveLength(1);
  });

  it('answers with the problem where the data cannot be read', async () => {
    const spec = writeSpec('page', '<!DOCTYPE html><html></html>');
    const { code, out, err } = await cli.run(['data', spec]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.trim().split('\n')).toHaveLength(1);
    expect((await json(spec)).answer.problems).toHaveLength(1);
  });

  it('refuses rows that are not there', async () => {
    for (const [rows, code] of [
      ['9-3', 'invalid-value'],
      ['a', 'invalid-value'],
      ['300', 'no-such-sample'],
    ]) {
      const { code: exit, answer } = await json(weather, '--rows', rows);
      expect([rows, exit, answer.error?.code]).toEqual([rows, 2, code]);
    }
  });

  it('does not let the young generation grow with a large file', async () => {
    const row = `${Array.from({ length: 20 }, (_, i) => (i / 7).toFixed(9)).join(',')}\n`;
    const names = Array.from({ length: 20 }, (_, i) => `x${i}`).join(',');
    const spec = writeSpec('large', `${names}\n${row.repeat(40_000)}`);
    const probe = join(folder, 'probe.cjs');
    const figure = join(folder, 'young-generation');
    writeFileSync(
      probe,
      `const v8 = require('node:v8');
       process.on('exit', () => {
         const space = v8.getHeapSpaceStatistics().find((each) => each.space_name === 'new_space');
         require('node:fs').writeFileSync(${JSON.stringify(figure)}, String(space.space_size));
       });`,
    );
    await cli.run(['data', spec], { env: { NODE_OPTIONS: `--require=${probe}` } });
    expect(Number(readFileSync(figure, 'utf8'))).toBeLessThanOrEqual(16 * 2 ** 20);
  });

  it('prints no control character of names and cells', async () => {
    const spec = writeSpec('hostile', 'a\u001b[31m,b,t\n\u001b[2J,5,6\n1,2,3\n');
    for (const words of [
      ['data', spec],
      ['data', spec, '--json'],
    ]) {
      const { out, err } = await cli.run(words);
      // eslint-disable-next-line no-control-regex -- what must not be there
      expect(out + err).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    }
  });
});
