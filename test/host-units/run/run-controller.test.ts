// A run controller with a real engine process, without VS Code.
import type { Frame } from '../../../src/protocol/frame';
import type { RunRecord } from '../../../src/protocol/run-record';
import type { Problem } from '../../../src/protocol/problem';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newSpecTemplate } from '../../../src/host/templates';
import { RunController } from '../../../src/host/run/run-controller';
import { RunStore } from '../../../src/host/run/run-store';
import { analyzeSpec } from '../../../src/host/model-spec/analyze-spec';
import type { PanelUpdate } from '../../../src/protocol/panel';
import { TrainingSession } from '../../../src/session/session';
import { type BuiltEngine, buildEngine } from '../../process/built-engine';
import { compileRun } from '../../support/session-fixtures';

let built: BuiltEngine;
let folder: string;
let store: RunStore;
const controllers: ControllerHarness[] = [];

beforeAll(async () => {
  built = await buildEngine();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nablascope-controller-'));
  store = new RunStore(folder, (error) => {
    throw error;
  });
});

afterEach(async () => {
  for (const { controller } of controllers.splice(0)) await controller.dispose();
  await rm(folder, { recursive: true, force: true });
});

afterAll(() => built.remove());

/** A controller that records all its messages. */
class ControllerHarness {
  readonly controller: RunController;
  readonly messages: PanelUpdate[] = [];
  readonly frames: Frame[] = [];
  openProblems: readonly Problem[] = [];
  readonly warnings: string[] = [];
  readonly infos: string[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(text: string, simd256: boolean) {
    this.controller = new RunController(
      {
        location: { uri: 'file:///spec.nabla.json', file: 'spec.nabla.json', folder, root: folder },
        store,
        log: {
          info: (text) => void (this.infos.push(text), this.#wake()),
          warn: (text) => void this.warnings.push(text),
          error: () => {},
          debug: () => {},
        },
        permissionOf: () => 'allowed',
        engineFile: built.file,
        checkpointBudget: () => 64 * 2 ** 20,
        simd256: () => simd256,
        ruleSettings: () => ({}),
        dataFolders: () => [],
        analyzeSpec: analyzeSpec,
        postToPanel: (message) => {
          this.messages.push(message);
          this.#wake();
        },
        showFrame: (frame) => {
          this.frames.push(frame);
          this.#wake();
          return Promise.resolve();
        },
        onOpenProblems: (problems) => {
          this.openProblems = problems;
        },
      },
      analyzeSpec(text),
    );
    controllers.push(this);
  }

  get view() {
    return this.controller.view;
  }

  get notices(): string[] {
    return this.messages.flatMap((message) => (message.type === 'notice' ? [message.text] : []));
  }

  edit(text: string): void {
    this.controller.handleSpecChange(analyzeSpec(text));
  }

  async waitUntil(question: () => boolean): Promise<void> {
    while (!question()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  async waitForStep(step: number): Promise<void> {
    await this.waitUntil(() => this.view.frame?.target === null && this.view.frame.position.step === step);
  }

  kill(): void {
    process.kill(this.controller.engineProcessId ?? 0, 'SIGKILL');
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}

async function openController(text = newSpecTemplate, simd256 = false): Promise<ControllerHarness> {
  const watched = new ControllerHarness(text, simd256);
  await watched.controller.start();
  return watched;
}

const csv = (path: string): string =>
  `{ "data": { "type": "csv", "path": "${path}", "target": "y" }, "layers": [{ "type": "linear", "out_features": 1 }], "loss": "mse" }`;

describe('a run controller', () => {
  it('opens a spec, and its snapshot contains all that a new panel needs', async () => {
    const watched = await openController();
    await watched.waitForStep(0);
    await watched.controller.command({ type: 'runToStep', step: 5 });
    await watched.waitForStep(5);
    const { state, model, frame, history, problems } = watched.view.snapshot();
    expect(state).toEqual({ kind: 'run' });
    expect(model?.name).toBe('circles');
    expect(frame?.position.step).toBe(5);
    expect([...history['loss/batch'].steps]).toEqual([1, 2, 3, 4, 5]);
    expect(problems).toEqual([]);
  });

  it('lists problems with their lines, and starts once they are fixed', async () => {
    const watched = await openController(newSpecTemplate.replace('"tanh"', '"tang"'));
    expect(watched.view.state).toEqual({ kind: 'problems' });
    expect(watched.view.problems).toMatchObject([{ severity: 'error', line: 7, column: 5 }]);
    watched.edit(newSpecTemplate);
    await watched.waitUntil(() => watched.view.state.kind === 'run');
    expect(watched.view.problems).toEqual([]);
  });

  it('reports in a notice what a command cannot do', async () => {
    const watched = await openController();
    await watched.controller.command({ type: 'seek', step: 99 });
    expect(watched.notices).toEqual([expect.stringMatching(/^Step \d+/)]);
  });

  it('tries a spec with missing data once, and keeps the problem with the text', async () => {
    const watched = await openController(csv('none.csv'));
    expect(watched.view.state).toEqual({ kind: 'problems' });
    expect(watched.openProblems.map(({ message }) => message)).toEqual(['There is no file "none.csv".']);
    watched.controller.applyTextChanges([{ offset: 0, length: 0, text: '// moved\n' }]);
    watched.edit(`// moved\n${csv('none.csv')}`);
    expect(watched.view.problems).toMatchObject([{ line: 2, column: csv('none.csv').indexOf('"none.csv"') + 1 }]);
    watched.edit(newSpecTemplate);
    await watched.waitUntil(() => watched.view.state.kind === 'run');
    expect(watched.openProblems).toEqual([]);
  });

  it('keeps a run whose new data is missing', async () => {
    const watched = await openController();
    await watched.waitForStep(0);
    const { model } = watched.view;
    watched.edit(csv('none.csv'));
    await watched.waitUntil(() => watched.view.problems.length > 0);
    expect(watched.view.model).toBe(model);
    await watched.controller.command({ type: 'step' });
    await watched.waitForStep(1);
    watched.edit(newSpecTemplate);
    expect(watched.view.problems).toEqual([]);
    expect(watched.view.model).toBe(model);
  });

  it('opens only the last of many edits', async () => {
    const watched = await openController();
    for (let units = 1; units <= 12; units++) watched.edit(newSpecTemplate.replace('16 }', `${units} }`));
    await watched.waitUntil(() => watched.view.model?.layers[0].outputShape[0] === 12);
    await watched.waitUntil(() => watched.view.frame?.layers.length === 3);
    expect(watched.view.state).toEqual({ kind: 'run' });
  });

  it('returns to the text of the run without a new run when an edit is undone', async () => {
    const watched = await openController();
    await watched.controller.command({ type: 'step' });
    await watched.waitForStep(1);
    const { model } = watched.view;
    watched.edit(newSpecTemplate.replace('"tanh"', '"tan"'));
    watched.edit(newSpecTemplate);
    await watched.controller.command({ type: 'step' });
    await watched.waitForStep(2);
    expect(watched.view.model).toBe(model);
  });

  it('resumes where it stopped, with its history', async () => {
    const first = await openController();
    await first.controller.command({ type: 'runToStep', step: 60 });
    await first.waitForStep(60);
    await first.controller.command({ type: 'seek', step: 40 });
    await first.waitForStep(40);
    const { loss } = first.view.frame ?? {};
    await first.controller.dispose();

    const second = await openController(`// the same\n${newSpecTemplate}`);
    await second.waitForStep(40);
    expect(second.view.frame).toMatchObject({ loss, furthestStep: 60 });
    expect(second.view.history.get('loss/batch')?.length).toBe(60);
    expect(second.notices).toEqual([expect.stringContaining('step 40')]);
  });

  it('starts over when the spec has changed meanwhile, and says so', async () => {
    const first = await openController();
    await first.controller.command({ type: 'step' });
    await first.waitForStep(1);
    await first.controller.dispose();
    const second = await openController(newSpecTemplate.replace('"tanh"', '"relu"'));
    await second.waitForStep(0);
    expect(second.notices).toEqual([expect.stringContaining('new run')]);
  });

  it('continues when only the length of the run changed, and not beyond its new end', async () => {
    const watched = await openController();
    await watched.controller.command({ type: 'runToStep', step: 50 });
    await watched.waitForStep(50);
    const total = watched.view.model?.totalSteps ?? 0;
    watched.edit(newSpecTemplate.replace('"epochs": 100', '"epochs": 200'));
    await watched.waitUntil(() => watched.view.model?.totalSteps === 2 * total);
    await watched.waitForStep(50);
    watched.edit(newSpecTemplate.replace('"epochs": 100', '"epochs": 1'));
    await watched.waitUntil(() => watched.view.model?.epochs === 1);
    await watched.waitForStep(0);
    expect(watched.notices).toEqual([expect.not.stringContaining('new run'), expect.stringContaining('new run')]);
  });

  it('continues training after an edit', async () => {
    const long = newSpecTemplate.replace('"epochs": 100', '"epochs": 1000000');
    const watched = await openController(long);
    await watched.controller.command({ type: 'run' });
    await watched.waitUntil(() => watched.view.frame?.status === 'running');
    watched.edit(long.replace('"tanh"', '"relu"'));
    await watched.waitUntil(
      () => watched.view.model?.layers[1].kind === 'relu' && watched.view.frame?.status === 'running',
    );
    await watched.waitUntil(() => (watched.view.frame?.position.step ?? 0) > 3);
  });

  it('settles a check when the engine dies, and can be restored', async () => {
    const watched = await openController(newSpecTemplate.replace('16 }', '512 }'));
    await watched.controller.command({ type: 'runToStep', step: 20 });
    await watched.waitForStep(20);
    const { loss } = watched.view.frame ?? {};
    const checking = watched.controller.check();
    await watched.waitUntil(() => (watched.view.checkProgress?.checked ?? 0) > 0);
    watched.kill();
    await checking;
    expect(watched.view.checkProgress).toBeNull();
    expect(watched.view.state).toMatchObject({ kind: 'stopped', restorable: true, step: 20 });
    await watched.controller.restore();
    await watched.waitForStep(20);
    expect(watched.view.frame?.loss).toBe(loss);
    expect(watched.view.history.get('loss/batch')?.length).toBe(20);
  });

  it('continues without 256-bit vectors when the engine dies with them, with the same results', async () => {
    const large = newSpecTemplate
      .replace('16 }', '1024 }')
      .replace('0.1,', '0.001,')
      .replace('"layers": [', '"layers": [{ "type": "linear", "out_features": 1024 }, "tanh",');
    const watched = await openController(large, true);
    const tried = (): number => watched.infos.filter((text) => text.includes('256-bit')).length;
    await watched.waitForStep(0);
    expect(tried()).toBe(0);
    // Slow, so that the replay below has few steps, however long the machine takes to get there.
    await watched.controller.command({ type: 'setSpeed', stepsPerSecond: 20 });
    await watched.controller.command({ type: 'run' });
    await watched.waitUntil(() => tried() > 0 && watched.view.frame?.status === 'running');
    watched.kill();
    await watched.waitUntil(() => watched.notices.some((text) => /256-bit SIMD.* step \d+/.test(text)));
    const step = watched.view.frame?.position.step ?? 0;
    // The first frame of the new engine shows the record, which can be far ahead of the last frame; it does not run
    // yet.
    await watched.waitUntil(
      () => watched.view.frame?.status === 'running' && watched.view.frame.position.step > step + 3,
    );
    // The same work has been repeated long ago, and more.
    await watched.controller.command({ type: 'pause' });
    expect(tried()).toBe(1);
    const record = (await watched.controller.captureRecord()) as RunRecord;
    const session = new TrainingSession(compileRun(large), large);
    session.seek(record.position.step);
    expect(TrainingSession.resume(session.run, record).stateHash()).toBe(session.stateHash());
    // The next crash is not caused by 256-bit vectors.
    watched.kill();
    await watched.waitUntil(() => watched.view.state.kind === 'stopped');
    expect(watched.view.state).toMatchObject({ restorable: true });
  });

  it('keeps manual changes over a crash, bit for bit', async () => {
    const watched = await openController();
    await watched.controller.command({ type: 'runToStep', step: 20 });
    await watched.waitForStep(20);
    const weight = { parameter: watched.view.model?.layers[0].parameters[0].name ?? '', index: 1, value: 0.25 };
    await watched.controller.command({ type: 'setWeights', weights: [weight] });
    await watched.controller.command({ type: 'runToStep', step: 24 });
    await watched.waitForStep(24);
    watched.kill();
    await watched.waitUntil(() => watched.view.state.kind === 'stopped');
    await watched.controller.restore();
    await watched.waitForStep(24);
    const session = new TrainingSession(compileRun(newSpecTemplate), newSpecTemplate);
    session.seek(20);
    session.setWeights([weight]);
    session.seek(24);
    const restored = TrainingSession.resume(session.run, (await watched.controller.captureRecord()) as RunRecord);
    expect(restored.stateHash()).toBe(session.stateHash());
    expect(watched.view.frame?.loss).toBe(session.loss);
  });

  it('keeps breakpoints when the run is restored, and ends the debugger with the spec', async () => {
    const watched = await openController();
    await watched.waitForStep(0);
    const { controller, view } = watched;
    const hits: number[] = [];
    const exits: string[] = [];
    let exit = (): void => undefined;
    const exited = new Promise<void>((resolve) => (exit = resolve));
    controller.debugClient = {
      onState: ({ hitBreakpoints, position }) => void hits.push(...hitBreakpoints.map(() => position.step)),
      onLogpoints: () => undefined,
      onExit: (reason) => {
        exits.push(reason);
        exit();
      },
    };
    const breakpoint = { id: 1, on: { phases: [1] }, condition: 'step == 4 or step == 8' };
    expect(await controller.setBreakpoints([breakpoint])).toEqual([{ id: 1, isVerified: true }]);
    await controller.command({ type: 'run' });
    await watched.waitUntil(() => view.frame?.target === null && view.frame.position.step === 3);
    expect(hits).toEqual([3]);
    await controller.command({ type: 'seek', step: 2 });
    const parameter = view.model?.layers[0].parameters[0].name ?? '';
    await controller.command({ type: 'setWeights', weights: [{ parameter, index: 0, value: 0.5 }] });
    await controller.undo();
    await watched.waitForStep(2);
    await controller.command({ type: 'runToStep', step: 6 });
    await watched.waitUntil(() => view.frame?.target === null && view.frame.position.step === 3);
    expect(hits).toEqual([3, 3]);
    expect(exits).toEqual([]);
    watched.edit(newSpecTemplate.replace(/"lr": [\d.]+/, '"lr": 0.015'));
    await exited;
    await watched.waitForStep(0);
    await controller.command({ type: 'runToStep', step: 10 });
    await watched.waitForStep(10);
    expect([hits, exits.length]).toEqual([[3, 3], 1]);
  });

  it('undoes manual changes in reverse order, with the steps that were discarded', async () => {
    const watched = await openController();
    await watched.controller.command({ type: 'runToStep', step: 20 });
    await watched.waitForStep(20);
    const before = watched.view.history.get('loss/batch')?.data();
    expect(watched.view.snapshot().undo).toBeNull();
    await watched.controller.command({ type: 'fork', step: 5, lr: 0.5, seed: 3 });
    await watched.waitForStep(5);
    await watched.controller.command({
      type: 'setWeights',
      weights: [{ parameter: watched.view.model?.layers[0].parameters[0].name ?? '', index: 0, value: 2 }],
    });
    const parameter = watched.view.model?.layers[0].parameters[0].name;
    expect(watched.view.snapshot().undo).toContain(parameter);
    await watched.controller.undo();
    await watched.waitUntil(() => watched.view.snapshot().undo?.includes('step 5') === true);
    await watched.controller.undo();
    await watched.waitForStep(20);
    expect(watched.view.snapshot().undo).toBeNull();
    expect(watched.view.history.get('loss/batch')?.data()).toEqual(before);
    const session = new TrainingSession(compileRun(newSpecTemplate), newSpecTemplate);
    session.seek(20);
    expect(
      TrainingSession.resume(session.run, (await watched.controller.captureRecord()) as RunRecord).stateHash(),
    ).toBe(session.stateHash());
    // There is nothing left to undo.
    await watched.controller.undo();
    expect(watched.view.frame?.position.step).toBe(20);
  });

  it('does not restart an engine on its own', async () => {
    const watched = await openController();
    await watched.waitForStep(0);
    watched.kill();
    await watched.waitUntil(() => watched.view.state.kind === 'stopped');
    watched.edit(newSpecTemplate.replace('"tanh"', '"relu"'));
    await watched.controller.command({ type: 'step' });
    expect(watched.controller.engineProcessId).toBeUndefined();
    await watched.controller.startOver();
    await watched.waitUntil(() => watched.view.state.kind === 'run');
    expect(watched.view.model?.layers[1].kind).toBe('relu');
  });

  it('forwards the console output of a custom layer, and replays the current step in another process', async () => {
    await writeFile(
      join(folder, 'own.layer.ts'),
      'export default { forward({ x, ops }) { console.warn("shape", x.shape); return ops.tanh(x); } };',
    );
    const watched = await openController(
      '{ "data": "circles", "layers": [{ "type": "custom", "module": "./own.layer.ts" }, { "type": "linear", "out_features": 2 }], "loss": "cross_entropy" }',
    );
    await watched.waitForStep(0);
    await watched.controller.command({ type: 'runToStep', step: 3 });
    await watched.waitForStep(3);
    await watched.waitUntil(() => watched.warnings.length > 0);
    expect(watched.warnings[0]).toMatch(/^own1: shape \[ \d+, 2 \]$/);
    expect(await watched.controller.createReplayRequest()).toMatchObject({
      open: { folder, allowCustomLayers: true },
      from: { position: { step: 3, phase: 0 }, checkpoint: { step: 2 } },
      steps: 1,
    });
    watched.kill();
    await watched.waitUntil(() => watched.view.state.kind === 'stopped');
    expect(await watched.controller.createReplayRequest()).toMatchObject({
      from: { text: watched.controller.analysis.text },
      steps: Infinity,
    });
  });

  it('reloads a changed layer once, however often it is reported, and continues to the target', async () => {
    const code = (factor: number): string => `export default { forward: ({ x, ops }) => ops.multiply(x, ${factor}) };`;
    const file = join(folder, 'own.layer.ts');
    await writeFile(file, code(1));
    const watched = await openController(
      '{ "data": "circles", "layers": [{ "type": "custom", "module": "./own.layer.ts" }, { "type": "linear", "out_features": 2 }], "loss": "cross_entropy", "epochs": 1000 }',
    );
    await watched.waitForStep(0);
    await watched.controller.handleFileChange(file);
    const begun = (): number => watched.messages.filter(({ type }) => type === 'snapshot').length;
    const before = begun();
    await watched.controller.command({ type: 'runToStep', step: 2000 });
    await watched.waitUntil(() => watched.controller.isRunning);
    await writeFile(file, code(2));
    await Promise.all([watched.controller.handleFileChange(file), watched.controller.handleFileChange(file)]);
    await watched.controller.handleFileChange(file);
    expect(begun()).toBe(before + 1);
    await watched.waitForStep(2000);
  });

  it('reports a reload, and repeats a check that failed with the previous code', async () => {
    const code = (derivative: string): string =>
      `export default { forward: ({ x, ops }) => ops.multiply(x, 3), backward: ({ dy, ops }) => ({ dx: ops.multiply(dy, ${derivative}) }) };`;
    const file = join(folder, 'own.layer.ts');
    await writeFile(file, code('2'));
    const watched = await openController(
      '{ "data": "circles", "layers": [{ "type": "linear", "out_features": 2 }, { "type": "custom", "module": "./own.layer.ts" }], "loss": "cross_entropy" }',
    );
    await watched.controller.command({ type: 'runToStep', step: 2 });
    await watched.waitForStep(2);
    await watched.controller.check();
    const wrong = watched.view.checkReport?.counts.wrong ?? 0;
    expect(wrong).toBeGreaterThan(0);
    await writeFile(file, code('3'));
    await watched.controller.handleFileChange(file);
    expect(watched.view.checkReport).toMatchObject({ passed: true, counts: { wrong: 0 } });
    expect(watched.notices).toEqual([
      expect.stringMatching(/^own\.layer\.ts reloaded\. Step 2 /),
      expect.stringMatching(new RegExp(`\\b${wrong} wrong before, 0 now`)),
    ]);
  });
});
