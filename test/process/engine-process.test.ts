// The real engine process: started, called, killed. Its computations are tested elsewhere; here, that calls arrive,
// that frames come back in order, and that nothing hangs when it dies.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newSpecTemplate } from '../../src/host/templates';
import { ProcessExitError } from '../../src/process/process-client';
import { TrainingSession } from '../../src/session/session';
import { loadRun } from '../../src/model-spec';
import { noFiles } from '../support/data-files';
import { type BuiltEngine, buildEngine, TestEngine } from './built-engine';

let built: BuiltEngine;
let engine: TestEngine | undefined;

beforeAll(async () => {
  built = await buildEngine();
});

afterEach(async () => {
  await engine?.client.dispose();
  engine = undefined;
});

afterAll(() => built.remove());

function start(...args: string[]): TestEngine {
  engine = new TestEngine(built.file, ...args);
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
  it('opens a spec and sends its first frame after the response', async () => {
    const { client, frames, last: before } = start();
    const result = await client.calls.open({ text: newSpecTemplate, folder: '', root: null });
    expect(before).toBeUndefined();
    expect(frames).toEqual([]);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    expect(result.model.layers.map(({ kind }) => kind)).toEqual(['linear', 'tanh', 'linear']);
    await engine?.until(() => frames.length > 0);
    expect(frames[0]).toMatchObject({ status: 'ready', position: { step: 0, phase: 0 }, loss: null });
  });

  it('steps exactly like a session in this process', async () => {
    const watched = start();
    await watched.open(newSpecTemplate);
    for (let i = 0; i < 3; i++) await watched.client.calls.command({ type: 'step' });
    await watched.until(() => watched.last?.position.step === 3);
    expect(watched.last?.loss).toBe(lossAfter(newSpecTemplate, 3));
  });

  it('numbers its frames consecutively, and returns to the same values', async () => {
    const watched = start();
    await watched.open(newSpecTemplate);
    await watched.client.calls.command({ type: 'runToStep', step: 40 });
    await watched.until(() => watched.last?.position.step === 40 && watched.last.target === null);
    const there = watched.last;
    await watched.client.calls.command({ type: 'seek', step: 7 });
    await watched.client.calls.command({ type: 'runToStep', step: 40 });
    await watched.until(
      () => watched.last !== there && watched.last?.position.step === 40 && watched.last.target === null,
    );
    expect(watched.last?.loss).toBe(there?.loss);
    expect(watched.last?.layers).toEqual(there?.layers);
    expect(watched.frames.map(({ sequence }) => sequence)).toEqual(watched.frames.map((_, i) => i + 1));
  });

  it('explains an invalid command, and continues', async () => {
    const { calls } = start().client;
    await expect(calls.command({ type: 'step' })).rejects.toThrow('No run is open.');
    await engine?.open(newSpecTemplate);
    await expect(calls.command({ type: 'seek', step: 5 })).rejects.toThrow('Step 5');
    await calls.command({ type: 'step' });
    await engine?.until(() => engine?.last?.position.step === 1);
  });

  it('keeps the run when another spec cannot run', async () => {
    const watched = start();
    await watched.open(newSpecTemplate);
    await watched.client.calls.command({ type: 'step' });
    const result = await watched.client.calls.open({ text: '{ "data": "circles"', folder: '', root: null });
    expect(result).toMatchObject({ ok: false, problems: [{ severity: 'error' }] });
    await watched.client.calls.command({ type: 'step' });
    await watched.until(() => watched.last?.position.step === 2);
  });

  it('reports the progress of reading a large file, and stops reading on request', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nablascope-large-'));
    try {
      const file = join(folder, 'large.csv');
      const rows = Array.from({ length: 100_000 }, (_, i) => `${i % 7},${i % 5},${i % 3},${i % 2 ? 'a' : 'b'}\n`).join(
        '',
      );
      writeFileSync(file, 'x,y,z,kind\n');
      for (let i = 0; i < 100; i++) appendFileSync(file, rows);
      const text = (more: object): string =>
        JSON.stringify({
          data: { type: 'csv', path: 'large.csv', ...more },
          layers: [{ type: 'linear', out_features: 2 }],
          loss: 'cross_entropy',
        });
      const watched = start();
      await watched.open(newSpecTemplate);
      const opening = watched.client.calls.open({ text: text({}), folder, root: folder });
      // A slow start of the first spec reports its progress, too.
      await watched.until(() => watched.loading.some((text) => /^Reading large\.csv: \d+ of 76 MB$/.test(text)));
      await watched.client.calls.cancelOpen();
      expect(await opening).toEqual({ ok: false, problems: [], cancelled: true });
      // The current run still exists, and another spec can be opened.
      await watched.client.calls.command({ type: 'step' });
      await watched.until(() => watched.last?.position.step === 1);
      const result = await watched.client.calls.open({ text: text({ limit: 1000 }), folder, root: folder });
      expect(result).toMatchObject({ ok: true, model: { samples: { train: 600, validation: 200, test: 200 } } });
      expect(watched.exits).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('checks gradients, and reports progress', async () => {
    const watched = start();
    await watched.open(newSpecTemplate);
    const report = await watched.client.calls.check();
    expect(report).toMatchObject({ complete: true, passed: true, entries: 2 * 16 + 16 + 16 * 2 + 2 });
    expect(report.checked).toBe(report.entries);
    expect(watched.progress[watched.progress.length - 1]).toBe(report.entries);
  });

  it('cancels a check, and returns what was checked', async () => {
    const watched = start();
    // Two wide layers: an entry of the first reaches all of the second, so the check is slow.
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

  it('is restored from a record in another process, bit for bit', async () => {
    const first = start();
    await first.open(newSpecTemplate);
    await first.client.calls.command({ type: 'runToStep', step: 300 });
    await first.until(() => first.last?.position.step === 300 && first.last.target === null);
    const { last } = first;
    const record = await first.client.calls.captureRecord();
    if (!record) throw new Error('no record');
    await first.client.dispose();

    const second = start();
    await second.open(newSpecTemplate, record);
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
    await watched.open(newSpecTemplate);
    await watched.client.calls.command({ type: 'run' });
    // The response can only be sent after the signal.
    const pending = watched.client.calls.check();
    const settled = expect(pending).rejects.toBeInstanceOf(ProcessExitError);
    process.kill(watched.client.pid ?? 0, 'SIGKILL');
    await settled;
    await watched.until(() => watched.exits.length > 0);
    expect(watched.exits).toEqual(['The engine was killed from outside. The system does that when memory runs out.']);
    await expect(watched.client.calls.command({ type: 'step' })).rejects.toThrow();
  });

  it('comes after a record to resume from', async () => {
    const watched = start();
    await watched.open(newSpecTemplate);
    await watched.client.calls.command({ type: 'runToStep', step: 25 });
    await watched.until(() => watched.records.some(({ position }) => position.step === 25));
    process.kill(watched.client.pid ?? 0, 'SIGKILL');
    await watched.until(() => watched.exits.length > 0);
    const record = watched.records[watched.records.length - 1];

    const next = start();
    await next.open(newSpecTemplate, record);
    expect(next.last).toMatchObject({ position: { step: 25, phase: 0 }, loss: lossAfter(newSpecTemplate, 25) });
  });

  it('starts over from a record of other data', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nablascope-engine-data-'));
    const text = JSON.stringify({
      data: { type: 'csv', path: 'd.csv' },
      layers: [{ type: 'linear', out_features: 1 }],
      loss: 'mse',
    });
    const request = { text, folder, root: null };
    const rows = '1,2\n3,4\n5,7\n6,7\n8,9\n';
    try {
      writeFileSync(join(folder, 'd.csv'), `x,t\n${rows}`);
      const watched = start();
      await watched.client.calls.open(request);
      await watched.client.calls.command({ type: 'runToStep', step: 5 });
      await watched.until(() => watched.last?.position.step === 5 && watched.last.target === null);
      const record = (await watched.client.calls.captureRecord()) ?? undefined;
      expect(record?.position.step).toBe(5);
      const reopened = await watched.client.calls.open({ ...request, record });
      expect(reopened).toMatchObject({ ok: true, furthestStep: 5 });
      writeFileSync(join(folder, 'd.csv'), `x,t\n${rows.replace('9', '8')}`);
      const changed = await watched.client.calls.open({ ...request, record });
      expect(changed).toMatchObject({ ok: true, furthestStep: 0, restartReason: expect.stringContaining('data') });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('says that memory ran out', async () => {
    const row = '[0.1, 0.2], ';
    const inputs = `[${row.repeat(400_000)}[0.1, 0.2]]`;
    const text = `{ "data": { "type": "inline", "inputs": ${inputs}, "targets": [[1]] }, "layers": ["tanh"], "loss": "mse" }`;
    const watched = start('--heap=24');
    await expect(watched.client.calls.open({ text, folder: '', root: null })).rejects.toBeInstanceOf(ProcessExitError);
    expect(watched.exits).toEqual([expect.stringContaining('out of memory')]);
  });

  it('says where it hung', async () => {
    const inputs = `[${'[0.1, 0.2], '.repeat(2_000_000)}[0.1, 0.2]]`;
    const text = `{ "data": { "type": "inline", "inputs": ${inputs}, "targets": [[1]] }, "layers": ["tanh"], "loss": "mse" }`;
    const watched = start('--hang-timeout=1000', '--loading-grace=0');
    // Waits for a worker that may still be starting on a busy machine.
    await watched.client.calls.captureRecord();
    await expect(watched.client.calls.open({ text, folder: '', root: null })).rejects.toBeInstanceOf(ProcessExitError);
    expect(watched.exits).toHaveLength(1);
    expect(watched.exits[0]).toMatch(/^The engine did not answer for \d+ s while it loaded the spec and its data/);
  });

  it('says why it could not start', async () => {
    const watched = new TestEngine(`${built.file}.missing`);
    await watched.until(() => watched.exits.length > 0);
    expect(watched.exits).toEqual([expect.stringMatching(/code 1\b/)]);
  });

  it('happens when its host ends', async () => {
    const watched = start();
    await watched.open(newSpecTemplate);
    await watched.client.dispose();
    expect(watched.exits).toEqual([]);
    expect(() => process.kill(watched.client.pid ?? 0, 0)).toThrow('ESRCH');
  });

  it('comes after a manual change was recorded by the host, however large the network', async () => {
    const linear = { type: 'linear', out_features: 1024 };
    const text = JSON.stringify({
      data: { type: 'circles', samples: 100 },
      layers: [linear, 'tanh', linear, 'tanh', { type: 'linear', out_features: 2 }],
      loss: 'cross_entropy',
      optimizer: { type: 'sgd', lr: 0.05, momentum: 0.9 },
      batch_size: 16,
    });
    const { client, records } = start();
    await engine?.open(text);
    const overridesWith = (value: number) =>
      records.at(-1)?.changes.some((change) => 'value' in change && change.value === value);
    for (const value of [0.125, 0.25]) {
      const weights = [{ parameter: 'linear1.weight', index: 1, value }];
      await client.calls.command({ type: 'setWeights', weights });
      expect(overridesWith(value)).toBe(true);
    }
    await client.calls.command({ type: 'fork', step: 0, lr: 0.03125, seed: null });
    process.kill(client.pid ?? 0, 'SIGKILL');
    await client.exited;
    expect(records.at(-1)?.changes).toContainEqual({ step: 0, lr: 0.03125 });
  });
});
