// A campaign against every reader of data files; test/support/reader-fuzzing.ts says what must hold for each input.
// `N=1000000 npm run bench -- fuzz-readers` runs the whole of it, SEED another one. Inputs run in batches, each in a
// process of its own, whose memory is measured, and there in a thread, so that one that hangs is noticed and named.
// Inputs that find a fault are written to out/fuzz-found.json and belong in test/golden/tables/fuzz-corpus.json.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import {
  checkInput,
  drawInput,
  drawPieces,
  fingerprint,
  type FuzzInput,
  fuzzSeeds,
} from '../test/support/reader-fuzzing';
import { formatRounded } from './measure';

const COUNT = Number(process.env.N ?? 20_000);
const SEED = Number(process.env.SEED ?? 1);
const BATCH = 20_000;

/** Milliseconds of processor time for each MB of an input; an input below one MB has as many. */
const MAX_MILLISECONDS_PER_MB = 250;
const MAX_MEGABYTES = 256;
/** An input hangs if it has no outcome after so long. */
const HANG_SECONDS = 30;
/** Inputs after which garbage is collected, so that the memory is that of the readers. */
const INPUTS_PER_COLLECTION = 50;

interface Fault {
  readonly index: number;
  readonly what: string;
  readonly input: FuzzInput;
}

interface Summary {
  readonly done: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly megabytes: number;
  readonly faults: readonly Fault[];
}

interface Batch {
  readonly first: number;
  readonly count: number;
  /** Holds the index of the current input, for the thread that watches. */
  readonly current: Int32Array;
}

const peakMegabytes = (): number => process.resourceUsage().maxRSS / 1024;

/** In a thread: the inputs of a batch, one after the other. */
function checkBatch({ first, count, current }: Batch): Summary {
  const seeds = fuzzSeeds();
  const outcomes: Record<string, number> = {};
  const faults: Fault[] = [];
  let slowestMs = 0;
  for (let index = first; index < first + count; index++) {
    Atomics.store(current, 0, index);
    if (index % INPUTS_PER_COLLECTION === 0) globalThis.gc?.();
    const input = drawInput(seeds, SEED, index);
    try {
      const { outcome, milliseconds } = checkInput(input, drawPieces(index));
      const key = `${input.data.type} ${outcome}`;
      outcomes[key] = (outcomes[key] ?? 0) + 1;
      slowestMs = Math.max(slowestMs, milliseconds);
      const megabytes = (0.75 * Object.values(input.files).join('').length) / 2 ** 20;
      if (milliseconds > MAX_MILLISECONDS_PER_MB * Math.max(1, megabytes))
        faults.push({ index, what: `takes ${milliseconds} ms`, input });
    } catch (error) {
      faults.push({ index, what: error instanceof Error ? error.message : String(error), input });
    }
  }
  return { done: count, outcomes, slowestMs, megabytes: peakMegabytes(), faults };
}

/** In a process: a thread with the inputs of a batch, watched. */
function runBatch(first: number, count: number): void {
  const current = new Int32Array(new SharedArrayBuffer(4));
  const fault = (what: string): Fault => {
    const index = Atomics.load(current, 0);
    return { index, what, input: drawInput(fuzzSeeds(), SEED, index) };
  };
  const finish = (summary: Summary): void => {
    fs.writeSync(1, JSON.stringify(summary));
    process.exit();
  };
  const stop = (what: string): void => {
    const faults = [fault(what)];
    finish({ done: faults[0].index - first, outcomes: {}, slowestMs: 0, megabytes: peakMegabytes(), faults });
  };
  const batch: Batch = { first, count, current };
  const worker = new Worker(__filename, { workerData: batch, resourceLimits: { maxOldGenerationSizeMb: 128 } });
  worker.on('message', finish);
  worker.on('error', (error) => stop(`ends the thread: ${String(error)}`));
  let last = { index: -1, since: performance.now() };
  setInterval(() => {
    const index = Atomics.load(current, 0);
    if (index !== last.index) last = { index, since: performance.now() };
    else if (performance.now() - last.since > 1000 * HANG_SECONDS) stop('hangs');
  }, 1000);
}

function main(): void {
  const start = performance.now();
  const faults: Fault[] = [];
  const outcomes: Record<string, number> = {};
  let done = 0;
  let slowestMs = 0;
  let megabytes = 0;
  for (let first = 0; first < COUNT; first += BATCH) {
    const count = Math.min(BATCH, COUNT - first);
    const { stdout, stderr, signal } = spawnSync(
      process.execPath,
      ['--expose-gc', '--max-semi-space-size=8', __filename],
      { env: { ...process.env, BATCH: JSON.stringify([first, count]) }, encoding: 'utf8', maxBuffer: 2 ** 28 },
    );
    if (stdout === '') throw new Error(`inputs from ${first} on end the process (${signal ?? 'exit'}): ${stderr}`);
    const summary = JSON.parse(stdout) as Summary;
    done += summary.done;
    slowestMs = Math.max(slowestMs, summary.slowestMs);
    megabytes = Math.max(megabytes, summary.megabytes);
    faults.push(...summary.faults);
    for (const [outcome, times] of Object.entries(summary.outcomes))
      outcomes[outcome] = (outcomes[outcome] ?? 0) + times;
    for (const { index, what, input } of summary.faults.slice(0, 5))
      console.log(`input ${index} (${input.name}): ${what.slice(0, 300)}`);
    const seconds = (performance.now() - start) / 1000;
    console.log(
      `${done.toLocaleString('en-US')} inputs in ${formatRounded(seconds)} s, ${faults.length} faults; at most ` +
        `${formatRounded(slowestMs)} ms of processor time an input, and ${Math.round(megabytes)} MB`,
    );
  }
  for (const [outcome, times] of Object.entries(outcomes).sort())
    console.log(`  ${outcome}: ${times.toLocaleString('en-US')}`);
  if (faults.length > 0) {
    const file = path.join('out', 'fuzz-found.json');
    const inputs = faults
      .slice(0, 100)
      .map(({ input, what }) => ({ what, ...input, name: `${input.name}-${fingerprint(input)}` }));
    fs.writeFileSync(file, JSON.stringify(inputs, null, 1));
    console.log(`inputs with faults: ${file}`);
  }
  if (faults.length > 0 || megabytes > MAX_MEGABYTES) process.exitCode = 1;
}

if (!isMainThread) parentPort?.postMessage(checkBatch(workerData as Batch));
else if (process.env.BATCH) runBatch(...(JSON.parse(process.env.BATCH) as [number, number]));
else main();
