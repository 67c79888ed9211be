import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunStore, type StoredRun } from '../../src/host/run-store';

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

describe('kept runs', () => {
  it('come back bit for bit, the newest of each spec', async () => {
    store.keep('a', () => run(1));
    store.keep('a', () => run(2));
    store.keep('b', () => run(3));
    await store.flushAll();
    expect(await store.load('a')).toEqual({ kind: 'found', run: run(2) });
    expect(await store.load('b')).toEqual({ kind: 'found', run: run(3) });
    expect(failures).toEqual([]);
  });

  it('are none where none was kept', async () => {
    expect(await store.load('a')).toEqual({ kind: 'none' });
    store.keep('a', () => run(1));
    await store.flush('a');
    await store.forget('a');
    expect(await store.load('a')).toEqual({ kind: 'none' });
    expect(failures).toEqual([]);
  });

  it('are found while they wait to be written', async () => {
    store.keep('a', () => run(4));
    expect(await store.load('a')).toEqual({ kind: 'found', run: run(4) });
  });

  it('leave nothing beside them', async () => {
    for (let step = 0; step < 5; step++) {
      store.keep('a', () => run(step));
      await store.flush('a');
    }
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('are told from damaged ones, whichever byte is wrong', async () => {
    store.keep('a', () => run(1));
    await store.flush('a');
    const good = await readFile(store.fileOf('a'));
    for (let i = 0; i < good.length; i++) {
      const bad = Buffer.from(good);
      bad[i] ^= 0x10;
      await writeFile(store.fileOf('a'), bad);
      expect(await store.load('a'), `byte ${i}`).toEqual({ kind: 'damaged' });
    }
    for (const length of [0, 10, 48, good.length - 1]) {
      await writeFile(store.fileOf('a'), good.subarray(0, length));
      expect(await store.load('a')).toEqual({ kind: 'damaged' });
    }
  });

  it('that cannot be written are reported, and nothing else happens', async () => {
    await writeFile(join(folder, '..', '..', 'made'), 'in the way');
    store.keep('a', () => run(1));
    await store.flush('a');
    expect(failures).toHaveLength(1);
    expect(await store.load('a')).toEqual({ kind: 'none' });
  });
});
