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
  data: { type: 'circles', samples: 60 },
  layers: [{ type: 'linear', out_features: 4 }, 'tanh', { type: 'linear', out_features: 2 }],
  loss: 'cross_entropy',
  batch_size: 16,
  epochs: 4,
  seed: 7,
  sweep: { 'optimizer.lr': [0.05, 0.5], seed: [1, 2] },
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
  readonly groups: readonly {
    settings: object;
    final: { train: { loss: { mean: number; deviation: number | null } } };
  }[];
  readonly runs: readonly {
    settings: Record<string, number>;
    backend: string;
    hash: string;
    parts: { train: { loss: number[]; accuracy: number[] } };
  }[];
}

it('prints a table of the settings, and saves the results next to the spec', async () => {
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

it('trains each run like its spec alone', async () => {
  const { runs } = JSON.parse((await sweep('--json')).out) as Answer;
  writeFileSync(
    join(cwd, 'b.nabla.json'),
    JSON.stringify({ ...spec, sweep: {}, seed: 2, optimizer: { type: 'sgd', lr: 0.5 } }),
  );
  const alone = JSON.parse((await cli.run(['train', 'b.nabla.json', '--json'], { cwd })).out) as {
    hash: string;
    evaluation: { train: { loss: number; accuracy: number } };
  };
  expect(runs[3].settings).toEqual({ 'optimizer.lr': 0.5, seed: 2 });
  expect(runs[3].hash).toBe(alone.hash);
  expect(runs.map(({ backend }) => backend)).toEqual(runs.map(() => 'wasm-relaxed-simd'));
  expect({ loss: runs[3].parts.train.loss.at(-1), accuracy: runs[3].parts.train.accuracy.at(-1) }).toEqual(
    alone.evaluation.train,
  );
});

it("takes lists from the command line: numbers, words, JSON, seeds starting with the spec's", async () => {
  const { out } = await sweep(
    '--set',
    'optimizer.lr=0.1',
    '--set',
    'layers.1=tanh,relu',
    '--set',
    'layers.0=[{"type":"linear","out_features":3}]',
    '--seeds',
    '2',
    '--csv',
  );
  const rows = out
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/));
  expect(rows[0].slice(0, 6)).toEqual(['optimizer.lr', 'seed', 'layers.1', 'layers.0', 'outcome', 'steps']);
  expect(rows.slice(1).map((row) => row.slice(0, 6))).toEqual(
    [7, 8].flatMap((seed) =>
      ['tanh', 'relu'].map((layer) => [
        '0.1',
        String(seed),
        layer,
        '"{""type"":""linear"",""out_features"":3}"',
        'finished',
        '12',
      ]),
    ),
  );
});

it('says which runs were done before, and starts over on request', async () => {
  await sweep();
  const kept = readFileSync(join(cwd, 'a.sweep.json'), 'utf8');
  expect((await sweep()).out).toContain('4 runs were done before and are kept.');
  expect(readFileSync(join(cwd, 'a.sweep.json'), 'utf8')).toBe(kept);
  expect((await sweep('--fresh')).out).not.toContain('before');
  expect((await sweep('--results', 'c.json', '--workers', '1')).out).toContain('results are in c.json');
});

it('exits with 130 when interrupted, and keeps finished runs', async () => {
  const { code, out } = await cli.run(['sweep', 'a.nabla.json', '--set', 'epochs=100000'], { cwd, interrupt: true });
  expect(code).toBe(130);
  expect(out).toContain('Stopped after 0 of 4 runs');
});

it('exits with 1 when a run diverged, and says which', async () => {
  const { code, out } = await sweep('--set', 'layers.1=relu', '--set', 'optimizer.lr=0.1,1e30', '--seeds', '1');
  expect(code).toBe(1);
  expect(out).toMatch(/0 of 1, 1 diverged/);
  expect(out).toMatch(/optimizer.lr 1e30, seed 7, layers.1 relu: Diverged in step \d+/);
});

it.each([
  [['--set', 'optimizer.lrr=1'], 'invalid-sweep-option', '"lr"'],
  [['--set', 'optimizer.lr'], 'invalid-value', '"optimizer.lr"'],
  [['--csv'], 'conflicting-options', '--csv'],
  [['--workers', '0'], 'invalid-value', '"0"'],
  [['--results', 'none/a.json'], 'file-not-writable', 'none'],
])('an invalid call: %j is %s', async (words, code, named) => {
  const { code: exit, out } = await sweep(...words, '--json');
  expect(exit).toBe(2);
  const { error } = JSON.parse(out) as { error: { code: string; message: string; remedy: string } };
  expect(error.code).toBe(code);
  expect(error.message + error.remedy).toContain(named);
});

it('does not overwrite a file with other contents', async () => {
  writeFileSync(join(cwd, 'a.sweep.json'), 'my notes');
  const { code, out } = await sweep('--json');
  expect(code).toBe(2);
  expect(JSON.parse(out)).toMatchObject({ error: { code: 'results-not-readable' } });
  expect(readFileSync(join(cwd, 'a.sweep.json'), 'utf8')).toBe('my notes');
});

it("marks mistakes in the spec's own sweep", async () => {
  writeFileSync(join(cwd, 'a.nabla.json'), JSON.stringify({ ...spec, sweep: { 'optimizer.lr': [0.1, -1] } }, null, 2));
  const { code, err } = await sweep();
  expect(code).toBe(2);
  expect(err).toMatch(/^a\.nabla\.json:\d+:7: error: "lr" cannot be -1\./);
});

it('trains custom layers with --allow-code without reusing results, and rejects them otherwise', async () => {
  writeFileSync(
    join(cwd, 'double.layer.mjs'),
    'console.log("loaded"); export default { forward: ({ x, ops }) => ops.add(x, x) };',
  );
  const layers = [spec.layers[0], { type: 'custom', module: './double.layer.mjs' }, spec.layers[2]];
  writeFileSync(join(cwd, 'a.nabla.json'), JSON.stringify({ ...spec, layers }));
  const refused = await sweep('--json');
  expect(refused.code).toBe(2);
  expect(JSON.parse(refused.out)).toMatchObject({ problems: [{ code: 'code-not-allowed' }] });
  const first = await sweep('--json', '--allow-code');
  expect(first.code).toBe(0);
  const { runs } = JSON.parse(first.out) as Answer;
  writeFileSync(
    join(cwd, 'b.nabla.json'),
    JSON.stringify({ ...spec, layers, sweep: {}, seed: 2, optimizer: { type: 'sgd', lr: 0.5 } }),
  );
  const alone = await cli.run(['train', 'b.nabla.json', '--json', '--allow-code'], { cwd });
  expect(runs[3].hash).toBe((JSON.parse(alone.out) as { hash: string }).hash);
  writeFileSync(join(cwd, 'double.layer.mjs'), 'export default { forward: ({ x }) => { throw new Error("boom"); } };');
  const failed = await sweep('--json', '--allow-code');
  expect(failed.code).not.toBe(0);
});
