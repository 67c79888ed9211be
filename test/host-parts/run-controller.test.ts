// A run controller with a real engine process, without an editor around it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newSpecText } from '../../src/host/new-spec-text';
import { RunController } from '../../src/host/run-controller';
import { RunStore } from '../../src/host/run-store';
import { readSpecText } from '../../src/host/spec-text';
import type { ToPanel } from '../../src/protocol/panel';
import type { Frame } from '../../src/session/frame';
import type { RunRecord } from '../../src/session/record';
import { TrainingSession } from '../../src/session/session';
import type { Problem } from '../../src/spec';
import { type BuiltEngine, buildEngine } from '../process/built-engine';
import { runOf } from '../support/run';

let built: BuiltEngine;
let folder: string;
let store: RunStore;
const controllers: Watched[] = [];

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

/** A controller and everything that it said. */
class Watched {
  readonly controller: RunController;
  readonly messages: ToPanel[] = [];
  readonly frames: Frame[] = [];
  found: readonly Problem[] = [];
  readonly warnings: string[] = [];
  readonly infos: string[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(text: string, wideVectors: boolean) {
    this.controller = new RunController(
      {
        place: { uri: 'file:///spec.nabla.json', file: 'spec.nabla.json', folder, root: folder },
        store,
        log: { info: (text) => void (this.infos.push(text), this.#wake()), warn: (text) => void this.warnings.push(text), error: () => {}, debug: () => {} },
        permission: () => 'allowed',
        engineFile: built.file,
        checkpointBudget: () => 64 * 2 ** 20,
        wideVectors: () => wideVectors,
        dataFolders: () => [],
        read: readSpecText,
        tell: (message) => {
          this.messages.push(message);
          this.#wake();
        },
        show: (frame) => {
          this.frames.push(frame);
          this.#wake();
          return Promise.resolve();
        },
        found: (problems) => {
          this.found = problems;
        },
      },
      readSpecText(text),
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
    this.controller.textChanged(readSpecText(text));
  }

  async until(question: () => boolean): Promise<void> {
    while (!question()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  async at(step: number): Promise<void> {
    await this.until(() => this.view.frame?.target === null && this.view.frame.position.step === step);
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

async function opened(text = newSpecText, wideVectors = false): Promise<Watched> {
  const watched = new Watched(text, wideVectors);
  await watched.controller.start();
  return watched;
}

const csv = (path: string): string =>
  `{ "data": { "type": "csv", "path": "${path}", "target": "y" }, "layers": [{ "type": "linear", "out_features": 1 }], "loss": "mse" }`;

describe('a run controller', () => {
  it('opens a spec, and its snapshot is all that a new panel needs', async () => {
    const watched = await opened();
    await watched.at(0);
    await watched.controller.command({ type: 'runToStep', step: 5 });
    await watched.at(5);
    const { state, model, frame, history, problems } = watched.view.snapshot();
    expect(state).toEqual({ kind: 'run' });
    expect(model?.name).toBe('circles');
    expect(frame?.position.step).toBe(5);
    expect([...history['loss/batch'].steps]).toEqual([1, 2, 3, 4, 5]);
    expect(problems).toEqual([]);
  });

  it('lists what is wrong, with the line, and begins once it is right', async () => {
    const watched = await opened(newSpecText.replace('"tanh"', '"tang"'));
    expect(watched.view.state).toEqual({ kind: 'problems' });
    expect(watched.view.problems).toMatchObject([{ severity: 'error', line: 7, column: 5 }]);
    watched.edit(newSpecText);
    await watched.until(() => watched.view.state.kind === 'run');
    expect(watched.view.problems).toEqual([]);
  });

  it('says in a notice what a command cannot do', async () => {
    const watched = await opened();
    await watched.controller.command({ type: 'seek', step: 99 });
    expect(watched.notices).toEqual([expect.stringContaining('was not reached yet')]);
  });

  it('tries a spec whose data is missing once, and keeps what it found with the text', async () => {
    const watched = await opened(csv('none.csv'));
    expect(watched.view.state).toEqual({ kind: 'problems' });
    expect(watched.found.map(({ message }) => message)).toEqual(['There is no file "none.csv".']);
    watched.controller.edited([{ offset: 0, length: 0, text: '// moved\n' }]);
    watched.edit(`// moved\n${csv('none.csv')}`);
    expect(watched.view.problems).toMatchObject([{ line: 2, column: csv('none.csv').indexOf('"none.csv"') + 1 }]);
    watched.edit(newSpecText);
    await watched.until(() => watched.view.state.kind === 'run');
    expect(watched.found).toEqual([]);
  });

  it('leaves a run alone whose new data is missing', async () => {
    const watched = await opened();
    await watched.at(0);
    const { model } = watched.view;
    watched.edit(csv('none.csv'));
    await watched.until(() => watched.view.problems.length > 0);
    expect(watched.view.model).toBe(model);
    await watched.controller.command({ type: 'step' });
    await watched.at(1);
    watched.edit(newSpecText);
    expect(watched.view.problems).toEqual([]);
    expect(watched.view.model).toBe(model);
  });

  it('opens the last of many edits', async () => {
    const watched = await opened();
    for (let units = 1; units <= 12; units++) watched.edit(newSpecText.replace('16 }', `${units} }`));
    await watched.until(() => watched.view.model?.layers[0].outputShape[0] === 12);
    await watched.until(() => watched.view.frame?.layers.length === 3);
    expect(watched.view.state).toEqual({ kind: 'run' });
  });

  it('goes back to the text that it runs without a new run, when an edit was undone', async () => {
    const watched = await opened();
    await watched.controller.command({ type: 'step' });
    await watched.at(1);
    const { model } = watched.view;
    watched.edit(newSpecText.replace('"tanh"', '"tan"'));
    watched.edit(newSpecText);
    await watched.controller.command({ type: 'step' });
    await watched.at(2);
    expect(watched.view.model).toBe(model);
  });

  it('goes on where it was left, with its history', async () => {
    const first = await opened();
    await first.controller.command({ type: 'runToStep', step: 60 });
    await first.at(60);
    await first.controller.command({ type: 'seek', step: 40 });
    await first.at(40);
    const { loss } = first.view.frame ?? {};
    await first.controller.dispose();

    const second = await opened(`// the same\n${newSpecText}`);
    await second.at(40);
    expect(second.view.frame).toMatchObject({ loss, frontier: 60 });
    expect(second.view.history.get('loss/batch')?.length).toBe(60);
    expect(second.notices).toEqual(['The run goes on where it was left, at step 40.']);
  });

  it('begins anew when the spec changed meanwhile, and says so', async () => {
    const first = await opened();
    await first.controller.command({ type: 'step' });
    await first.at(1);
    await first.controller.dispose();
    const second = await opened(newSpecText.replace('"tanh"', '"relu"'));
    await second.at(0);
    expect(second.notices).toEqual(['The run kept from before is of another version of this spec. A new run begins.']);
  });

  it('goes on when only its length changed, and not beyond its new end', async () => {
    const watched = await opened();
    await watched.controller.command({ type: 'runToStep', step: 50 });
    await watched.at(50);
    const total = watched.view.model?.totalSteps ?? 0;
    watched.edit(newSpecText.replace('"epochs": 100', '"epochs": 200'));
    await watched.until(() => watched.view.model?.totalSteps === 2 * total);
    await watched.at(50);
    watched.edit(newSpecText.replace('"epochs": 100', '"epochs": 1'));
    await watched.until(() => watched.view.model?.epochs === 1);
    await watched.at(0);
    expect(watched.notices).toEqual([
      'The spec changed in what leaves every step as it was: the run goes on.',
      'The spec changed: a new run began.',
    ]);
  });

  it('keeps training over an edit', async () => {
    const long = newSpecText.replace('"epochs": 100', '"epochs": 1000000');
    const watched = await opened(long);
    await watched.controller.command({ type: 'run' });
    await watched.until(() => watched.view.frame?.status === 'running');
    watched.edit(long.replace('"tanh"', '"relu"'));
    await watched.until(() => watched.view.model?.layers[1].kind === 'relu' && watched.view.frame?.status === 'running');
    await watched.until(() => (watched.view.frame?.position.step ?? 0) > 3);
  });

  it('settles a check when the engine dies, and is restored', async () => {
    const watched = await opened(newSpecText.replace('16 }', '512 }'));
    await watched.controller.command({ type: 'runToStep', step: 20 });
    await watched.at(20);
    const { loss } = watched.view.frame ?? {};
    const checking = watched.controller.check();
    await watched.until(() => (watched.view.checking?.checked ?? 0) > 0);
    watched.kill();
    await checking;
    expect(watched.view.checking).toBeNull();
    expect(watched.view.state).toMatchObject({ kind: 'stopped', restorable: true, step: 20 });
    await watched.controller.restore();
    await watched.at(20);
    expect(watched.view.frame?.loss).toBe(loss);
    expect(watched.view.history.get('loss/batch')?.length).toBe(20);
  });

  it('goes on without vectors of 256 bits when the engine dies with them, and computes the same', async () => {
    const large = newSpecText.replace('16 }', '1024 }').replace('0.1,', '0.001,').replace('"layers": [', '"layers": [{ "type": "linear", "out_features": 1024 }, "tanh",');
    const watched = await opened(large, true);
    const tried = (): number => watched.infos.filter((text) => text.includes('256 bits')).length;
    await watched.at(0);
    expect(tried()).toBe(0);
    await watched.controller.command({ type: 'run' });
    await watched.until(() => tried() > 0 && watched.view.frame?.status === 'running');
    watched.kill();
    await watched.until(() => watched.notices.some((text) => /killed from outside.*256 bits.*goes on from step \d+ without them/.test(text)));
    const step = watched.view.frame?.position.step ?? 0;
    await watched.until(() => (watched.view.frame?.position.step ?? 0) > step + 3);
    expect(watched.view.frame?.status).toBe('running');
    // The same work has long been done again, and more.
    await watched.controller.command({ type: 'pause' });
    expect(tried()).toBe(1);
    const record = (await watched.controller.record()) as RunRecord;
    const session = new TrainingSession(runOf(large), large);
    session.seek(record.position.step);
    expect(TrainingSession.resume(session.run, record).hash()).toBe(session.hash());
    // The next death is not theirs.
    watched.kill();
    await watched.until(() => watched.view.state.kind === 'stopped');
    expect(watched.view.state).toMatchObject({ restorable: true });
  });

  it('keeps over a crash what was set by hand, to the bit', async () => {
    const watched = await opened();
    await watched.controller.command({ type: 'runToStep', step: 20 });
    await watched.at(20);
    const weight = { parameter: watched.view.model?.layers[0].parameters[0].name ?? '', index: 1, value: 0.25 };
    await watched.controller.command({ type: 'setWeights', weights: [weight] });
    await watched.controller.command({ type: 'runToStep', step: 24 });
    await watched.at(24);
    watched.kill();
    await watched.until(() => watched.view.state.kind === 'stopped');
    await watched.controller.restore();
    await watched.at(24);
    const session = new TrainingSession(runOf(newSpecText), newSpecText);
    session.seek(20);
    session.setWeights([weight]);
    session.seek(24);
    const restored = TrainingSession.resume(session.run, (await watched.controller.record()) as RunRecord);
    expect(restored.hash()).toBe(session.hash());
    expect(watched.view.frame?.loss).toBe(session.loss);
  });

  it('takes back what was changed by hand, the last first, with the steps that were forgotten', async () => {
    const watched = await opened();
    await watched.controller.command({ type: 'runToStep', step: 20 });
    await watched.at(20);
    const before = watched.view.history.get('loss/batch')?.data();
    expect(watched.view.snapshot().undo).toBeNull();
    await watched.controller.command({ type: 'fork', step: 5, lr: 0.5, seed: 3 });
    await watched.at(5);
    await watched.controller.command({ type: 'setWeights', weights: [{ parameter: watched.view.model?.layers[0].parameters[0].name ?? '', index: 0, value: 2 }] });
    expect(watched.view.snapshot().undo).toMatch(/^setting /);
    await watched.controller.undo();
    await watched.until(() => watched.view.snapshot().undo === 'the other way on from step 5');
    await watched.controller.undo();
    await watched.at(20);
    expect(watched.view.snapshot().undo).toBeNull();
    expect(watched.view.history.get('loss/batch')?.data()).toEqual(before);
    const session = new TrainingSession(runOf(newSpecText), newSpecText);
    session.seek(20);
    expect(TrainingSession.resume(session.run, (await watched.controller.record()) as RunRecord).hash()).toBe(session.hash());
    // Nothing is left to be taken back.
    await watched.controller.undo();
    expect(watched.view.frame?.position.step).toBe(20);
  });

  it('does not start an engine again by itself', async () => {
    const watched = await opened();
    await watched.at(0);
    watched.kill();
    await watched.until(() => watched.view.state.kind === 'stopped');
    watched.edit(newSpecText.replace('"tanh"', '"relu"'));
    await watched.controller.command({ type: 'step' });
    expect(watched.controller.engineProcessId).toBeUndefined();
    await watched.controller.startOver();
    await watched.until(() => watched.view.state.kind === 'run');
    expect(watched.view.model?.layers[1].kind).toBe('relu');
  });

  it('of a layer of the user hands on what it writes to the console, and does the step shown again elsewhere', async () => {
    await writeFile(join(folder, 'own.layer.ts'), 'export default { forward({ x, ops }) { console.warn("shape", x.shape); return ops.tanh(x); } };');
    const watched = await opened('{ "data": "circles", "layers": [{ "type": "custom", "module": "./own.layer.ts" }, { "type": "linear", "out_features": 2 }], "loss": "cross_entropy" }');
    await watched.at(0);
    await watched.controller.command({ type: 'runToStep', step: 3 });
    await watched.at(3);
    await watched.until(() => watched.warnings.length > 0);
    expect(watched.warnings[0]).toMatch(/^own1: shape \[ \d+, 2 \]$/);
    expect(await watched.controller.stepsAgain()).toMatchObject({ open: { folder, code: true }, from: { position: { step: 3, phase: 0 }, checkpoint: { step: 2 } }, steps: 1 });
    watched.kill();
    await watched.until(() => watched.view.state.kind === 'stopped');
    expect(await watched.controller.stepsAgain()).toMatchObject({ from: { text: watched.controller.text }, steps: Infinity });
  });

  it('takes up a change of a layer once, however often it is told, and goes on to where it was to go', async () => {
    const code = (factor: number): string => `export default { forward: ({ x, ops }) => ops.multiply(x, ${factor}) };`;
    const file = join(folder, 'own.layer.ts');
    await writeFile(file, code(1));
    const watched = await opened('{ "data": "circles", "layers": [{ "type": "custom", "module": "./own.layer.ts" }, { "type": "linear", "out_features": 2 }], "loss": "cross_entropy", "epochs": 1000 }');
    await watched.at(0);
    await watched.controller.fileChanged(file);
    const begun = (): number => watched.messages.filter(({ type }) => type === 'snapshot').length;
    const before = begun();
    await watched.controller.command({ type: 'runToStep', step: 2000 });
    await watched.until(() => watched.controller.running);
    await writeFile(file, code(2));
    await Promise.all([watched.controller.fileChanged(file), watched.controller.fileChanged(file)]);
    await watched.controller.fileChanged(file);
    expect(begun()).toBe(before + 1);
    await watched.at(2000);
  });
});
