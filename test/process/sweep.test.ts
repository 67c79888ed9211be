// Sweeps on real threads, bundled as in the release: parallel runs give the same bits as each spec alone.
import type { SweepState } from '../../src/protocol/sweep';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WorkerPool, type TaskResult } from '../../src/process/sweep/worker-pool';
import { parseSpec } from '../../src/model-spec';
import { openSweep, type Sweep, type SweepRequest } from '../../src/process/sweep/sweep';
import { resultsFileOf } from '../../src/process/sweep/sweep-store';
import { parseResults, type RunResult, type SweepResults } from '../../src/sweep/results';
import { isDone } from '../../src/sweep/report';
import { createSession } from '../support/session-fixtures';

const source = resolve(__dirname, '../../src/process/sweep/worker.ts');
let bundles: string;
let worker: string;
let folder: string;

beforeAll(async () => {
  bundles = mkdtempSync(join(tmpdir(), 'nablascope-sweep-'));
  worker = join(bundles, 'sweep-worker.js');
  await build({
    entryPoints: [source],
    outfile: worker,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
  });
});

afterAll(() => rmSync(bundles, { recursive: true, force: true }));

beforeEach(() => {
  folder = mkdtempSync(join(bundles, 'specs-'));
});

const base = {
  data: { type: 'circles', samples: 60 },
  layers: [
    { type: 'linear', out_features: 4 },
    'tanh',
    { type: 'dropout', p: 0.2 },
    { type: 'linear', out_features: 2 },
  ],
  loss: 'cross_entropy',
  batch_size: 16,
  epochs: 6,
};
const sweep = { 'optimizer.lr': [0.05, 0.5], seed: [1, 2, 3] };

function request(spec: object = { ...base, sweep }, more: Partial<SweepRequest> = {}): SweepRequest {
  const text = JSON.stringify(spec);
  const file = join(folder, 'a.nabla.json');
  writeFileSync(file, text);
  return { source: parseSpec(text), specFile: file, root: folder, ...more };
}

async function open(sweepRequest: SweepRequest): Promise<Sweep> {
  const opened = await openSweep(sweepRequest);
  if (opened.kind !== 'sweep') throw new Error(JSON.stringify(opened));
  return opened.sweep;
}

const onDisk = (): SweepResults => parseResults(readFileSync(join(folder, 'a.sweep.json'), 'utf8'))!;
const quiet = (): void => undefined;
const trained = (runs: readonly (RunResult | undefined)[]): string[] =>
  runs.map((run) => (run && 'hash' in run ? run.hash : 'none'));

/** A worker that exits for one seed and runs out of memory for another; otherwise the real one. */
function trapFile(): string {
  const file = join(bundles, 'trap.js');
  writeFileSync(
    file,
    `require('node:worker_threads').parentPort.on('message', ({ text }) => {
    const { seed } = JSON.parse(text);
    if (seed === 2) process.exit(3);
    if (seed === 3) performance.now = () => { throw new Error('a defect'); };
    if (seed === 4) for (const all = []; ; ) all.push({ of: all.length });
  });
  require('./sweep-worker.js');`,
  );
  return file;
}

describe('a sweep', () => {
  it('gives the same results as each spec alone, bit for bit', async () => {
    const sweeping = await open(request());
    expect(await sweeping.run(worker, quiet)).toBe(true);
    const expected = sweep['optimizer.lr'].flatMap((lr) =>
      sweep.seed.map((seed) => {
        const session = createSession({ ...base, optimizer: { type: 'sgd', lr }, seed });
        for (let step = 0; step < session.totalSteps; step++) session.step();
        return { hash: session.stateHash(), evaluation: session.evaluate() };
      }),
    );
    expect(trained(sweeping.results)).toEqual(expected.map(({ hash }) => hash));
    expect(new Set(trained(sweeping.results)).size).toBe(6);
    const lasts = sweeping.results
      .map((run) => (run && 'parts' in run ? run.parts : {}))
      .map(({ train, validation }) => [train?.loss.at(-1), validation?.accuracy?.at(-1)]);
    expect(lasts).toEqual(expected.map(({ evaluation }) => [evaluation.train?.loss, evaluation.validation?.accuracy]));
  });

  it('gives the same results on one thread and on several, in the same order', async () => {
    const results = [];
    for (const workers of [1, 3]) {
      await (await open(request(undefined, { workers, fresh: true }))).run(worker, quiet);
      results.push({ ...onDisk(), runs: onDisk().runs.map((run) => ({ ...run, milliseconds: 0 })) });
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[0].runs).toHaveLength(6);
  });

  it('writes its results next to the spec, and nothing else', async () => {
    await (await open(request())).run(worker, quiet);
    expect(readdirSync(folder).sort()).toEqual(['a.nabla.json', 'a.sweep.json']);
    expect(onDisk().runs.map(({ settings }) => Object.values(settings))).toEqual(
      [0.05, 0.5].flatMap((lr) => [1, 2, 3].map((seed) => [lr, seed])),
    );
  });

  it('reports its progress', async () => {
    const states: SweepState[] = [];
    const sweeping = await open(request({ ...base, epochs: 8000, sweep: { seed: [1, 2, 3] } }, { workers: 2 }));
    await sweeping.run(worker, (state) => states.push(state), 0);
    expect(
      states.some(
        ({ running, runs, workers }) =>
          running &&
          workers === 2 &&
          runs.some(({ state, step, total }) => state === 'running' && step > 0 && total === 8000 * 3),
      ),
    ).toBe(true);
    const last = states[states.length - 1];
    expect(last.running).toBe(false);
    expect(last.runs.every(({ state }) => state === 'finished')).toBe(true);
    expect(last.report.groups.map(({ finished }) => finished)).toEqual([3]);
  });
});

describe('a cancelled sweep', () => {
  it('keeps finished runs, and continues with the others', async () => {
    const spec = { ...base, sweep };
    const sweeping = await open(request(spec, { workers: 1 }));
    const finished = await sweeping.run(
      worker,
      ({ runs }) => {
        if (runs.some(isDone)) void sweeping.cancel();
      },
      0,
    );
    expect(finished).toBe(false);
    const before = onDisk().runs;
    expect(before.length).toBeGreaterThan(0);
    expect(before.length).toBeLessThan(6);
    expect(sweeping.state.runs.filter(isDone)).toHaveLength(before.length);

    const again = await open(request(spec));
    expect(again.state.notes[0]).toMatch(before.length === 1 ? /^1 run was done before/ : /runs were done before/);
    expect(await again.run(worker, quiet)).toBe(true);
    const after = onDisk().runs;
    // Saved, not repeated: even their times are the same.
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after).toHaveLength(6);
    await (await open(request(spec, { fresh: true }))).run(worker, quiet);
    expect(trained(onDisk().runs)).toEqual(trained(after));
  });

  it('has nothing to do if all runs are done', async () => {
    await (await open(request())).run(worker, quiet);
    const before = onDisk();
    expect(await (await open(request())).run('no such file', quiet)).toBe(true);
    expect(onDisk()).toEqual(before);
  });

  it('trains only what is missing from longer lists', async () => {
    await (await open(request())).run(worker, quiet);
    const before = trained(onDisk().runs);
    await (await open(request({ ...base, sweep: { ...sweep, seed: [3, 4] } }))).run(worker, quiet);
    const runs = onDisk().runs;
    expect(runs.map(({ settings }) => settings.seed)).toEqual([3, 4, 3, 4, 1, 2, 1, 2]);
    expect([runs[4], runs[5], runs[0], runs[6], runs[7], runs[2]].map((run) => trained([run])[0])).toEqual(before);
  });

  it('says that the spec changed, and starts over', async () => {
    await (await open(request())).run(worker, quiet);
    const changed = await open(request({ ...base, epochs: 7, sweep }));
    expect(changed.state.notes).toEqual([
      'The spec or its data changed since 6 runs of this file, which no longer hold.',
    ]);
    expect(changed.state.runs.some(isDone)).toBe(false);
    await changed.run(worker, quiet);
    expect(onDisk().runs.map((run) => ('steps' in run ? run.steps : 0))).toEqual(Array(6).fill(7 * 3));
  });

  it('says that a data file changed', async () => {
    const spec = { ...base, data: { type: 'csv', path: 'd.csv', target: 'y' }, sweep: { seed: [1, 2] } };
    const rows = (noise: number): string =>
      ['a,b,y', ...Array.from({ length: 30 }, (_, i) => `${i},${(i % 7) + noise},${i % 2 ? 'u' : 'v'}`)].join('\n');
    writeFileSync(join(folder, 'd.csv'), rows(0));
    await (await open(request(spec))).run(worker, quiet);
    expect((await open(request(spec))).state.runs.every(isDone)).toBe(true);
    writeFileSync(join(folder, 'd.csv'), rows(0.5));
    expect((await open(request(spec))).state.notes[0]).toMatch(/data changed since 2 runs/);
  });

  it('says that one of several swept data files changed, and repeats only its runs', async () => {
    const spec = {
      ...base,
      data: { type: 'csv', path: 'd.csv', target: 'y' },
      sweep: { 'data.path': ['d.csv', 'e.csv'], 'optimizer.lr': [0.05, 0.5] },
    };
    const rows = (noise: number): string =>
      ['a,b,y', ...Array.from({ length: 30 }, (_, i) => `${i},${(i % 7) + noise},${i % 2 ? 'u' : 'v'}`)].join('\n');
    writeFileSync(join(folder, 'd.csv'), rows(0));
    writeFileSync(join(folder, 'e.csv'), rows(0.25));
    await (await open(request(spec))).run(worker, quiet);
    expect((await open(request(spec))).state.runs.every(isDone)).toBe(true);
    writeFileSync(join(folder, 'e.csv'), rows(0.5));
    const changed = await open(request(spec));
    expect(changed.state.notes[0]).toMatch(/data changed since 2 runs/);
    expect(changed.state.runs.map(isDone)).toEqual([true, true, false, false]);
    const before = trained(onDisk().runs);
    await changed.run(worker, quiet);
    const after = trained(onDisk().runs);
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect(after[2]).not.toEqual(before[2]);
  });
});

it('keeps runs whose data depend on transforms, too', async () => {
  const spec = {
    ...base,
    sweep: { 'data.noise': [0.1, 0.2], transforms: [[], ['standardize']], 'optimizer.lr': [0.1] },
  };
  await (await open(request(spec))).run(worker, quiet);
  const again = await open(request(spec));
  expect(again.state.runs.every(isDone)).toBe(true);
  expect(again.state.notes).toHaveLength(1);
});

describe('a failure of one run', () => {
  it('is reported, and the others continue', async () => {
    const spec = { ...base, sweep: { seed: [1, 2, 3, 5] } };
    const sweeping = await open(request(spec, { workers: 2 }));
    expect(await sweeping.run(trapFile(), quiet)).toBe(true);
    expect(sweeping.state.runs.map(({ state, message }) => [state, message])).toEqual([
      ['finished', null],
      ['failed', expect.stringMatching(/code 3\b/)],
      ['failed', 'The run failed: a defect.'],
      ['finished', null],
    ]);
    // Repeated with a working worker.
    const again = await open(request(spec));
    await again.run(worker, quiet);
    expect(again.state.runs.every(({ state }) => state === 'finished')).toBe(true);
  });

  it('is reported as a lack of memory', async () => {
    const done: TaskResult[] = [];
    const pool = new WorkerPool({ workerFile: trapFile(), maxWorkers: 1, heapMb: 24 });
    const task = (seed: number) => ({ text: JSON.stringify({ ...base, seed }), folders: { folder, root: folder } });
    await pool.run([task(4), task(1)], { started: quiet, progress: quiet, finished: (_, one) => done.push(one) });
    expect(done[0]).toMatchObject({ kind: 'failed', message: expect.stringContaining('ran out of memory') as string });
    expect(done[1]).toMatchObject({ kind: 'trained' });
  });

  it('is reported for a spec that cannot run, or a diverged loss', async () => {
    const relu = { ...base, layers: [base.layers[0], 'relu', ...base.layers.slice(2)] };
    const sweeping = await open(
      request({
        ...relu,
        sweep: { 'layers.2.p': [0.1], 'layers.3.out_features': [2, 3], 'optimizer.lr': [0.1, 1e30] },
      }),
    );
    await sweeping.run(worker, quiet);
    const states = sweeping.state.runs;
    expect(states.map(({ state }) => state)).toEqual(['finished', 'diverged', 'failed', 'failed']);
    expect(states[1].message).toMatch(/^Diverged in step \d+: .+ was the first to become/);
    expect(states[2].message).toMatch(/needs one output for each of the 2 classes/);
    // A diverged run would diverge again.
    expect(
      (
        await open(
          request({ ...relu, sweep: { 'optimizer.lr': [1e30], 'layers.3.out_features': [2], 'layers.2.p': [0.1] } }),
        )
      ).state.runs[0].state,
    ).toBe('diverged');
  });

  it('leaves a file with other contents unchanged', async () => {
    writeFileSync(resultsFileOf(join(folder, 'a.nabla.json')), 'my notes');
    expect(await openSweep(request())).toEqual({ kind: 'unreadable', file: join(folder, 'a.sweep.json') });
  });

  it('is reported if the folder is not writable', async () => {
    await expect(
      (await open(request(undefined, { resultsFile: join(folder, 'none', 'a.sweep.json') }))).run(worker, quiet),
    ).rejects.toThrow(/ENOENT/);
  });
});
