// The sweep of a spec with its real process, without VS Code.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SweepController } from '../../../src/host/run/sweep-controller';
import { parseSpec } from '../../../src/model-spec';
import type { PanelSweep } from '../../../src/protocol/panel';
import { isDone } from '../../../src/sweep/report';
import { createSession } from '../../support/session-fixtures';

const source = resolve(__dirname, '../../../src/process/sweep');
let bundles: string;
let folder: string;
let watched: SweepHarness[];

beforeAll(async () => {
  bundles = mkdtempSync(join(tmpdir(), 'nablascope-sweeps-'));
  await build({
    entryPoints: { 'sweep-process': join(source, 'entry.ts'), 'sweep-worker': join(source, 'worker.ts') },
    outdir: bundles,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
  });
});

beforeEach(() => {
  folder = mkdtempSync(join(bundles, 'specs-'));
  watched = [];
});

afterEach(() => Promise.all(watched.map(({ controller }) => controller.dispose())));
afterAll(() => rmSync(bundles, { recursive: true, force: true }));

const base = {
  data: { type: 'circles', samples: 60 },
  layers: [{ type: 'linear', out_features: 2 }],
  loss: 'cross_entropy',
  batch_size: 16,
  epochs: 5,
};
const sweep = { 'optimizer.lr': [0.1, 1], seed: [1, 2] };

class SweepHarness {
  readonly views: PanelSweep[] = [];
  readonly controller: SweepController;
  #waiting: { readonly question: (sweep: PanelSweep) => boolean; readonly resolve: () => void }[] = [];
  text: string;

  constructor(spec: object, uri = 'file:///a.nabla.json') {
    this.text = JSON.stringify(spec);
    this.controller = new SweepController({
      source: () => ({
        location: { uri, file: 'a.nabla.json', folder, root: folder },
        analysis: { text: this.text, ...parseSpec(this.text) },
      }),
      dataFolders: () => [],
      processFile: join(bundles, 'sweep-process.js'),
      log: { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} },
      onChange: (view) => {
        this.views.push(view);
        for (const { question, resolve: go } of this.#waiting) if (question(view)) go();
      },
    });
    watched.push(this);
  }

  waitUntil(question: (sweep: PanelSweep) => boolean): Promise<void> {
    return new Promise((go) => this.#waiting.push({ question, resolve: go }));
  }

  get states(): string[] {
    return this.controller.view.state?.runs.map(({ state }) => state) ?? [];
  }
}

const endlessSpec = { ...base, epochs: 1e8, sweep };

describe('the sweep of a panel', () => {
  it('is shown before it runs, and runs to its end', async () => {
    const { controller, views } = new SweepHarness({ ...base, sweep });
    await controller.refresh();
    expect(controller.view.state?.runs).toHaveLength(4);
    await controller.start(false);
    expect(views.some(({ isStarting }) => isStarting)).toBe(true);
    expect(views.some(({ state }) => state?.running)).toBe(true);
    expect(controller.view).toMatchObject({
      isStarting: false,
      error: null,
      state: { running: false, notes: [] },
    });
    const session = createSession({ ...base, seed: 1, optimizer: { type: 'sgd', lr: 1 } });
    for (let i = 0; i < session.totalSteps; i++) session.step();
    const other = createSession({ ...base, seed: 2, optimizer: { type: 'sgd', lr: 1 } });
    for (let i = 0; i < other.totalSteps; i++) other.step();
    const mean = (session.evaluate().train!.loss + other.evaluate().train!.loss) / 2;
    expect(controller.view.state?.report.groups[1].final.train?.loss.mean).toBe(mean);
    const last = controller.view.state?.runs.filter(({ settings }) => settings.seed === 1).at(-1);
    expect(last?.losses?.train).toBe(session.evaluate().train!.loss);
    expect(readdirSync(folder)).toEqual(['a.sweep.json']);
  });

  it('is cancelled together with its process', async () => {
    const one = new SweepHarness(endlessSpec);
    const began = one.waitUntil(({ state }) => state?.runs.some(({ step }) => step > 0) === true);
    const ended = one.controller.start(false);
    await began;
    await one.controller.cancel();
    await ended;
    expect(one.states).toEqual(Array(4).fill('waiting'));
    expect(one.controller.view).toMatchObject({ isStarting: false, error: null });
  });

  it('is not disturbed by an edit while it runs; the next one uses the new text', async () => {
    const one = new SweepHarness({ ...base, sweep });
    const began = one.waitUntil(({ state }) => state?.running === true);
    const ended = one.controller.start(false);
    await began;
    one.text = JSON.stringify({ ...base, sweep: { ...sweep, seed: [1, 2, 3] } });
    await one.controller.refresh();
    expect(one.controller.view.state?.runs).toHaveLength(4);
    await ended;
    expect(one.states).toEqual(['finished', 'finished', 'waiting', 'finished', 'finished', 'waiting']);
    one.text = '{ "data": ';
    await one.controller.refresh();
    expect(one.states).toHaveLength(6);
    one.text = JSON.stringify(base);
    await one.controller.refresh();
    expect(one.controller.view.state).toBeNull();
  });

  it('gives the spec of each run that it shows, which differs from the text after an edit', async () => {
    const one = new SweepHarness({ ...base, sweep });
    expect(one.controller.runText(0)).toBeNull();
    await one.controller.refresh();
    const specs = Array.from(
      { length: 4 },
      (_, i) => JSON.parse(one.controller.runText(i)!) as { optimizer: { lr: number }; seed: number },
    );
    expect(specs.map(({ optimizer, seed }) => [optimizer.lr, seed])).toEqual(
      one.controller.view.state!.runs.map(({ settings }) => [settings['optimizer.lr'], settings.seed]),
    );
    expect(specs.some((spec) => 'sweep' in spec)).toBe(false);
    expect(one.controller.runText(4)).toBeNull();
    one.text = '{ "data": ';
    expect(one.controller.runText(3)).not.toBeNull();
  });

  it('starts over on request', async () => {
    const one = new SweepHarness({ ...base, sweep });
    await one.controller.start(false);
    const kept = one.views.length;
    await one.controller.start(true);
    expect(one.views.slice(kept).some(({ state }) => state?.running && !state.runs.some(isDone))).toBe(true);
    expect(one.states).toEqual(Array(4).fill('finished'));
  });

  it('says why it cannot start', async () => {
    const unsaved = new SweepHarness({ ...base, sweep }, 'untitled:Untitled-1');
    await unsaved.controller.start(false);
    expect(unsaved.controller.view).toMatchObject({ state: null, isStarting: false });
    expect(unsaved.controller.view.error).toMatch(/^Save the spec first/);
    const broken = new SweepHarness({ ...base, data: { type: 'csv', path: 'none.csv' }, sweep });
    await broken.controller.start(false);
    expect(broken.controller.view).toMatchObject({
      isStarting: false,
      error: expect.stringContaining('"none.csv"'),
    });
    writeFileSync(join(folder, 'a.sweep.json'), 'my notes');
    const strange = new SweepHarness({ ...base, sweep });
    await strange.controller.start(false);
    expect(strange.controller.view.error).toMatch(/^a\.sweep\.json /);
  });
});
