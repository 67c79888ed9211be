// The real engine process: started, asked, killed. What it computes is tested elsewhere; here, that calls
// arrive, that frames come back in order, and that nothing is left hanging when it dies.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newSpecText } from '../../src/host/new-spec-text';
import { EngineExitError } from '../../src/process/client';
import { TrainingSession } from '../../src/session/session';
import { loadRun } from '../../src/spec';
import { noFiles } from '../support/files';
import { type BuiltEngine, buildEngine, WatchedEngine } from './built-engine';

let built: BuiltEngine;
let engine: WatchedEngine | undefined;

beforeAll(async () => {
  built = await buildEngine();
});

afterEach(async () => {
  await engine?.client.dispose();
  engine = undefined;
});

afterAll(() => built.remove());

function start(...args: string[]): WatchedEngine {
  engine = new WatchedEngine(built.file, ...args);
  return engine;
}

/** The same steps in this process. */
function lossAfter(text: string, steps: number): number | null {
  const { run } = loadRun(text, noFiles);
  if (!run) throw new Error('the spec cannot run');
  const session = new TrainingSession(run, text);
  for (let i = 0; i < steps; i++) session.step();
  return session.loss;
}

describe('the engine process', () => {
  it('opens a spec and hands out its first frame after the answer', async () => {
    const { client, frames, last: before } = start();
    const result = await client.calls.open({ text: newSpecText, folder: '', root: null });
    expect(before).toBeUndefined();
    expect(frames).toEqual([]);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    expect(result.model.layers.map(({ kind }) => kind)).toEqual(['linear', 'tanh', 'linear']);
    await engine?.until(() => frames.length > 0);
    expect(frames[0]).toMatchObject({ status: 'ready', position: { step: 0, phase: 0 }, loss: null });
  });

  it('steps exactly as a session in this process does', async () => {
    const watched = start();
    await watched.open(newSpecText);
    for (let i = 0; i < 3; i++) await watched.client.calls.command({ type: 'step' });
    await watched.until(() => watched.last?.position.step === 3);
    expect(watched.last?.loss).toBe(lossAfter(newSpecText, 3));
  });

  it('numbers its frames without a gap, and comes back to the same values', async () => {
    const watched = start();
    await watched.open(newSpecText);
    await watched.client.calls.command({ type: 'runToStep', step: 40 });
    await watched.until(() => watched.last?.position.step === 40 && watched.last.target === null);
    const there = watched.last;
    await watched.client.calls.command({ type: 'seek', step: 7 });
    await watched.client.calls.command({ type: 'runToStep', step: 40 });
    await watched.until(() => watched.last !== there && watched.last?.position.step === 40 && watched.last.target === null);
    expect(watched.last?.loss).toBe(there?.loss);
    expect(watched.last?.layers).toEqual(there?.layers);
    expect(watched.frames.map(({ sequence }) => sequence)).toEqual(watched.frames.map((_, i) => i + 1));
  });

  it('says what is wrong with a command in words, and goes on', async () => {
    const { calls } = start().client;
    await expect(calls.command({ type: 'step' })).rejects.toThrow('No run is open.');
    await engine?.open(newSpecText);
    await expect(calls.command({ type: 'seek', step: 5 })).rejects.toThrow('was not reached yet');
    await calls.command({ type: 'step' });
    await engine?.until(() => engine?.last?.position.step === 1);
  });

  it('keeps the run when another spec cannot run', async () => {
    const watched = start();
    await watched.open(newSpecText);
    await watched.client.calls.command({ type: 'step' });
    const result = await watched.client.calls.open({ text: '{ "data": "circles"', folder: '', root: null });
    expect(result).toMatchObject({ ok: false, problems: [{ severity: 'error' }] });
    await watched.client.calls.command({ type: 'step' });
    await watched.until(() => watched.last?.position.step === 2);
  });

  it('tells how far it is with a large file, and stops reading when told to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nablascope-large-'));
    try {
      const file = join(folder, 'large.csv');
      const rows = Array.from({ length: 100_000 }, (_, i) => `${i % 7},${i % 5},${i % 3},${i % 2 ? 'a' : 'b'}\n`).join('');
      writeFileSync(file, 'x,y,z,kind\n');
      for (let i = 0; i < 100; i++) appendFileSync(file, rows);
      const text = (more: object): string =>
        JSON.stringify({ data: { type: 'csv', path: 'large.csv', ...more }, layers: [{ type: 'linear', out_features: 2 }], loss: 'cross_entropy' });
      const watched = start();
      await watched.open(newSpecText);
      const opening = watched.client.calls.open({ text: text({}), folder, root: folder });
      await watched.until(() => watched.loading.length > 0);
      expect(watched.loading[0]).toMatch(/^Reading large\.csv: \d+ of 76 MB$/);
      await watched.client.calls.cancelOpen();
      expect(await opening).toEqual({ ok: false, problems: [], cancelled: true });
      // The run before is still there, and another spec can be opened.
      await watched.client.calls.command({ type: 'step' });
      await watched.until(() => watched.last?.position.step === 1);
      const result = await watched.client.calls.open({ text: text({ limit: 1000 }), folder, root: folder });
      expect(result).toMatchObject({ ok: true, model: { samples: { train: 600, validation: 200, test: 200 } } });
      expect(watched.exits).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('checks gradients, and tells how far it is', async () => {
    const watched = start();
    await watched.open(newSpecText);
    const report = await watched.client.calls.check();
    expect(report).toMatchObject({ complete: true, passed: true, entries: 2 * 16 + 16 + 16 * 2 + 2 });
    expect(report.checked).toBe(report.entries);
    expect(watched.progress[watched.progress.length - 1]).toBe(report.entries);
  });

  it('stops a check half way, with what was checked', async () => {
    const watched = start();
    // Two wide layers: an entry of the first reaches all of the second, so the check takes its time.
    const wide = { type: 'linear', out_features: 256 };
    const layers = [wide, 'tanh', wide, 'tanh', { type: 'linear', out_features: 2 }];
    await watched.open(JSON.stringify({ data: 'circles', layers, loss: 'cross_entropy' }));
    const checking = watched.client.calls.check();
    await watched.until(() => watched.progress.length > 0);
    await watched.client.calls.cancelCheck();
    const report = await checking;
    expect(report.complete).toBe(false);
    expect(report.checked).toBeGreaterThan(0);
    expect(report.checked).toBeLessThan(report.entries);
  });

  it('is restored from a record bit for bit by another process', async () => {
    const first = start();
    await first.open(newSpecText);
    await first.client.calls.command({ type: 'runToStep', step: 300 });
    await first.until(() => first.last?.position.step === 300 && first.last.target === null);
    const { last } = first;
    const record = await first.client.calls.record();
    if (!record) throw new Error('no record');
    await first.client.dispose();

    const second = start();
    await second.open(newSpecText, record);
    await second.until(() => second.last?.position.step === 300);
    expect(second.last?.loss).toBe(last?.loss);
    expect(second.last?.layers.map(({ parameters }) => parameters.map(({ norm }) => norm))).toEqual(
      last?.layers.map(({ parameters }) => parameters.map(({ norm }) => norm)),
    );
  });
});

describe('the end of the engine process', () => {
  it('settles every pending call, and says that it was killed', async () => {
    const watched = start();
    await watched.open(newSpecText);
    await watched.client.calls.command({ type: 'run' });
    // The answer can only be sent after the signal is.
    const pending = watched.client.calls.check();
    const settled = expect(pending).rejects.toBeInstanceOf(EngineExitError);
    process.kill(watched.client.pid ?? 0, 'SIGKILL');
    await settled;
    await watched.until(() => watched.exits.length > 0);
    expect(watched.exits).toEqual(['The engine was killed from outside. The system does that when memory runs out.']);
    await expect(watched.client.calls.command({ type: 'step' })).rejects.toThrow();
  });

  it('has sent a record to go on from before', async () => {
    const watched = start();
    await watched.open(newSpecText);
    await watched.client.calls.command({ type: 'runToStep', step: 25 });
    await watched.until(() => watched.records.some(({ position }) => position.step === 25));
    process.kill(watched.client.pid ?? 0, 'SIGKILL');
    await watched.until(() => watched.exits.length > 0);
    const record = watched.records[watched.records.length - 1];

    const next = start();
    await next.open(newSpecText, record);
    expect(next.last).toMatchObject({ position: { step: 25, phase: 0 }, loss: lossAfter(newSpecText, 25) });
  });

  it('says that memory ran out', async () => {
    const row = '[0.1, 0.2], ';
    const inputs = `[${row.repeat(400_000)}[0.1, 0.2]]`;
    const text = `{ "data": { "type": "inline", "inputs": ${inputs}, "targets": [[1]] }, "layers": ["tanh"], "loss": "mse" }`;
    const watched = start('--heap=24');
    await expect(watched.client.calls.open({ text, folder: '', root: null })).rejects.toBeInstanceOf(EngineExitError);
    expect(watched.exits).toEqual(['The engine ran out of memory. A smaller model or smaller data needs less.']);
  });

  it('says where it hung', async () => {
    const inputs = `[${'[0.1, 0.2], '.repeat(2_000_000)}[0.1, 0.2]]`;
    const text = `{ "data": { "type": "inline", "inputs": ${inputs}, "targets": [[1]] }, "layers": ["tanh"], "loss": "mse" }`;
    const watched = start('--hang-after=1000', '--loading=0');
    // A worker that is still being started on a busy machine is not what this is about.
    await watched.client.calls.record();
    await expect(watched.client.calls.open({ text, folder: '', root: null })).rejects.toBeInstanceOf(EngineExitError);
    expect(watched.exits).toHaveLength(1);
    expect(watched.exits[0]).toMatch(/^The engine did not answer for \d+ s while it loaded the spec and its data/);
  });

  it('says why it could not start', async () => {
    const watched = new WatchedEngine(`${built.file}.missing`);
    await watched.until(() => watched.exits.length > 0);
    expect(watched.exits).toEqual(['The engine ended by itself with exit code 1.']);
  });

  it('follows its host', async () => {
    const watched = start();
    await watched.open(newSpecText);
    await watched.client.dispose();
    expect(watched.exits).toEqual([]);
    expect(() => process.kill(watched.client.pid ?? 0, 0)).toThrow('ESRCH');
  });
});
