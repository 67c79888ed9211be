// The sweep of a spec with its real process, without an editor around it.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SweepController } from '../../src/host/sweep-controller';
import type { PanelSweep } from '../../src/protocol/panel';
import { isDone } from '../../src/sweep/state';
import { sessionOf } from '../support/run';

const source = resolve(__dirname, '../../src/process/sweep');
let bundles: string;
let folder: string;
let watched: Watched[];

beforeAll(async () => {
  bundles = mkdtempSync(join(tmpdir(), 'nablascope-sweeps-'));
  await build({
    entryPoints: { 'sweep-process': join(source, 'entry.ts'), 'sweep-worker': join(source, 'worker.ts') },
    outdir: bundles, bundle: true, platform: 'node', format: 'cjs', target: 'node20', mainFields: ['module', 'main'], logLevel: 'warning',
  });
});

beforeEach(() => {
  folder = mkdtempSync(join(bundles, 'specs-'));
  watched = [];
});

afterEach(() => Promise.all(watched.map(({ controller }) => controller.dispose())));
afterAll(() => rmSync(bundles, { recursive: true, force: true }));

const base = {
  data: { type: 'circles', samples: 60 }, layers: [{ type: 'linear', out_features: 2 }], loss: 'cross_entropy', batch_size: 16, epochs: 5,
};
const sweep = { 'optimizer.lr': [0.1, 1], seed: [1, 2] };

class Watched {
  readonly told: PanelSweep[] = [];
  readonly controller: SweepController;
  #waiting: { readonly question: (sweep: PanelSweep) => boolean; readonly resolve: () => void }[] = [];
  text: string;

  constructor(spec: object, uri = 'file:///a.nabla.json') {
    this.text = JSON.stringify(spec);
    this.controller = new SweepController({
      spec: () => ({ place: { uri, file: 'a.nabla.json', folder, root: folder }, text: this.text }),
      allowed: () => [],
      processFile: join(bundles, 'sweep-process.js'),
      log: { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} },
      tell: (view) => {
        this.told.push(view);
        for (const { question, resolve: go } of this.#waiting) if (question(view)) go();
      },
    });
    watched.push(this);
  }

  until(question: (sweep: PanelSweep) => boolean): Promise<void> {
    return new Promise((go) => this.#waiting.push({ question, resolve: go }));
  }

  get states(): string[] {
    return this.controller.view.state?.runs.map(({ state }) => state) ?? [];
  }
}

const forever = { ...base, epochs: 1e8, sweep };

describe('a sweep beside a panel', () => {
  it('is known before it runs, and runs to its end', async () => {
    const { controller, told } = new Watched({ ...base, sweep });
    controller.look();
    expect(controller.view.state?.runs).toHaveLength(4);
    await controller.start(false);
    expect(told.some(({ starting }) => starting)).toBe(true);
    expect(told.some(({ state }) => state?.running)).toBe(true);
    expect(controller.view).toMatchObject({ starting: false, trouble: null, state: { running: false, notes: ['4 runs were done before and are kept.'] } });
    const session = sessionOf({ ...base, seed: 1, optimizer: { type: 'sgd', lr: 1 } });
    for (let i = 0; i < session.totalSteps; i++) session.step();
    const other = sessionOf({ ...base, seed: 2, optimizer: { type: 'sgd', lr: 1 } });
    for (let i = 0; i < other.totalSteps; i++) other.step();
    const mean = (session.evaluate().train!.loss + other.evaluate().train!.loss) / 2;
    expect(controller.view.state?.report.groups[1].final.train?.loss.mean).toBe(mean);
    expect(readdirSync(folder)).toEqual(['a.sweep.json']);
  });

  it('is cancelled, and its process is gone', async () => {
    const one = new Watched(forever);
    const began = one.until(({ state }) => state?.runs.some(({ step }) => step > 0) === true);
    const ended = one.controller.start(false);
    await began;
    await one.controller.cancel();
    await ended;
    expect(one.states).toEqual(Array(4).fill('waiting'));
    expect(one.controller.view).toMatchObject({ starting: false, trouble: null });
  });

  it('that runs is not disturbed by an edit; what comes after is of the new text', async () => {
    const one = new Watched({ ...base, sweep });
    const began = one.until(({ state }) => state?.running === true);
    const ended = one.controller.start(false);
    await began;
    one.text = JSON.stringify({ ...base, sweep: { ...sweep, seed: [1, 2, 3] } });
    one.controller.look();
    expect(one.controller.view.state?.runs).toHaveLength(4);
    await ended;
    expect(one.states).toEqual(['finished', 'finished', 'waiting', 'finished', 'finished', 'waiting']);
    one.text = '{ "data": ';
    one.controller.look();
    expect(one.states).toHaveLength(6);
    one.text = JSON.stringify(base);
    one.controller.look();
    expect(one.controller.view.state).toBeNull();
  });

  it('starts over where that is asked', async () => {
    const one = new Watched({ ...base, sweep });
    await one.controller.start(false);
    const kept = one.told.length;
    await one.controller.start(true);
    expect(one.told.slice(kept).some(({ state }) => state?.running && !state.runs.some(isDone))).toBe(true);
    expect(one.states).toEqual(Array(4).fill('finished'));
  });

  it('says why it cannot begin', async () => {
    const unsaved = new Watched({ ...base, sweep }, 'untitled:Untitled-1');
    await unsaved.controller.start(false);
    expect(unsaved.controller.view.trouble).toBe('Save the spec first: results are kept beside it.');
    const broken = new Watched({ ...base, data: { type: 'csv', path: 'none.csv' }, sweep });
    await broken.controller.start(false);
    expect(broken.controller.view).toMatchObject({ starting: false, trouble: 'There is no file "none.csv". Check the path: it starts at the folder of the spec.' });
    writeFileSync(join(folder, 'a.sweep.json'), 'my notes');
    const strange = new Watched({ ...base, sweep });
    await strange.controller.start(false);
    expect(strange.controller.view.trouble).toMatch(/^a\.sweep\.json holds no results/);
  });
});
