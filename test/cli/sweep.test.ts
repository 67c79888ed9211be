// `nablascope sweep` as people run it.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { buildCli, type BuiltCli } from './built-cli';

let cli: BuiltCli;
let parent: string;
let cwd: string;

const spec = {
  data: { type: 'circles', samples: 60 }, layers: [{ type: 'linear', out_features: 4 }, 'tanh', { type: 'linear', out_features: 2 }],
  loss: 'cross_entropy', batch_size: 16, epochs: 4, seed: 7, sweep: { 'optimizer.lr': [0.05, 0.5], seed: [1, 2] },
};

beforeAll(async () => {
  cli = await buildCli();
  parent = mkdtempSync(join(tmpdir(), 'nablascope-sweep-cli-'));
});

afterAll(() => {
  cli?.remove();
  rmSync(parent, { recursive: true, force: true });
});

beforeEach(() => {
  cwd = mkdtempSync(join(parent, 'call-'));
  writeFileSync(join(cwd, 'a.nabla.json'), JSON.stringify(spec));
});

const sweep = (...words: string[]) => cli.run(['sweep', 'a.nabla.json', ...words], { cwd });

interface Answer {
  readonly outcome: string;
  readonly best: { group: number; part: string } | null;
  readonly notes: readonly string[];
  readonly groups: readonly { settings: object; final: { train: { loss: { mean: number; deviation: number | null } } } }[];
  readonly runs: readonly { settings: Record<string, number>; backend: string; hash: string; parts: { train: { loss: number[]; accuracy: number[] } } }[];
}

it('prints a table of the settings, and keeps the results beside the spec', async () => {
  const { code, out, err } = await sweep();
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain('a.nabla.json: optimizer.lr, 2 settings × 2 seeds = 4 runs');
  const { groups, best } = JSON.parse((await sweep('--json')).out) as Answer;
  const row = out.split('\n').find((line) => line.startsWith('0.5 ')) ?? '';
  const { mean, deviation } = groups[1].final.train.loss;
  expect(row.split(/ {2,}/)[2]).toBe(`${Number(mean.toPrecision(4))} ± ${Number(deviation?.toPrecision(4))}`);
  expect(out.split('\n').filter((line) => line.endsWith('best'))).toHaveLength(1);
  expect(best?.part).toBe('validation');
  expect(existsSync(join(cwd, 'a.sweep.json'))).toBe(true);
});

it('trains each run as the spec by itself would be', async () => {
  const { runs } = JSON.parse((await sweep('--json')).out) as Answer;
  writeFileSync(join(cwd, 'b.nabla.json'), JSON.stringify({ ...spec, sweep: {}, seed: 2, optimizer: { type: 'sgd', lr: 0.5 } }));
  const alone = JSON.parse((await cli.run(['train', 'b.nabla.json', '--json'], { cwd })).out) as { hash: string; evaluation: { train: { loss: number; accuracy: number } } };
  expect(runs[3].settings).toEqual({ 'optimizer.lr': 0.5, seed: 2 });
  expect(runs[3].hash).toBe(alone.hash);
  expect(runs.map(({ backend }) => backend)).toEqual(runs.map(() => 'wasm-relaxed-simd'));
  expect({ loss: runs[3].parts.train.loss.at(-1), accuracy: runs[3].parts.train.accuracy.at(-1) }).toEqual(alone.evaluation.train);
});

it('takes lists from the call: numbers, words, JSON, seeds from the spec\'s own on', async () => {
  const { out } = await sweep('--set', 'optimizer.lr=0.1', '--set', 'layers.1=tanh,relu', '--set', 'layers.0=[{"type":"linear","out_features":3}]', '--seeds', '2', '--csv');
  const rows = out.trimEnd().split('\n').map((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/));
  expect(rows[0].slice(0, 6)).toEqual(['optimizer.lr', 'seed', 'layers.1', 'layers.0', 'outcome', 'steps']);
  expect(rows.slice(1).map((row) => row.slice(0, 6))).toEqual(
    [7, 8].flatMap((seed) => ['tanh', 'relu'].map((layer) => ['0.1', String(seed), layer, '"{""type"":""linear"",""out_features"":3}"', 'finished', '12'])),
  );
});

it('says what was done before, and starts over where asked', async () => {
  await sweep();
  const kept = readFileSync(join(cwd, 'a.sweep.json'), 'utf8');
  expect((await sweep()).out).toContain('4 runs were done before and are kept.');
  expect(readFileSync(join(cwd, 'a.sweep.json'), 'utf8')).toBe(kept);
  expect((await sweep('--fresh')).out).not.toContain('before');
  expect((await sweep('--results', 'c.json', '--workers', '1')).out).toContain('results are in c.json');
});

it('ends with 130 where it is stopped, and keeps what was done', async () => {
  const { code, out } = await cli.run(['sweep', 'a.nabla.json', '--set', 'epochs=100000'], { cwd, interrupt: true });
  expect(code).toBe(130);
  expect(out).toContain('Stopped after 0 of 4 runs');
});

it('ends with 1 where a run diverged, and says which', async () => {
  const { code, out } = await sweep('--set', 'layers.1=relu', '--set', 'optimizer.lr=0.1,1e30', '--seeds', '1');
  expect(code).toBe(1);
  expect(out).toMatch(/0 of 1, 1 diverged/);
  expect(out).toMatch(/optimizer.lr 1e30, seed 7, layers.1 relu: Diverged in step \d+/);
});

it.each([
  [['--set', 'optimizer.lrr=1'], '--set optimizer.lrr: "lrr" is not an option of sgd. Did you mean "lr"?'],
  [['--set', 'optimizer.lr'], '--set needs a path and its values, not "optimizer.lr".'],
  [['--json', '--csv'], '--json and --csv cannot be given together.'],
  [['--workers', '0'], '--workers is a whole number from 1 up'],
  [['--results', 'none/a.json'], 'The results cannot be written'],
])('a call that makes no sense: %j', async (words, expected) => {
  const { code, out, err } = await sweep(...words);
  expect(code).toBe(2);
  expect(out + err).toContain(expected);
});

it('does not write over a file that holds something else', async () => {
  writeFileSync(join(cwd, 'a.sweep.json'), 'my notes');
  const { code, err } = await sweep();
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('a.sweep.json holds no results') as string });
  expect(readFileSync(join(cwd, 'a.sweep.json'), 'utf8')).toBe('my notes');
});

it('marks what is wrong with the spec\'s own sweep', async () => {
  writeFileSync(join(cwd, 'a.nabla.json'), JSON.stringify({ ...spec, sweep: { 'optimizer.lr': [0.1, -1] } }, null, 2));
  const { code, err } = await sweep();
  expect(code).toBe(2);
  expect(err).toMatch(/^a\.nabla\.json:\d+:7: error: "lr" cannot be -1\./);
});
