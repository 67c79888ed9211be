// Selecting a small part of a large file takes little memory: the peak of a separate process, compared with one that
// reads two rows.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = resolve(__dirname, '../..');
const MEGABYTE = 2 ** 20;
let folder: string;

const loader = `
  import { FolderFiles } from ${JSON.stringify(join(root, 'src/data-files/data-files'))};
  import { loadRun } from ${JSON.stringify(join(root, 'src/model-spec'))};
  const { run, problems } = loadRun(process.env.SPEC, new FolderFiles({ folder: process.env.FOLDER, root: null }));
  console.log(JSON.stringify({
    samples: run?.dataset.samples, sum: run?.dataset.inputs.reduce((sum, x) => sum + x, 0), problems,
    bytes: process.resourceUsage().maxRSS * 1024,
  }));
`;

interface LoadResult {
  readonly samples: number;
  readonly sum: number;
  readonly problems: readonly unknown[];
  readonly bytes: number;
}

function load(data: object): LoadResult {
  const spec = { data, layers: [{ type: 'linear', out_features: 2 }], loss: 'cross_entropy' };
  const env = { ...process.env, SPEC: JSON.stringify(spec), FOLDER: folder };
  const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'loader.cjs')], { env, encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as LoadResult;
}

beforeAll(async () => {
  mkdirSync(join(root, 'out'), { recursive: true });
  folder = mkdtempSync(join(root, 'out', 'memory-test-'));
  await build({
    stdin: { contents: loader, resolveDir: root, loader: 'ts' },
    outfile: join(folder, 'loader.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('reads every row of a 128 MB CSV file with less than half its size in memory', () => {
  writeFileSync(join(folder, 'small.csv'), 'x,kind\n1,left\n2,right\n');
  const rest = Array.from({ length: 60 }, (_, i) => `${i}.123456789`).join(',');
  const rows = Array.from({ length: 1500 }, (_, i) => `${i % 10},${rest},${i % 2 ? 'left' : 'right'}\n`).join('');
  const times = Math.ceil((128 * MEGABYTE) / rows.length);
  const file = openSync(join(folder, 'large.csv'), 'w');
  writeSync(file, `x,${rest.replaceAll('.', '_')},kind\n`);
  for (let i = 0; i < times; i++) writeSync(file, rows);
  closeSync(file);
  expect(statSync(join(folder, 'large.csv')).size).toBeGreaterThan(128 * MEGABYTE);

  const small = load({ type: 'csv', path: 'small.csv' });
  const large = load({ type: 'csv', path: 'large.csv', inputs: ['x'], task: 'classes' });
  expect(large.problems).toEqual([]);
  expect({ samples: large.samples, sum: large.sum }).toEqual({ samples: 1500 * times, sum: 4.5 * 1500 * times });
  expect(large.bytes - small.bytes).toBeLessThan(64 * MEGABYTE);
});
