// The diagnosis of a spec with its real process, without VS Code.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DoctorController } from '../../../src/host/run/doctor-controller';
import { parseSpec } from '../../../src/model-spec';
import type { PanelDoctor } from '../../../src/protocol/panel';

let folder: string;
const opened: DoctorHarness[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nablascope-doctor-'));
  await build({
    entryPoints: { 'doctor-process': resolve(__dirname, '../../../src/process/doctor/entry.ts') },
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
  });
});
afterEach(() => Promise.all(opened.splice(0).map(({ controller }) => controller.dispose())));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const base = {
  data: { type: 'circles', samples: 60 },
  layers: [{ type: 'linear', out_features: 4 }, 'tanh', { type: 'linear', out_features: 2 }],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 1e-6 },
  batch_size: 16,
  epochs: 5,
};

class DoctorHarness {
  readonly views: PanelDoctor[] = [];
  readonly controller: DoctorController;
  text: string;
  #onChange: () => void = () => undefined;

  constructor(spec: object, { mayRunCode = false } = {}) {
    this.text = JSON.stringify(spec);
    this.controller = new DoctorController({
      source: () => ({
        location: { uri: 'file:///a.nabla.json', file: 'a.nabla.json', folder, root: folder },
        analysis: { text: this.text, ...parseSpec(this.text) },
      }),
      dataFolders: () => [],
      ruleSettings: () => ({}),
      permissionOf: () => (mayRunCode ? 'allowed' : 'ask'),
      processFile: join(folder, 'doctor-process.js'),
      log: { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined },
      onChange: (view) => {
        this.views.push(view);
        this.#onChange();
      },
    });
    opened.push(this);
  }

  get kinds(): string[] {
    return this.views.map(({ kind }) => kind);
  }

  /** Resolves with the first view that satisfies a condition. */
  until(question: (view: PanelDoctor) => boolean): Promise<PanelDoctor> {
    return new Promise((found) => {
      this.#onChange = () => {
        const view = this.views.find(question);
        if (view) found(view);
      };
      this.#onChange();
    });
  }
}

const done = ({ controller: { view } }: DoctorHarness): Extract<PanelDoctor, { kind: 'done' }> => {
  if (view.kind !== 'done') throw new Error(JSON.stringify(view));
  return view;
};

describe('a diagnosis', () => {
  it('reports its stages, then findings with lines and fixes; an edit makes it outdated until it is undone', async () => {
    const harness = new DoctorHarness(base);
    harness.text = JSON.stringify(base, null, 2);
    await harness.controller.start();
    const { report, lines, isOutdated } = done(harness);
    expect(isOutdated).toBe(false);
    expect(harness.kinds.at(0)).toBe('running');
    const stages = new Set(harness.views.flatMap((view) => (view.kind === 'running' ? [view.stage] : [])));
    expect(stages.size).toBeGreaterThan(1);
    const [first] = report.findings;
    expect(first.fix?.changes).toMatchObject([{ path: ['optimizer', 'lr'] }]);
    expect(first.trial?.skill).toBeGreaterThan(0.5);
    const text = harness.text.split('\n');
    expect(lines).toEqual(
      report.findings.map(({ range }) => (range ? harness.text.slice(0, range.start).split('\n').length : null)),
    );
    expect(lines.some((line) => line !== null && text[line - 1].includes('"lr"'))).toBe(true);

    const original = harness.text;
    harness.text = `${original}\n// only a comment\n`;
    harness.controller.refresh();
    expect(done(harness).isOutdated).toBe(false);
    harness.text = original.replace('"tanh"', '"relu"');
    harness.controller.refresh();
    expect(done(harness).isOutdated).toBe(true);
    harness.text = '{';
    harness.controller.refresh();
    expect(done(harness).isOutdated).toBe(true);
    harness.text = original;
    harness.controller.refresh();
    expect(done(harness).isOutdated).toBe(false);
  });

  it('of a spec that was edited meanwhile is outdated from the start', async () => {
    const harness = new DoctorHarness(base);
    const started = harness.controller.start();
    harness.text = JSON.stringify({ ...base, epochs: 6 });
    await started;
    expect(done(harness).isOutdated).toBe(true);
  });

  it('is canceled at once, and can be started again', async () => {
    const harness = new DoctorHarness({ ...base, data: { type: 'circles', samples: 5000 }, epochs: 1000 });
    const started = harness.controller.start();
    await harness.until((view) => view.kind === 'running' && view.share > 0);
    await harness.controller.cancel();
    await started;
    expect(harness.controller.view).toEqual({ kind: 'canceled' });
    expect(harness.kinds.filter((kind) => kind !== 'running')).toEqual(['canceled']);
    harness.text = JSON.stringify({ ...base, epochs: 1 });
    await harness.controller.start();
    expect(harness.controller.view.kind).toBe('done');
  });

  it('starts only once at a time', async () => {
    const harness = new DoctorHarness(base);
    await Promise.all([harness.controller.start(), harness.controller.start()]);
    expect(harness.kinds.filter((kind) => kind === 'done')).toHaveLength(1);
  });
});

describe('without a run there is a reason instead', () => {
  it('for a spec with problems in its text', async () => {
    const harness = new DoctorHarness({ ...base, loss: 'nonsense' });
    await harness.controller.start();
    expect(harness.kinds).toEqual(['failed']);
  });

  it('for a file that is missing', async () => {
    const harness = new DoctorHarness({ ...base, data: { type: 'csv', path: 'none.csv', target: 'y' } });
    await harness.controller.start();
    expect(harness.controller.view).toMatchObject({ kind: 'failed', reason: expect.stringContaining('none.csv') });
  });

  it('for custom layers without permission, which then do not run', async () => {
    const marker = join(folder, 'ran.txt');
    const code = `import fs from 'node:fs'; fs.writeFileSync(${JSON.stringify(marker)}, ''); export default {};`;
    writeFileSync(join(folder, 'mine.layer.mjs'), code);
    const spec = { ...base, layers: [{ type: 'custom', module: './mine.layer.mjs' }, ...base.layers] };
    const harness = new DoctorHarness(spec);
    await harness.controller.start();
    expect(harness.controller.view.kind).toBe('failed');
    expect(() => rmSync(marker)).toThrow();
    const allowed = new DoctorHarness(spec, { mayRunCode: true });
    await allowed.controller.start();
    expect(allowed.controller.view.kind).toBe('failed');
    rmSync(marker);
  });

  it.each([
    ['while it trains', 'export default { forward({ ops, input }) { for (;;); } };', 'forward'],
    ['while it is loaded', 'for (;;);', 'load'],
  ])('for a custom layer that hangs %s, which is named', async (_when, code, call) => {
    const name = `hang-${call}.layer.mjs`;
    writeFileSync(join(folder, name), code);
    const layer = { type: 'custom', module: `./${name}`, name: 'endless' };
    const harness = new DoctorHarness({ ...base, layers: [layer, ...base.layers] }, { mayRunCode: true });
    await harness.controller.start();
    expect(harness.controller.view).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/endless.*did not return/),
    });
  });

  it('for a custom layer that ends the process', async () => {
    writeFileSync(join(folder, 'exit.layer.mjs'), 'process.exit(3);');
    const spec = { ...base, layers: [{ type: 'custom', module: './exit.layer.mjs' }, ...base.layers] };
    const harness = new DoctorHarness(spec, { mayRunCode: true });
    await harness.controller.start();
    expect(harness.controller.view.kind).toBe('failed');
  });
});
