// Queries over a run in pieces, on real threads that are bundled as in the release.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { nodeOptions, writeLaunchers } from '../../scripts/node-bundles.mjs';
import { FolderFiles } from '../../src/data-files/data-files';
import { loadRun, parseSpec } from '../../src/model-spec';
import { EngineReplayThreads } from '../../src/process/replay/replay-threads';
import { ParallelRunQuery } from '../../src/session/parallel-run-query';
import { RunQuery } from '../../src/session/run-query';
import { openReplaySession } from '../../src/session/scratch-session';
import { TrainingSession } from '../../src/session/session';

const STEPS = 1200;

const spec = {
  data: { type: 'csv', path: 'samples.csv', target: 'label' },
  layers: [
    { type: 'linear', out_features: 8, name: 'hidden' },
    'tanh',
    { type: 'dropout', p: 0.2 },
    { type: 'linear', out_features: 2 },
  ],
  loss: 'cross_entropy',
  optimizer: 'adam',
  batch_size: 7,
  epochs: 1000,
};

const samples = (count: number): string =>
  [
    'x,y,label',
    ...Array.from({ length: count }, (_, i) => `${Math.sin(i)},${Math.cos(3 * i)},${i % 2 ? 'a' : 'b'}`),
  ].join('\n');

let folder: string;
let threads: EngineReplayThreads | null = null;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nablascope-replay-'));
  await build(nodeOptions(folder, ['replay-worker']));
  writeLaunchers(folder, ['replay-worker']);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

afterEach(() => threads?.stop());

function openRun() {
  const text = JSON.stringify(spec);
  writeFileSync(join(folder, 'samples.csv'), samples(60));
  const folders = { folder, root: folder };
  const files = new FolderFiles(folders);
  const { run, problems } = loadRun(parseSpec(text), files);
  if (!run) throw new Error(problems.map(({ message }) => message).join('\n'));
  const { versions } = files;
  files.close();
  threads = new EngineReplayThreads({ text, folders, versions }, 2, join(folder, 'replay-worker.js'));
  let time = 0;
  // A clock that goes on with every look, so that the query is split after a few steps.
  const session = new TrainingSession(run, text, {
    now: () => (time += 30),
    checkpointInterval: 64,
    replayThreads: threads,
  });
  session.seek(500);
  session.setLearningRate(0.02);
  session.seek(STEPS);
  return { session, threads };
}

const RANGE = { from: 1, to: STEPS, lastStep: STEPS };

function answer(session: TrainingSession, text: string) {
  const query = new ParallelRunQuery(session, text, RANGE, { afterMs: 0, minRestMs: 0, pieceMs: 400 });
  while (!query.isDone) query.work();
  const alone = new RunQuery(openReplaySession(session), text, RANGE);
  while (!alone.isDone) alone.advance();
  return { query, alone };
}

describe('a query on several threads', () => {
  it.each([
    'step, loss, norm(grad(hidden.weight)) where max(abs(update(hidden.weight))) > 0.01',
    'loss - at(step - 3, loss), any(changes_sign(hidden.weight))',
    'first loss < 0',
    'last loss > 100',
  ])('has the rows of one thread: %s', (text) => {
    const { session, threads: pool } = openRun();
    let reports = 0;
    const start = pool.start.bind(pool);
    pool.start = (piece) => {
      const task = start(piece);
      return (
        task && {
          takeReports: () => {
            const taken = task.takeReports();
            reports += taken?.length ?? 0;
            return taken;
          },
        }
      );
    };
    const { query, alone } = answer(session, text);
    expect(query.steps).toStrictEqual(alone.steps);
    expect(query.rows).toStrictEqual(alone.rows);
    expect(query.end).toBe(alone.end);
    expect(reports).toBeGreaterThan(0);
  });

  it('is answered in one thread if the data has changed since the run was opened', () => {
    const { session, threads: pool } = openRun();
    writeFileSync(join(folder, 'samples.csv'), samples(80));
    const results: (readonly unknown[] | null)[] = [];
    const start = pool.start.bind(pool);
    pool.start = (piece) => {
      const task = start(piece);
      return (
        task && {
          takeReports: () => {
            const taken = task.takeReports();
            if (taken === null || taken.length > 0) results.push(taken);
            return taken;
          },
        }
      );
    };
    const { query, alone } = answer(session, 'step, loss');
    expect(query.rows).toStrictEqual(alone.rows);
    expect(results.length).toBeGreaterThan(0);
    expect(results.every((each) => each === null)).toBe(true);
  });
});
