import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunStore, type StoredRun } from '../../../src/host/run/run-store';

const run = (step: number): StoredRun => ({
  record: {
    text: '{}',
    checkpoint: { step, tensors: [Float64Array.of(0.1, NaN, -0), Float32Array.of(1, 2)] },
    position: { step, phase: 2 },
    frontier: step + 5,
    changes: [{ step: 1, lr: 0.5 }],
  },
  history: { loss: { stride: 1, steps: Float64Array.of(1), low: Float64Array.of(2), high: Float64Array.of(3) } },
});

let folder: string;
let failures: unknown[];
let store: RunStore;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'nablascope-store-')), 'made', 'when needed');
  failures = [];
  store = new RunStore(folder, (error) => failures.push(error));
});

afterEach(async () => {
  await store.flushAll();
  await rm(join(folder, '..', '..'), { recursive: true, force: true });
});

describe('stored runs', () => {
  it('are restored bit for bit, the newest of each spec', async () => {
    store.scheduleSave('a', () => run(1));
    store.scheduleSave('a', () => run(2));
    store.scheduleSave('b', () => run(3));
    await store.flushAll();
    expect(await store.load('a')).toEqual({ kind: 'found', run: run(2) });
    expect(await store.load('b')).toEqual({ kind: 'found', run: run(3) });
    expect(failures).toEqual([]);
  });

  it('are null if nothing was stored', async () => {
    expect(await store.load('a')).toEqual({ kind: 'none' });
    store.scheduleSave('a', () => run(1));
    await store.flush('a');
    await store.delete('a');
    expect(await store.load('a')).toEqual({ kind: 'none' });
    expect(failures).toEqual([]);
  });

  it('are found while they wait to be written', async () => {
    store.scheduleSave('a', () => run(4));
    expect(await store.load('a')).toEqual({ kind: 'found', run: run(4) });
  });

  it('leave no other files', async () => {
    for (let step = 0; step < 5; step++) {
      store.scheduleSave('a', () => run(step));
      await store.flush('a');
    }
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('are detected as damaged, whichever byte is wrong', async () => {
    store.scheduleSave('a', () => run(1));
    await store.flush('a');
    const good = await readFile(store.filePath('a'));
    for (let i = 0; i < good.length; i++) {
      const bad = Buffer.from(good);
      bad[i] ^= 0x10;
      await writeFile(store.filePath('a'), bad);
      expect(await store.load('a'), `byte ${i}`).toEqual({ kind: 'damaged' });
    }
    for (const length of [0, 10, 48, good.length - 1]) {
      await writeFile(store.filePath('a'), good.subarray(0, length));
      expect(await store.load('a')).toEqual({ kind: 'damaged' });
    }
  });

  it('that cannot be written are reported without other effects', async () => {
    await writeFile(join(folder, '..', '..', 'made'), 'in the way');
    store.scheduleSave('a', () => run(1));
    await store.flush('a');
    expect(failures).toHaveLength(1);
    expect(await store.load('a')).toEqual({ kind: 'none' });
  });
});
