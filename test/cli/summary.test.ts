// The shapes and sizes that the command prints, and what the transforms of the data learned.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCli, type BuiltCli } from './built-cli';

let cli: BuiltCli;
let folder: string;

beforeAll(async () => {
  cli = await buildCli();
  folder = mkdtempSync(join(tmpdir(), 'nablascope-summary-'));
});

afterAll(() => {
  cli?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const example = (name: string): string => join('examples', `${name}.nabla.json`);

interface Answer {
  readonly layers: readonly { name: string; dense: number | null; receptiveField: unknown }[];
  readonly total: object;
  readonly samples: object;
  readonly transforms: unknown;
}

async function json(spec: string): Promise<{ code: number | null; answer: Answer }> {
  const { code, out } = await cli.run(['summary', spec, '--json']);
  return { code, answer: JSON.parse(out) as Answer };
}

describe('nablascope summary', () => {
  it('prints a row per layer, and totals', async () => {
    const { code, out, err } = await cli.run(['summary', example('circles')]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const row = (name: string): string[] =>
      (out.split('\n').find((line) => line.startsWith(name)) ?? '').split(/ {2,}/);
    expect(row('hidden').slice(1, 5)).toEqual(['linear', '4', '12', '8']);
    expect(row('tanh1').slice(1, 5)).toEqual(['tanh', '4', '·', '·']);
    expect(row('total').slice(3, 5)).toEqual(['22', '16']);
  });

  it('prints the same as JSON', async () => {
    const { code, answer } = await json(example('circles'));
    expect(code).toBe(0);
    expect(answer.layers.map(({ name, dense, receptiveField }) => [name, dense, receptiveField])).toEqual([
      ['hidden', 12, 'all'],
      ['tanh1', null, 'all'],
      ['output', 10, 'all'],
    ]);
    expect(answer.total).toMatchObject({ parameters: 22, trained: 22, macs: 16 });
  });

  it('prints what the transforms learned from the train split', async () => {
    const inputs = [
      [1, 10],
      [3, 30],
      [1, 30],
      [3, 10],
    ];
    const spec = join(folder, 'transforms.nabla.json');
    writeFileSync(
      spec,
      JSON.stringify({
        data: { type: 'inline', inputs, targets: [[1], [2], [3], [4]] },
        transforms: ['standardize', { type: 'min_max', low: -1 }],
        layers: [{ type: 'linear', out_features: 1 }],
        loss: 'mse',
      }),
    );
    const { answer } = await json(spec);
    expect(answer.transforms).toEqual([
      {
        kind: 'standardize',
        learned: [
          { name: 'mean', shape: [2], values: [2, 20] },
          { name: 'std', shape: [2], values: [1, 10] },
        ],
      },
      // Fitted to the output of the previous one.
      {
        kind: 'min_max',
        learned: [
          { name: 'min', shape: [2], values: [-1, -1] },
          { name: 'max', shape: [2], values: [1, 1] },
        ],
      },
    ]);
    const { out, code } = await cli.run(['summary', spec]);
    expect(code).toBe(0);
    const cells = out.split('\n').map((line) => line.trim().split(/ {2,}/));
    expect(cells).toContainEqual(['standardize', 'mean', '2', '2, 20', '2', '20']);
    expect(cells).toContainEqual(['std', '2', '1, 10', '1', '10']);
    expect(out).toMatch(/fitted to the 4 training samples/);
    expect((await json(example('circles'))).answer.transforms).toEqual([]);
  });

  it('reports the problem if data cannot be read', async () => {
    const spec = join(folder, 'missing.nabla.json');
    writeFileSync(
      spec,
      JSON.stringify({
        data: { type: 'csv', path: 'nothing.csv' },
        transforms: ['standardize'],
        layers: [{ type: 'linear', out_features: 1 }],
        loss: 'mse',
      }),
    );
    const { code, err } = await cli.run(['summary', spec]);
    expect(code).toBe(2);
    expect(err).toContain('nothing.csv');
  });

  it('shows where the memory goes of a spec that is too large, and exits with 2', async () => {
    const spec = join(folder, 'large.nabla.json');
    writeFileSync(
      spec,
      JSON.stringify({
        data: 'circles',
        layers: [
          { type: 'linear', out_features: 100_000 },
          { type: 'linear', out_features: 2000 },
          { type: 'linear', out_features: 2 },
        ],
        loss: 'cross_entropy',
      }),
    );
    const { code, out, err } = await cli.run(['summary', spec]);
    expect(code).toBe(2);
    expect(err).toMatch(/^.*large\.nabla\.json:\d+:\d+: error: .*\[too-large\]\n$/);
    expect(out).toMatch(/^linear2 +linear +2000 +200,002,000 .* GB/m);
    const { answer } = await json(spec);
    expect(answer).toMatchObject({ problems: [{ code: 'too-large' }], total: { parameters: 200_306_002 } });
  });
});
