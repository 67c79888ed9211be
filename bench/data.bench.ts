// What loading a CSV file of 1 GB takes: time, and the peak of memory of a process that does nothing else, with Papa
// Parse alone beside it in the same run. The file is made for it and removed. `MEGABYTES=64 npm run bench -- data`
// takes a smaller one.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Papa from 'papaparse';
import { FolderFiles } from '../src/data-files/data-files';
import { loadRun } from '../src/model-spec';
import { formatRounded, formatTable } from './measure';

const COLUMNS = 16;
const MEGABYTES = Number(process.env.MEGABYTES ?? 1024);

interface Measurement {
  readonly answer: string;
  readonly seconds: number;
  /** Processor time, which does not grow with other work on the machine. */
  readonly processorSeconds: number;
  /** Peak memory. */
  readonly megabytes: number;
}

/** The work of a separate process, passed as JSON in its environment. */
type Job =
  | { readonly kind: 'load'; readonly spec: string }
  | { readonly kind: 'papa'; readonly file: string; readonly dynamicTyping: boolean };

async function runJob(job: Job): Promise<void> {
  const start = performance.now();
  const before = process.cpuUsage();
  const answer = job.kind === 'load' ? load(job.spec) : await parseWithPapa(job.file, job.dynamicTyping);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  const processorSeconds = (user + system) / 1e6;
  const measured: Measurement = { answer, seconds, processorSeconds, megabytes: process.resourceUsage().maxRSS / 1024 };
  console.log(JSON.stringify(measured));
}

function load(spec: string): string {
  const { run, problems } = loadRun(spec, new FolderFiles({ folder: os.tmpdir(), root: null }));
  if (!run) return problems.map(({ message }) => message).join(' ');
  return `${run.dataset.samples.toLocaleString('en-US')} samples of ${run.model.inputShape.join('×')}`;
}

/** Parses and counts rows, and keeps nothing. */
function parseWithPapa(file: string, dynamicTyping: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let rows = 0;
    Papa.parse<unknown[]>(fs.createReadStream(file), {
      dynamicTyping,
      skipEmptyLines: true,
      chunk: ({ data }) => {
        rows += data.length;
      },
      complete: () => resolve(`${rows.toLocaleString('en-US')} rows`),
      error: reject,
    });
  });
}

function measure(job: Job): Measurement {
  const { stdout, stderr } = spawnSync(process.execPath, ['--max-semi-space-size=8', __filename], {
    env: { ...process.env, JOB: JSON.stringify(job) },
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Measurement;
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

function main(): void {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nablascope-bench-'));
  const file = path.join(folder, 'large.csv');
  const small = path.join(folder, 'small.csv');
  try {
    writeFile(file);
    fs.writeFileSync(small, `x1,kind\n${'1,left\n2,right\n'.repeat(10)}`);
    const spec = (options: object): string =>
      JSON.stringify({
        data: { type: 'csv', path: file, ...options },
        layers: [{ type: 'linear', out_features: 2 }],
        loss: 'cross_entropy',
      });
    const papa = (dynamicTyping: boolean): Job => ({ kind: 'papa', file, dynamicTyping });
    const ours = (options: object): Job => ({ kind: 'load', spec: spec(options) });
    const cases: readonly [what: string, job: Job][] = [
      ['a file of 20 rows', ours({ path: small })],
      ['2 columns of 15', ours({ inputs: ['x1', 'x2'] })],
      ['all columns, 200,000 rows drawn', ours({ limit: 200_000, pick: 'random' })],
      ['all columns, the first 200,000 rows', ours({ limit: 200_000 })],
      ['all columns', ours({})],
      ['Papa Parse alone, cells as text', papa(false)],
      ['Papa Parse alone, cells as numbers', papa(true)],
    ];
    const size = fs.statSync(file).size / 2 ** 20;
    console.log(`a CSV file of ${formatRounded(size)} MB with ${COLUMNS} columns`);
    const rows = cases.map(([what, job]) => {
      const { answer, seconds, processorSeconds, megabytes } = measure(job);
      // A file that is not read to its end has no rate.
      const rate = /first|20 rows/.test(what) ? '' : `${formatRounded(size / processorSeconds)} MB/s`;
      const times = [seconds, processorSeconds].map((time) => `${formatRounded(time)} s`);
      return [what, answer, ...times, rate, `${Math.round(megabytes)} MB`];
    });
    console.log(formatTable(['what', 'answer', 'time', 'processor', 'rate', 'peak memory'], rows));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

if (process.env.JOB) void runJob(JSON.parse(process.env.JOB) as Job);
else main();
