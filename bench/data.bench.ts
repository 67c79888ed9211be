// What loading a CSV file of 1 GB takes: time, and the peak of memory of a process that does nothing else. The file is
// made for it and removed. `npm run bench -- data`; give a size in MB behind it for another one.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { FolderFiles } from '../src/files/data-files';
import { loadRun } from '../src/spec';
import { round, table } from './measure';

const COLUMNS = 16;
const MEGABYTES = 1024;

/** In a process of its own: loads the spec in the environment, and says how it went. */
function load(text: string): void {
  const files = new FolderFiles({ folder: os.tmpdir(), root: null });
  const start = performance.now();
  const { run, problems } = loadRun(text, files);
  const seconds = (performance.now() - start) / 1000;
  const answer = run ? `${run.dataset.samples.toLocaleString('en-US')} samples of ${run.model.inputShape[0]}` : problems[0].message;
  console.log(JSON.stringify({ answer, seconds, megabytes: process.resourceUsage().maxRSS / 1024 }));
}

function writeFile(file: string): void {
  const out = fs.openSync(file, 'w');
  let state = 1;
  const draw = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  fs.writeSync(out, `${Array.from({ length: COLUMNS - 1 }, (_, i) => `x${i + 1}`).join(',')},kind\n`);
  for (let megabyte = 0; megabyte < MEGABYTES; megabyte++) {
    let text = '';
    while (text.length < 2 ** 20) {
      for (let i = 1; i < COLUMNS; i++) text += `${(10 * draw() - 5).toFixed(4)},`;
      text += `${draw() < 0.5 ? 'left' : 'right'}\n`;
    }
    fs.writeSync(out, text);
  }
  fs.closeSync(out);
}

function measure(): void {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nablascope-bench-'));
  const file = path.join(folder, 'large.csv');
  const small = path.join(folder, 'small.csv');
  try {
    writeFile(file);
    fs.writeFileSync(small, `x1,kind\n${'1,left\n2,right\n'.repeat(10)}`);
    const spec = (options: object): string =>
      JSON.stringify({ data: { type: 'csv', path: file, ...options }, layers: [{ type: 'linear', out_features: 2 }], loss: 'cross_entropy' });
    const cases: readonly [string, string][] = [
      ['a file of 20 rows', spec({ path: small })],
      ['2 columns of 15', spec({ inputs: ['x1', 'x2'] })],
      ['all columns, 200,000 rows drawn', spec({ limit: 200_000, pick: 'random' })],
      ['all columns, the first 200,000 rows', spec({ limit: 200_000 })],
      ['all columns', spec({})],
    ];
    const size = fs.statSync(file).size / 2 ** 20;
    console.log(`a CSV file of ${round(size)} MB with ${COLUMNS} columns`);
    const rows = cases.map(([what, text]) => {
      const { stdout, stderr } = spawnSync(process.execPath, [__filename], { env: { ...process.env, LOAD: text }, encoding: 'utf8' });
      if (stdout === '') throw new Error(stderr);
      const { answer, seconds, megabytes } = JSON.parse(stdout) as { answer: string; seconds: number; megabytes: number };
      return [what, answer, `${round(seconds)} s`, `${Math.round(megabytes)} MB`];
    });
    console.log(table(['what', 'answer', 'time', 'peak memory'], rows));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

if (process.env.LOAD) load(process.env.LOAD);
else measure();
