// `nablascope query` against `nablascope trace`, and its forms of output.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { commandsIn } from './run-command';

const folder = mkdtempSync(join(tmpdir(), 'nablascope-query-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const root = resolve(__dirname, '..', '..');
const CIRCLES = 'examples/circles.nabla.json';

const run = commandsIn(root);

interface Traced {
  readonly loss: number;
  readonly lr: number;
  readonly layers: readonly {
    readonly output: { readonly value: number[][]; readonly gradient: number[][] };
    readonly parameters: readonly { readonly gradient: number[][]; readonly after: number[][] }[];
  }[];
}

interface Queried {
  readonly columns: readonly { readonly label: string; readonly type: string }[];
  readonly rows: readonly (readonly (number | boolean | string | null)[])[];
  readonly end: string;
}

const query = async (...words: string[]): Promise<Queried> =>
  JSON.parse((await run('query', CIRCLES, ...words, '--json')).out) as Queried;

describe('nablascope query', () => {
  it('reads of every step what trace prints, to the bit', async () => {
    const text =
      'step, loss, lr, hidden.weight[3, 1], grad(hidden.weight)[2, 0], output.output[4, 1], grad(output.output)[4, 0]';
    const { rows, end } = await query(text, '--to', '60');
    expect(end).toBe('complete');
    expect(rows).toHaveLength(60);
    for (const step of [1, 2, 8, 59, 60]) {
      const traced = JSON.parse((await run('trace', CIRCLES, '--step', `${step}`, '--json')).out) as Traced;
      const [hidden, , output] = traced.layers;
      expect(rows[step - 1]).toStrictEqual([
        step,
        traced.loss,
        traced.lr,
        hidden.parameters[0].after[3][1],
        hidden.parameters[0].gradient[2][0],
        output.output.value[4][1],
        output.output.gradient[4][0],
      ]);
    }
  });

  it('prints the same rows as a table, as CSV and as JSON', async () => {
    const words = ['step, loss, loss - at(step - 1, loss), loss > 0.71, "a, {step}"', '--to', '4'];
    const { rows, columns } = await query(...words);
    expect(columns.map(({ type }) => type)).toEqual(['number', 'number', 'number', 'boolean', 'text']);
    expect(rows[0][2]).toBeNull();
    const csv = await run('query', CIRCLES, ...words, '--csv');
    const lines = csv.out.trimEnd().split('\n');
    expect(lines[0]).toBe('step,loss,"loss - at(step - 1, loss)",loss > 0.71,"a, {step}"');
    expect(lines.slice(1)).toEqual(
      rows.map((row) => row.map((cell) => (typeof cell === 'string' ? `"${cell}"` : (cell ?? ''))).join(',')),
    );
    const table = await run('query', CIRCLES, ...words);
    const cells = table.out.split('\n').slice(1, 5);
    expect(cells.map((line) => Number(line.trim().split(/ {2,}/)[1]))).toEqual(
      rows.map((row) => Number((row[1] as number).toPrecision(9))),
    );
  });

  it('finds steps', async () => {
    const all = await query('step where loss < 0.2');
    const steps = all.rows.map(([step]) => step as number);
    expect((await query('first loss < 0.2')).rows).toEqual([[steps[0]]]);
    expect((await query('last loss < 0.2')).rows).toEqual([[steps.at(-1)]]);
    expect((await query('first loss > 100')).rows).toEqual([]);
    expect((await query('bisect loss > 100')).end).toBe('false at the end');
  });

  it.each([
    ['step, hiden.weight', 'column 7'],
    ['norm(hidden.weight[9])', 'column 6'],
    ['hidden.weight', 'column 1'],
    ['step where loss', 'column 12'],
    ['"loss {los}"', 'column 8'],
    ['at(100000, loss)', 'column 4'],
    ['', 'column 1'],
  ])('says what is wrong with %j', async (text, place) => {
    const { code, out } = await run('query', CIRCLES, text, '--json');
    const { error } = JSON.parse(out) as { error: { code: string; remedy: string } };
    expect({ code, error: error.code }).toEqual({ code: 2, error: 'invalid-query' });
    expect(error.remedy).toContain(place);
  });

  it('ends where the run diverges', async () => {
    const spec = join(folder, 'diverging.nabla.json');
    writeFileSync(
      spec,
      JSON.stringify({
        data: { type: 'inline', inputs: [[1], [2]], targets: [[1], [3]] },
        layers: [{ type: 'linear', out_features: 1 }],
        loss: 'mse',
        optimizer: { type: 'sgd', lr: 100 },
        epochs: 100,
      }),
    );
    const { code, out } = await run('query', spec, 'step, loss', '--json');
    const { rows, end } = JSON.parse(out) as Queried;
    expect({ code, end }).toEqual({ code: 0, end: 'diverged' });
    expect(Number.isFinite(rows.at(-1)![1])).toBe(false);
    expect(rows.slice(0, -1).every(([, loss]) => Number.isFinite(loss))).toBe(true);
  });
});
