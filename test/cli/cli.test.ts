// The command as people run it: its output, its streams, and its exit code.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCli, type BuiltCli, root } from './built-cli';
import { commands } from '../../src/cli/commands';
import { TrainingSession } from '../../src/session/session';
import { compileRun } from '../support/session-fixtures';
import '../support/allclose';

let cli: BuiltCli;
let folder: string;

beforeAll(async () => {
  cli = await buildCli();
  folder = mkdtempSync(join(tmpdir(), 'nablascope-cli-'));
});

afterAll(() => {
  cli?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** A file in the test's folder. */
function file(name: string, content: string | object): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const example = (name: string): string => join('examples', `${name}.nabla.json`);

/** The result of a call with --json: stdout is JSON in any case. */
async function json<Answer>(...words: string[]): Promise<{ code: number | null; answer: Answer }> {
  const { code, out, err } = await cli.run([...words, '--json']);
  expect(err).toBe('');
  return { code, answer: JSON.parse(out) as Answer };
}

interface TensorJson {
  readonly shape: number[];
  readonly value: number[][];
  readonly gradient: number[][];
}

interface TraceJson {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number | string;
  readonly input: TensorJson;
  readonly target: Omit<TensorJson, 'gradient'>;
  readonly layers: readonly {
    readonly name: string;
    readonly kind: string;
    readonly output: TensorJson;
    readonly parameters: readonly {
      name: string;
      shape: number[];
      frozen: boolean;
      before: number[][];
      gradient: number[][];
      after: number[][];
    }[];
  }[];
}

interface CheckJson {
  readonly command: string;
  readonly passed: boolean;
  readonly complete: boolean;
  readonly step: number;
  readonly samples: number;
  readonly entries: number;
  readonly checked: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly problems: readonly { readonly severity: string; readonly code: string }[];
  readonly parameters: readonly {
    readonly name: string;
    readonly verdict: string;
    readonly worst: { readonly index: number[]; readonly relativeError: number } | null;
  }[];
}

interface SeriesJson {
  readonly stride: number;
  readonly steps: number[];
  readonly low: number[];
  readonly high: number[];
}

interface TrainJson {
  readonly outcome: string;
  readonly steps: number;
  readonly epochs: number;
  readonly hash: string;
  readonly diverged: { readonly step: number; readonly where: string } | null;
  readonly failedCheck: { readonly step: number } | null;
  readonly evaluation: Readonly<Record<string, { readonly loss: number; readonly accuracy: number | null }>>;
  readonly series: Readonly<Record<string, SeriesJson>>;
  readonly fork:
    (Omit<TrainJson, 'fork' | 'epochs' | 'failedCheck'> & { readonly at: number; readonly own: object }) | null;
}

describe('nablascope check', () => {
  it('prints a line per parameter and one sentence, and exits with 0', async () => {
    const { code, out, err } = await cli.run(['check', example('circles')]);
    expect(err).toBe('');
    expect(code).toBe(0);
    const lines = out.split('\n');
    expect(lines[0]).toBe('Two circles: step 0, 32 samples, loss 0.71306');
    expect(lines).toContain('Backprop agrees with numeric derivatives at all 22 entries.');
    expect(out).toMatch(/\n\d+ entries .*shortcuts.* \d\.\de-1\d\.\n$/);
    expect(out).not.toContain('Why:');
    expect(lines.find((line) => line.startsWith('hidden.weight'))).toMatch(/^hidden\.weight +4×2 +8 +8 +8 .* pass$/);
    expect(out).not.toContain('\u001b');
  });

  it('checks after some training steps, on the batch of that step', async () => {
    const { code, answer } = await json<CheckJson>('check', example('circles'), '--step', '37');
    expect(code).toBe(0);
    expect(answer).toMatchObject({
      command: 'check',
      step: 37,
      samples: 32,
      entries: 22,
      checked: 22,
      complete: true,
      passed: true,
    });
    expect(answer.parameters.map(({ name }) => name)).toEqual([
      'hidden.weight',
      'hidden.bias',
      'output.weight',
      'output.bias',
    ]);
  });

  it('does not call a zero gradient a pass, and says why it is inconclusive', async () => {
    const { code, out, err } = await cli.run(['check', example('scalar-network')]);
    expect(code).toBe(0);
    expect(out).toContain(
      'Backprop agrees with numeric derivatives at 8 of 17 entries; 9 are smaller than round-off can resolve.',
    );
    const place = String.raw`examples[/\\]scalar-network\.nabla\.json:\d+:\d+: warning: `;
    expect(err).toMatch(new RegExp(`^${place}.* \\[equal-units\\]\n${place}.* linear2 .* 0.* \\[equal-outgoing\\]\n$`));
  });

  it('exits with 1 when backprop is not the derivative of the loss', async () => {
    const saturated = file('saturated.nabla.json', {
      data: { type: 'inline', inputs: [[1]], targets: [[1]] },
      layers: [{ type: 'linear', weight: [[-15]], bias: [-15] }, 'sigmoid'],
      loss: 'bce',
      batch_size: 1,
      precision: 'float64',
    });
    const { code, out } = await cli.run(['check', saturated]);
    expect(code).toBe(1);
    expect(out).toMatch(
      /Backprop is wrong at 2 of 2 entries, worst at linear1\.(weight \[0, 0\]|bias \[0\]): backprop says -0\.0935\d*, the numeric derivative is -1\./,
    );
    expect(out).toMatch(
      /\nWhy: .*\bbce\b.* 0\.0\d+ times .*\(at \[0, 0\] .*\).*\blinear1\.weight\b.*\blinear1\.bias\b.*\bline 1\b/,
    );
    const { code: again, answer } = await json<CheckJson>('check', saturated);
    expect(again).toBe(1);
    expect(answer).toMatchObject({
      compared: { agreed: true },
      diagnosis: { layer: null, kind: 'bce', tensor: 'prediction', cause: 'factor', residual: expect.any(Number) },
    });
    expect(answer).toMatchObject({
      passed: false,
      counts: { wrong: 2 },
      parameters: [{ verdict: 'wrong', worst: { index: [0, 0] } }, {}],
    });
  });

  it('exits with 1 when the check is inconclusive', async () => {
    const flat = file('flat.nabla.json', {
      data: { type: 'inline', inputs: [[0]], targets: [[1]] },
      layers: [{ type: 'linear', weight: [[1]], bias: false }],
      loss: 'mse',
      batch_size: 1,
      precision: 'float64',
    });
    const { code, out } = await cli.run(['check', flat]);
    expect(code).toBe(1);
    expect(out).toContain('1 is smaller than round-off can resolve');
  });

  it('says where a run diverged before the requested step', async () => {
    const steep = file('steep.nabla.json', {
      data: { type: 'inline', inputs: [[1], [2]], targets: [[1], [3]] },
      layers: [{ type: 'linear', weight: [[1]], bias: [0] }],
      loss: 'mse',
      optimizer: { type: 'sgd', lr: 1e6 },
      batch_size: 2,
      epochs: 1000,
      precision: 'float64',
    });
    const { code, err, out } = await cli.run(['check', steep, '--step', '500']);
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toMatch(/^The run diverged in step \d+: .* lower the learning rate/m);
    const { answer } = await json<{ diverged: { step: number } }>('check', steep, '--step', '500');
    expect(answer.diverged.step).toBeGreaterThan(1);
  });
});

describe('nablascope trace', () => {
  it('gives worked example 1 to the printed digits', async () => {
    const { code, answer } = await json<TraceJson>('trace', example('worked-example-1'));
    expect(code).toBe(0);
    const [hidden, , output, prediction] = answer.layers;
    expect(prediction.output.value[0].map((y) => y.toFixed(9))).toEqual(['0.751365070', '0.772928465']);
    expect((answer.loss as number).toFixed(9)).toBe('0.298371109');
    expect(output.parameters[0].gradient[0][0].toFixed(9)).toBe('0.082167041');
    expect(output.parameters[0].after[0][0].toFixed(8)).toBe('0.35891648');
    expect(hidden.parameters[0].after[0][0].toFixed(9)).toBe('0.149780716');
    expect(hidden.parameters[1]).toMatchObject({
      name: 'bias',
      frozen: true,
      before: [0.35, 0.35],
      after: [0.35, 0.35],
    });
    const { answer: next } = await json<TraceJson>('trace', example('worked-example-1'), '--step', '2');
    expect((next.loss as number).toFixed(9)).toBe('0.291027774');
  });

  it('prints the same for people', async () => {
    const { code, out } = await cli.run(['trace', example('worked-example-1')]);
    expect(code).toBe(0);
    for (const printed of [
      '0.751365070  0.772928465',
      '0.082167041',
      '0.149780716',
      '0.35891648',
      'value  0.298371109',
      'bias is frozen',
    ]) {
      expect(out).toContain(printed);
    }
  });

  it('reproduces system C to the last digit', async () => {
    const { answer } = await json<TraceJson>('trace', example('scalar-network'));
    const [hidden, , output] = answer.layers;
    const g = 0.44039853898894116;
    // The course's W2 is the transpose: its rows belong to hidden units.
    expect(output.parameters[0].gradient).toBeAllclose(
      [
        [-g, -g, -g],
        [g, g, g],
      ],
      { rtol: 2e-16 },
    );
    expect(output.parameters[1].gradient).toEqual([-0.5, 0.5]);
    expect(hidden.parameters.map(({ gradient }) => gradient)).toEqual([
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      [0, 0, 0],
    ]);
    expect(answer.input.gradient).toEqual([[0, 0]]);
    expect(output.parameters[0].after).toBeAllclose(
      [
        [1.0440398538988942, -0.9559601461011059, -0.9559601461011059],
        [0.9559601461011059, -1.0440398538988942, -1.0440398538988942],
      ],
      { rtol: 2e-16 },
    );
    expect(output.parameters[1].after).toEqual([0.05, -0.05]);
  });

  it('prints every tensor in its own shape, with one gradient per value', async () => {
    const { answer } = await json<TraceJson>('trace', example('circles'), '--step', '9');
    expect(answer).toMatchObject({ step: 9, epoch: 2 });
    const shape = (values: unknown): number[] => (Array.isArray(values) ? [values.length, ...shape(values[0])] : []);
    const tensors = [answer.input, ...answer.layers.map(({ output }) => output)];
    expect(tensors.map((tensor) => tensor.shape)).toEqual([
      [32, 2],
      [32, 4],
      [32, 4],
      [32, 2],
    ]);
    for (const tensor of tensors) {
      expect(shape(tensor.value)).toEqual(tensor.shape);
      expect(shape(tensor.gradient)).toEqual(tensor.shape);
    }
    expect(shape(answer.target.value)).toEqual([32, 2]);
    const ones = (answer.target.value as number[][]).filter(([, second]) => second === 1).length / 32;
    expect(answer).toMatchObject({ largestClass: Math.max(ones, 1 - ones) });
    for (const { parameters } of answer.layers) {
      for (const { shape: own, before, gradient, after } of parameters) {
        expect([shape(before), shape(gradient), shape(after)]).toEqual([own, own, own]);
      }
    }
    // A step starts from the result of the previous one.
    const { answer: next } = await json<TraceJson>('trace', example('circles'), '--step', '10');
    expect(next.layers[0].parameters[0].before).toEqual(answer.layers[0].parameters[0].after);
  });

  it('shows the first rows of a large matrix and how many are hidden', async () => {
    const { out } = await cli.run(['trace', example('circles')]);
    expect(out).toContain('… 24 more rows; --full shows all');
    const { out: full } = await cli.run(['trace', example('circles'), '--full']);
    expect(full).not.toContain('more rows');
    expect(full.split('\n').length).toBeGreaterThan(32 * 7);
  });

  it('writes NaN and infinities as strings, and exits with 1', async () => {
    const infinite = file('infinite.nabla.json', {
      data: { type: 'inline', inputs: [[1]], labels: [0], classes: 2 },
      layers: [{ type: 'linear', weight: [[-1000], [1000]], bias: false }, 'softmax'],
      loss: 'cross_entropy_on_probabilities',
      batch_size: 1,
      precision: 'float64',
    });
    const { code, out, err } = await cli.run(['trace', infinite, '--json']);
    expect(code).toBe(1);
    expect(err).toMatch(/^The run diverged in step 1: loss, value was the first to become Infinity\./);
    const answer = JSON.parse(out) as TraceJson;
    expect(answer.loss).toBe('Infinity');
    expect(answer.layers[1].output.gradient).toEqual([['-Infinity', 0]]);
  });
});

describe('nablascope train', () => {
  it('says that the losses of splits exclude the penalty, if there is one', async () => {
    const [plain, penalized] = await Promise.all(
      ['circles', 'svm'].map((name) => cli.run(['train', example(name), '--steps', '1'])),
    );
    expect(plain.out).not.toContain('penalty');
    expect(penalized.out).toContain('exclude the penalty');
  });

  it('prints the losses of all splits and exits with 0', async () => {
    const { code, out, err } = await cli.run(['train', example('circles')]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /^Two circles: 2 → 4 → tanh → 2, cross_entropy, sgd with lr 0\.1, float32, wasm-relaxed-simd\n/,
    );
    for (const part of ['train', 'validation', 'test'])
      expect(out).toMatch(new RegExp(`^${part} +0\\.\\d+( +\\d+\\.\\d %){2}$`, 'm'));
    expect(out).toMatch(/Trained 800 steps in \d/);
  });

  it.each([['train'], ['check'], ['trace', '--step', '1']])('%s names the backend', async (...call) => {
    const [command, ...rest] = call;
    const text = readFileSync(example('circles'), 'utf8');
    const portable = file('portable.nabla.json', text.replace('"name"', '"deterministic": "portable", "name"'));
    for (const [which, backend] of [
      [example('circles'), 'wasm-relaxed-simd'],
      [portable, 'wasm-simd'],
    ]) {
      const { answer } = await json<{ backend: string }>(
        command,
        which,
        ...rest,
        ...(command === 'train' ? ['--epochs', '1'] : []),
      );
      expect(answer.backend).toBe(backend);
    }
  });

  it('prints the series, identical every time', async () => {
    const run = () => json<TrainJson>('train', example('circles'), '--epochs', '20');
    const [{ code, answer }, { answer: again }] = [await run(), await run()];
    expect(code).toBe(0);
    expect(answer).toMatchObject({ outcome: 'finished', steps: 160, epochs: 20, diverged: null, failedCheck: null });
    expect(again.hash).toBe(answer.hash);
    expect(again.series).toEqual(answer.series);
    expect(Object.keys(answer.series).sort()).toEqual([
      'accuracy/test',
      'accuracy/train',
      'accuracy/validation',
      'loss/batch',
      'loss/test',
      'loss/train',
      'loss/validation',
    ]);
    for (const { stride, steps, low, high } of Object.values(answer.series)) {
      expect(stride).toBe(1);
      expect(low).toEqual(high);
      expect(low).toHaveLength(steps.length);
      expect(steps.at(-1)).toBe(160);
    }
    expect(answer.series['loss/train'].low.at(-1)).toBe(answer.evaluation.train.loss);
    expect(answer.series['loss/train'].low.at(-1)).toBeLessThan(answer.series['loss/train'].low[0]);
  });

  it('trains the requested number of steps, also within an epoch', async () => {
    const { answer } = await json<TrainJson>('train', example('circles'), '--steps', '13');
    expect(answer).toMatchObject({ outcome: 'finished', steps: 13, epochs: 13 / 8 });
    const { answer: longer } = await json<TrainJson>('train', example('circles'), '--epochs', '200');
    expect(longer.steps).toBe(1600);
  });

  it('forks the run from a step with another learning rate and seed, bit for bit the same up to there', async () => {
    const { code, answer } = await json<TrainJson>(
      'train',
      example('circles'),
      '--steps',
      '40',
      '--fork-at',
      '15',
      '--lr',
      '0.02',
      '--seed',
      '7',
    );
    const { answer: plain } = await json<TrainJson>('train', example('circles'), '--steps', '40');
    expect(code).toBe(0);
    expect(plain.fork).toBeNull();
    expect({ hash: answer.hash, series: answer.series }).toEqual({ hash: plain.hash, series: plain.series });
    expect(answer.fork).toMatchObject({
      at: 15,
      lr: 0.02,
      seed: 7,
      own: { lr: 0.1, seed: 1 },
      outcome: 'finished',
      diverged: null,
      steps: 40,
    });
    // The same with a session, step by step.
    const text = readFileSync(example('circles'), 'utf8');
    const session = new TrainingSession(compileRun(text), text);
    for (let i = 0; i < 15; i++) session.step();
    session.setLearningRate(0.02);
    session.setSeed(7);
    const losses: (number | null)[] = [];
    for (let i = 15; i < 40; i++) {
      session.step();
      losses.push(session.loss);
    }
    expect(answer.fork?.hash).toBe(session.stateHash());
    expect(answer.fork?.hash).not.toBe(answer.hash);
    expect(answer.fork?.series['loss/batch'].steps).toEqual(losses.map((_, i) => 16 + i));
    expect(answer.fork?.series['loss/batch'].low).toEqual(losses);
    expect(answer.fork?.evaluation.train.loss).toBe(session.evaluate().train?.loss);
    // Without changes there is no difference.
    const { answer: same } = await json<TrainJson>(
      'train',
      example('circles'),
      '--steps',
      '40',
      '--fork-at',
      '15',
      '--lr',
      '0.1',
    );
    expect(same.fork?.hash).toBe(same.hash);
  });

  it('prints the run and the fork side by side', async () => {
    const { code, out } = await cli.run([
      'train',
      example('circles'),
      '--steps',
      '40',
      '--fork-at',
      '0',
      '--seed',
      '2',
    ]);
    expect(code).toBe(0);
    expect(out).toMatch(/^Fork at step 0, with seed 2 instead of 1:$/m);
    for (const part of ['train', 'validation', 'test'])
      expect(out).toMatch(new RegExp(`^${part}( +0\\.\\d+){2}( +\\d+\\.\\d %){3}$`, 'm'));
    const diverging = await cli.run([
      'train',
      example('noisy-sine'),
      '--steps',
      '200',
      '--fork-at',
      '10',
      '--lr',
      '1e9',
    ]);
    expect(diverging.code).toBe(1);
    expect(diverging.out).toMatch(/The fork: The run diverged in step \d+/);
  });

  it('stops when a run diverges, names the tensor, and exits with 1', async () => {
    const steep = file('steep2.nabla.json', {
      data: { type: 'inline', inputs: [[1], [2]], targets: [[1], [3]] },
      layers: [{ type: 'linear', weight: [[1]], bias: [0] }],
      loss: 'mse',
      optimizer: { type: 'sgd', lr: 1e6 },
      batch_size: 2,
      epochs: 1000,
      precision: 'float64',
    });
    const { code, answer } = await json<TrainJson>('train', steep);
    expect(code).toBe(1);
    expect(answer.outcome).toBe('diverged');
    expect(answer.diverged).toMatchObject({ step: answer.diverged?.step });
    expect((await cli.run(['train', steep])).out).toMatch(/The run diverged in step \d+: .* was the first to become/);
  });

  it('exits with 1 when a scheduled check fails', async () => {
    const guarded = file('guarded.nabla.json', {
      data: { type: 'inline', inputs: [[1]], targets: [[1]] },
      layers: [{ type: 'linear', weight: [[-15]], bias: [-15] }, 'sigmoid'],
      loss: 'bce',
      optimizer: { type: 'sgd', lr: 0.001 },
      batch_size: 1,
      epochs: 10,
      precision: 'float64',
      gradient_check: { every: 4 },
    });
    const { code, out } = await cli.run(['train', guarded]);
    expect(code).toBe(1);
    expect(out).toContain('Gradient check after step 4: Backprop is wrong at 2 of 2 entries');
    expect((await json<TrainJson>('train', guarded)).answer.failedCheck).toMatchObject({ step: 4 });
  });

  it('stops at Ctrl-C with the results so far, and exits with 130', async () => {
    const { code, out } = await cli.run(['train', example('circles'), '--epochs', '100000000'], { interrupt: true });
    expect(code).toBe(130);
    expect(out).toMatch(/Stopped after [\d,]+ steps? in /);
    expect(out).toMatch(/^train +0\.\d+/m);
  });
});

describe('a spec that cannot run', () => {
  it('reports file:line:column, what is wrong and what to do, and exits with 2', async () => {
    const bad = file(
      'bad.nabla.json',
      '{\n  "data": "circles",\n  "layers": [\n    "lineer"\n  ],\n  "loss": "cross_entropy"\n}\n',
    );
    for (const command of ['check', 'train', 'trace']) {
      const { code, out, err } = await cli.run([command, bad]);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toContain(`${bad}:4:5: error: `);
      expect(err).toContain('linear');
    }
    const { code, answer } = await json<{ problems: object[] }>('check', bad);
    expect(code).toBe(2);
    expect(answer.problems).toContainEqual(
      expect.objectContaining({ severity: 'error', file: bad, line: 4, column: 5, endLine: 4, endColumn: 13 }),
    );
  });

  it.each([
    ['empty', ''],
    ['truncated', '{ "layers": ['],
    ['not an object', '[1, 2]'],
    ['not JSON', 'layers: linear'],
    ['binary', '\u0000\u0001\u0002'],
  ])('is answered with problems, never with a stack: %s', async (name, text) => {
    const { code, err, out } = await cli.run(['check', file(`${name}.nabla.json`, text)]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/:\d+:\d+: error: .+ \[[a-z-]+\]\n$/);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it('reads data from below the current folder, or below its own folder', async () => {
    const spec = file('csv.nabla.json', {
      data: { type: 'csv', path: 'points.csv', target: 'class', task: 'classes' },
      layers: [{ type: 'linear', out_features: 2 }],
      loss: 'cross_entropy',
    });
    file('points.csv', 'x,y,class\n1,2,a\n2,1,b\n3,4,a\n4,3,b\n');
    for (const cwd of [folder, root]) {
      const { code, err } = await cli.run(['check', spec], { cwd });
      expect({ code, err }).toEqual({ code: 0, err: '' });
    }
    const outside = file('outside.nabla.json', {
      data: { type: 'csv', path: join(root, 'examples/data/marbles.csv'), task: 'classes' },
      layers: [{ type: 'linear', out_features: 3 }],
      loss: 'cross_entropy',
    });
    const { code, err } = await cli.run(['check', outside]);
    expect(code).toBe(2);
    expect(err).toContain('outside the workspace');
    expect((await cli.run(['check', outside, '--data-folder', join(root, 'examples')])).code).toBe(0);
    expect(
      (await cli.run(['check', outside, '--data-folder', 'examples', '--data-folder', 'docs'], { cwd: root })).code,
    ).toBe(0);
    expect((await cli.run(['check', outside, '--data-folder', join(root, 'docs')])).code).toBe(2);
  });
});

describe('an invalid call', () => {
  const xor = example('xor');
  it.each([
    [['chek', 'x.nabla.json'], 'unknown-command', 'check'],
    [['x.nabla.json'], 'missing-command', 'nablascope check x.nabla.json'],
    [['check'], 'missing-spec', 'nablascope check'],
    [['check', 'a', 'b'], 'too-many-specs', '2'],
    [['check', 'nowhere.nabla.json'], 'file-not-found', 'nowhere.nabla.json'],
    [['check', 'examples'], 'file-is-a-folder', 'examples'],
    [['check', xor, '--stp', '4'], 'unknown-option', '--step'],
    [['check', xor, '-x'], 'unknown-option', '-x'],
    [['check', xor, '--step'], 'missing-value', '--step'],
    [['check', xor, '--step=-1'], 'invalid-value', '"-1"'],
    [['check', xor, '--step', '1.5'], 'invalid-value', '"1.5"'],
    [['check', xor, '--data-folder'], 'missing-value', '--data-folder'],
    [['check', xor, '--json=yes'], 'unexpected-value', '--json'],
    [['check', xor, '--step', '1000000'], 'step-out-of-range', '1,000,000'],
    [['trace', xor, '--step', '0'], 'invalid-value', '"0"'],
    [['trace', xor, '--step', '301'], 'step-out-of-range', '301'],
    [['train', xor, '--steps', '3', '--epochs', '4'], 'conflicting-options', '--epochs'],
    [['train', xor, '--lr', '0.1'], 'missing-option', '--fork-at'],
    [['train', xor, '--fork-at', '2'], 'missing-option', '--lr'],
    [['train', xor, '--fork-at', '2', '--lr', '0'], 'invalid-value', '"0"'],
    [['train', xor, '--steps', '3', '--fork-at', '3', '--lr', '1'], 'step-out-of-range', 'step 3'],
    [['train', xor, '--steps', '0', '--fork-at', '0', '--lr', '1'], 'step-out-of-range', 'step 0'],
    [['report', xor], 'missing-option', '--out'],
  ])('%j: one line and exit code 2; with --json, the code %s', async (words, code, named) => {
    const plain = await cli.run(words);
    expect({ code: plain.code, out: plain.out }).toEqual({ code: 2, out: '' });
    expect(plain.err).toMatch(/^nablascope: .+\n$/);
    expect(plain.err).toContain(named);
    const { code: exit, answer } = await json<{ command: string; error: Record<string, string> }>(...words);
    expect(exit).toBe(2);
    expect(answer).toEqual({
      command: words[0],
      error: { code, message: expect.any(String) as string, remedy: expect.any(String) as string },
    });
    expect(plain.err).toBe(`nablascope: ${answer.error.message} ${answer.error.remedy}\n`);
  });
});

describe('help and version', () => {
  it('print on request; without a command, help is printed', async () => {
    const { code, out } = await cli.run([]);
    expect(code).toBe(0);
    for (const { name, summary } of commands) expect(out).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
    expect((await cli.run(['--help'])).out).toBe(out);
    expect((await cli.run(['help'])).out).toBe(out);
    const { version } = await import('../../package.json');
    expect((await cli.run(['--version'])).out).toBe(`${version}\n`);
    expect(JSON.parse((await cli.run(['--version', '--json'])).out)).toEqual({ command: 'version', version });
  });
});

describe('a closed pipe', () => {
  it.each([
    ['train', example('circles'), '--steps', '1'],
    ['check', example('circles'), '--json'],
    ['check', example('custom-layer'), '--allow-code'],
  ])('ends %s %s without success, a message or a stack', async (...words) => {
    expect(await cli.run(words, { closed: 'stdout' })).toEqual({ code: 141, out: '', err: '' });
  });

  it('of standard error does the same', async () => {
    expect(await cli.run(['check', 'nowhere.nabla.json'], { closed: 'stderr' })).toEqual({
      code: 141,
      out: '',
      err: '',
    });
  });
});

describe('nablascope cost', () => {
  it('measures both methods and counts their multiply-adds', async () => {
    const { code, answer } = await json<{
      complete: boolean;
      costs: {
        parameters: number;
        timed: number;
        backprop: number;
        naive: number;
        difference: number;
        macs: { backprop: number; naive: number };
      }[];
    }>('cost', example('circles'));
    expect(code).toBe(0);
    expect(answer.complete).toBe(true);
    expect(answer.costs[0].macs).toEqual({ backprop: 1280, naive: 11_264 });
    for (const { timed, parameters, backprop, naive, difference } of answer.costs) {
      expect(timed).toBeGreaterThan(0);
      expect(timed).toBeLessThanOrEqual(parameters);
      expect(Math.min(backprop, naive)).toBeGreaterThan(0);
      expect(difference).toBeLessThan(1e-4);
    }
  });
});
