// Diagnoses of networks that do not learn: the right finding first, and only fixes that help.
import { describe, expect, it } from 'vitest';
import { specRules } from '../../src/diagnostics';
import {
  diagnose,
  type DoctorContext,
  DoctorCancelledError,
  hasFailed,
  openTrial,
  repair,
  runTrial,
} from '../../src/doctor';
import { usualValues } from '../../src/doctor/usual-values';
import type { Layer } from '../../src/engine/custom/contract';
import { createCustomLayer } from '../../src/engine/custom/custom-layer';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import { Random } from '../../src/engine/random';
import { applyTextEdit, editSpec, loadRun } from '../../src/model-spec';
import { describeChecks } from '../../src/presentation/doctor-report';
import type { DoctorReport } from '../../src/protocol/doctor-report';
import { inMemoryFiles, noFiles } from '../support/data-files';

const linear = (out_features: number, more: object = {}): object => ({ type: 'linear', out_features, ...more });
const load = (text: string) => loadRun(text, noFiles, { rules: specRules });

const context: DoctorContext = {
  isCancelled: () => false,
  yieldToEventLoop: () => Promise.resolve(),
  now: () => 0,
  onProgress: () => undefined,
};

async function examine(spec: object, more: Partial<DoctorContext> = {}): Promise<DoctorReport> {
  const text = JSON.stringify(spec);
  const { run, spec: parsed, problems } = load(text);
  if (!run || !parsed) throw new Error(problems.map(({ message }) => message).join(' '));
  return diagnose(text, { run, spec: parsed, problems }, (variant) => Promise.resolve(load(variant)), {
    ...context,
    ...more,
  });
}

type LayerCall = Parameters<Layer['forward']>[0];

/** A network with a custom layer between two linear ones. */
async function examineCustom(forward: Layer['forward'], isRandom = false): Promise<DoctorReport> {
  const text = JSON.stringify({
    ...circles,
    layers: [linear(6), { type: 'custom', module: './own.layer.ts' }, 'tanh', linear(2)],
    epochs: 20,
  });
  const definition = createCustomLayer(
    { name: 'custom1', index: 1 },
    { defaultExport: { forward, random: isRandom }, locate: () => ({ file: '/own.layer.ts', line: 3, column: 1 }) },
    { enter: () => undefined, leave: () => undefined },
  ) as LayerDefinition;
  const loadCustom = (variant: string) =>
    loadRun(variant, noFiles, { rules: specRules, customLayers: { getDefinition: () => definition } });
  const { run, spec, problems } = loadCustom(text);
  if (!run || !spec) throw new Error(problems.map(({ message }) => message).join(' '));
  return diagnose(text, { run, spec, problems }, (variant) => Promise.resolve(loadCustom(variant)), context);
}

const circles = {
  data: { type: 'circles', samples: 80 },
  layers: [linear(6), 'tanh', linear(2)],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 0.5 },
  batch_size: 20,
  epochs: 200,
};
const moons = {
  ...circles,
  data: { type: 'moons', samples: 200 },
  layers: [linear(16), 'tanh', linear(2)],
};
/** y = 3 x exactly, so that variance and mean are known: x is -1, -0.5, 0.5, 1. */
const x = [-1, -0.5, 0.5, 1];
const triple = {
  data: { type: 'inline', inputs: x.map((value) => [value]), targets: x.map((value) => 3 * value) },
  layers: [linear(1, { weight: [[-1]], bias: [-3] }), 'relu'],
  loss: 'mse',
  optimizer: { type: 'sgd', lr: 0.1 },
  batch_size: 'full',
  epochs: 200,
};

describe('the diagnosis', () => {
  it('measures a healthy network and finds nothing to say', async () => {
    const report = await examine(circles);
    // Other rates lower the loss further, but the network has learned all there is.
    expect(report.findings).toEqual([]);
    expect(report.initialLoss.expected).toBeCloseTo(Math.LN2, 6);
    expect(report.gradients?.passed).toBe(true);
    expect(report.overfit).toMatchObject({ samples: 16, accuracy: 1 });
    expect(report.trial.evaluation.train?.accuracy).toBeGreaterThan(0.95);
    expect(report.zeroedInputs?.zeroedLoss).toBeGreaterThan(2 * (report.zeroedInputs?.loss ?? NaN));
    expect(report.depth.map(({ layer }) => layer)).toEqual(['linear1', 'tanh1', 'linear2']);
    expect(report.rangeTest.suggested).toBeGreaterThan(1e-3);
  });

  it('puts the fix that helps most first and says what it did', async () => {
    const report = await examine(triple);
    // The mean of the targets is 0, and their mean square 9 · 0.625.
    expect(report.initialLoss).toEqual({ loss: 5.625, expected: 5.625 });
    expect(report.data.target).toMatchObject({ mean: 0, min: -3, max: 3 });
    const [first] = report.findings;
    expect(['target-out-of-range', 'activation-on-output']).toContain(first.code);
    expect(first.trial?.skill).toBeGreaterThan(0.99);
    expect(first.effect).toContain('5.625');
    const text = JSON.stringify(triple);
    const { layers } = JSON.parse(applyTextEdit(text, editSpec(text, first.fix?.changes ?? []))) as {
      layers: object[];
    };
    expect(layers).toHaveLength(1);
  });

  it('does not advise what does not help', async () => {
    const labels = Array.from({ length: 60 }, (_, i) => (i * 7) % 13 > 5);
    const { findings } = await examine({
      ...circles,
      data: { type: 'inline', inputs: labels.map(() => [3]), labels: labels.map(Number) },
    });
    expect(findings[0].code).toBe('constant-inputs');
    for (const { fix, trial, remedy } of findings) {
      expect(fix === null).toBe(trial === null);
      if (fix) expect(remedy).not.toBeNull();
    }
    expect(findings.some(({ fix }) => fix !== null)).toBe(false);
  });

  it('is compared with a run that diverged', async () => {
    const { trial, zeroedInputs, findings } = await examine({
      ...triple,
      layers: [linear(1)],
      optimizer: { type: 'sgd', lr: 10 },
    });
    expect(trial.diverged).toBe(true);
    expect(zeroedInputs).toBeNull();
    const [first] = findings;
    expect(first.effect).toContain('NaN');
    expect(first.trial?.diverged).toBe(false);
  });

  it('looks for a better rate around the estimates of a rule and of the range test', async () => {
    const { findings } = await examine({ ...circles, optimizer: { type: 'sgd', lr: 2e-4 } });
    const [first] = findings;
    expect(first.code).toBe('update-too-small');
    const [{ path, value }] = first.fix!.changes;
    expect(path).toEqual(['optimizer', 'lr']);
    expect(first.remedy).toBe(`${first.fix?.title}.`);
    expect(first.trial?.skill).toBeGreaterThan(0.7);
    // A half decade up or down learns no more.
    for (const factor of [1 / 3, 3]) {
      const lr = Number((Number(value) * factor).toPrecision(1));
      const text = JSON.stringify({ ...circles, optimizer: { type: 'sgd', lr } });
      const trial = await runTrial(
        openTrial(load(text).run!, text, first.trial!.steps),
        first.trial!.steps,
        context,
        '',
      );
      expect(trial.skill).toBeLessThan(first.trial!.skill + 0.1);
    }
  });

  it('compares a longer run with the run at its own length', async () => {
    const { findings } = await examine({ ...circles, batch_size: 'full', epochs: 2 });
    expect(findings.map(({ code }) => code)).toEqual(['few-steps']);
    expect(findings[0].trial?.skill).toBeGreaterThan(0.9);
  });

  it('puts the cause before a symptom whose fix helps too', async () => {
    const { findings } = await examine({
      ...triple,
      layers: [linear(8), 'tanh', linear(1)],
      optimizer: { type: 'sgd', lr: 0.05, momentum: 0.9999 },
    });
    expect(findings[0].code).toBe('large-effective-rate');
    expect(findings[0].fix?.changes).toEqual([{ path: ['optimizer', 'momentum'], value: 0.9 }]);
  });

  it('measures whether a run ends too early', async () => {
    const short = await examine({ ...circles, epochs: 3 });
    expect(short.findings.map(({ code }) => code)).toEqual(['few-steps']);
    const [{ fix, trial }] = short.findings;
    expect(fix?.changes).toMatchObject([{ path: ['epochs'] }]);
    expect(trial?.skill).toBeGreaterThan(0.9);
  });

  it('says that a run ends too early where its loss is still high, although it is often right', async () => {
    const { findings } = await examine({
      ...circles,
      data: { type: 'circles', samples: 400 },
      layers: [linear(24), 'relu', linear(24), 'relu', linear(2)],
      optimizer: { type: 'adam', lr: 0.005 },
      batch_size: 32,
      epochs: 3,
    });
    expect(findings.map(({ code }) => code)).toEqual(['few-steps']);
  });

  it('says what it measured where a network learns little and no rule explains it', async () => {
    // Coin tosses: no function of the input predicts them.
    const random = new Random(3, 'noise');
    const inputs = Array.from({ length: 60 }, () => [random.uniform(-1, 1)]);
    const targets = inputs.map(() => (random.uniform(0, 1) < 0.5 ? -1 : 1));
    const report = await examine({
      ...triple,
      data: { type: 'inline', inputs, targets, split: { validation: 0.3 } },
      layers: [linear(4), 'tanh', linear(1)],
    });
    expect(report.findings).toMatchObject([{ code: 'learns-little', isFailure: true, fix: null }]);
    expect(hasFailed(report)).toBe(true);
  });

  it('finds what holds a network back where no rule names it', async () => {
    const report = await examine({
      ...moons,
      loss: { type: 'cross_entropy', weight: [100, 0.01] },
      rules: { 'weightless-class': 'off' },
    });
    const [first] = report.findings;
    expect(first.code).toBe('learns-little');
    expect(first.fix?.changes).toEqual([{ path: ['loss', 'weight'] }]);
    expect(first.trial?.skill).toBeGreaterThan(0.9);
  });

  it('removes several faults that each keep the network from learning', async () => {
    const spec = {
      ...moons,
      layers: [linear(16, { init: 'zeros', bias_init: 'zeros' }), 'tanh', linear(2, { init: 'zeros' })],
      optimizer: { type: 'sgd', lr: 1e-7 },
    };
    const { findings } = await examine(spec);
    const [first] = findings;
    const paths = first.fix?.changes.map(({ path }) => path[0]);
    expect(new Set(paths)).toEqual(new Set(['layers', 'optimizer']));
    expect(first.trial?.skill).toBeGreaterThan(0.7);
  });

  it('leaves out of several fixes those that add nothing, and names the one that matters most', async () => {
    // Decay and running statistics each keep it from learning; the bias before the normalization does no harm.
    const { findings } = await examine({
      ...moons,
      layers: [linear(16), { type: 'batch_norm1d', momentum: 1e-5 }, 'relu', linear(2)],
      optimizer: { type: 'sgd', lr: 0.1, weight_decay: 3 },
    });
    const [first] = findings;
    expect(first.trial?.skill).toBeGreaterThan(0.8);
    expect(new Set(first.fix?.changes.map(({ path }) => path.at(-1)))).toEqual(new Set(['momentum', 'weight_decay']));
    expect(findings.map(({ code }) => code)).toContain('bias-before-norm');
  });

  it('tries the defaults of an optimizer whose options hold a network back only together', async () => {
    const { findings } = await examine({
      ...moons,
      layers: [linear(24), 'relu', linear(24), 'relu', linear(2)],
      optimizer: { type: 'sgd', lr: 1e-5, weight_decay: 1 },
      batch_size: 10,
    });
    const [first] = findings;
    expect(first.fix?.changes).toEqual([{ path: ['optimizer'], value: { type: 'sgd' } }]);
    expect(first.message).toContain('lr and weight_decay');
    expect(first.trial?.skill).toBeGreaterThan(0.7);
  });

  it('names what keeps gradients small rather than a huge rate that makes up for it', async () => {
    const { findings } = await examine({
      ...moons,
      layers: [linear(24), 'relu', linear(24), 'relu', linear(2)],
      clip: { norm: 0.001 },
      schedule: { type: 'constant', warmup: 1000 },
      optimizer: { type: 'sgd', lr: 0.1 },
      batch_size: 10,
    });
    const [first] = findings;
    expect(['always-clipped', 'tiny-clip', 'long-warmup']).toContain(first.code);
    expect(first.trial?.skill).toBeGreaterThan(0.8);
  });

  it('gives a layer its own parameters where those of another leave nothing of the input', async () => {
    const { findings } = await examine({
      ...circles,
      layers: [
        linear(8, { name: 'a' }),
        linear(8, { name: 'b', inputs: ['input'], share: 'a' }),
        { type: 'subtract', inputs: ['a', 'b'] },
        'tanh',
        linear(2),
      ],
    });
    expect(findings.map(({ code }) => code)).toContain('constant-output');
    expect(findings[0].fix?.changes).toEqual([{ path: ['layers', 1, 'share'] }]);
    expect(findings[0].trial?.skill).toBeGreaterThan(0.7);
  });

  it('leaves out a custom layer that passes nothing, as the fix of what the run shows of it', async () => {
    const { findings } = await examineCustom(({ x, ops }) => ops.multiply(0, x));
    const [first] = findings;
    expect(first.code).toBe('zero-gradient');
    expect(first.fix?.changes).toEqual([{ path: ['layers', 1] }]);
    expect(first.trial?.skill).toBeGreaterThan(0.7);
  });

  it('names too few samples rather than what else helps with few', async () => {
    const { findings } = await examine({
      ...moons,
      data: { type: 'moons', samples: 16, noise: 0.15, split: { validation: 0.4, test: 0 } },
      optimizer: { type: 'adam', lr: 0.01 },
      batch_size: 4,
    });
    const [first] = findings;
    expect(first.code).toBe('few-samples');
    expect(first.fix?.changes).toEqual([{ path: ['data', 'samples'], value: 128 }]);
    expect(first.isFailure).toBeUndefined();
  });

  it('tries the columns of a file that the spec leaves out', async () => {
    const random = new Random(5, 'table');
    const rows = Array.from({ length: 120 }, () => {
      const [a, b] = [random.uniform(-1, 1), random.uniform(-1, 1)];
      return [random.uniform(-1, 1).toFixed(3), a.toFixed(3), b.toFixed(3), a * b > 0 ? 'same' : 'other'].join(',');
    });
    const files = inMemoryFiles({ 'd.csv': ['noise,a,b,sign', ...rows].join('\n') });
    const loadTable = (variant: string) => loadRun(variant, files, { rules: specRules });
    const text = JSON.stringify({ ...moons, data: { type: 'csv', path: 'd.csv', inputs: ['noise'], target: 'sign' } });
    const { run, spec, problems } = loadTable(text);
    const { findings } = await diagnose(
      text,
      { run: run!, spec: spec!, problems },
      (variant) => Promise.resolve(loadTable(variant)),
      context,
    );
    const fix = findings.find((finding) => finding.fix)?.fix;
    expect(fix?.changes).toEqual([{ path: ['data', 'inputs'] }]);
  });

  it('does not try to leave out a named input', () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i},${(i * 7) % 11},${i / 4}`);
    const data = { type: 'csv', path: 'd.csv', inputs: { left: ['a'], right: ['b'] }, target: 'y', task: 'values' };
    const layers = [{ type: 'concat', inputs: ['left', 'right'] }, linear(1)];
    const text = JSON.stringify({ ...triple, data, layers });
    const { run, spec } = loadRun(text, inMemoryFiles({ 'd.csv': ['a,b,y', ...rows].join('\n') }));
    const changes = usualValues(spec!, run!).flatMap((group) => group.flatMap(({ fix }) => fix.changes));
    expect(changes.filter(({ path }) => path.join('.').startsWith('data.inputs.'))).toEqual([]);
  });

  it('puts a wrong backward pass before everything else', async () => {
    const text = JSON.stringify(circles);
    const { run, spec, problems } = load(text);
    if (!run || !spec) throw new Error('cannot run');
    const layers = run.model.layers.map((layer) =>
      layer.definition.kind === 'tanh'
        ? {
            ...layer,
            definition: {
              ...layer.definition,
              backward(pass: Parameters<typeof layer.definition.backward>[0]) {
                layer.definition.backward(pass);
                for (let i = 0; i < (pass.gradInput?.data.length ?? 0); i++) pass.gradInput!.data[i] *= -1;
              },
            },
          }
        : layer,
    );
    const faulty = { ...run, model: { ...run.model, layers } };
    const report = await diagnose(
      text,
      { run: faulty, spec, problems },
      (variant) => Promise.resolve(load(variant)),
      context,
    );
    expect(report.findings[0].code).toBe('wrong-gradient');
    expect(hasFailed(report)).toBe(true);
  });

  it.each([
    ['layer-mixes-samples', ({ x, ops }: LayerCall) => ops.softmax(x, 0), ({ x, ops }: LayerCall) => ops.softmax(x, 1)],
    [
      'loss-of-precision',
      // 1e8 is a multiple of 8 in float32.
      ({ x, ops }: LayerCall) => ops.subtract(ops.add(x, 1e8), 1e8),
      ({ x, ops }: LayerCall) => ops.subtract(ops.add(x, 10), 10),
    ],
    [
      'layer-differs-in-evaluation',
      ({ x, ops, training }: LayerCall) => (training ? x : ops.multiply(x, 2)),
      ({ x, ops, training }: LayerCall) => (training ? x : ops.multiply(x, 1)),
    ],
    [
      'layer-differs-in-evaluation',
      ({ x, ops, training, random }: LayerCall) =>
        training
          ? ops.multiply(
              x,
              ops.tensor(
                x.shape,
                random.uniform(x.shape).data.map((u) => Number(u > 0.5)),
              ),
            )
          : x,
      ({ x, ops, training, random }: LayerCall) =>
        training
          ? ops.multiply(
              x,
              ops.tensor(
                x.shape,
                random.uniform(x.shape).data.map((u) => 2 * Number(u > 0.5)),
              ),
            )
          : x,
    ],
    [
      'layer-random-in-evaluation',
      ({ x, ops, random }: LayerCall) => ops.add(x, random.normal(x.shape)),
      ({ x, ops, training, random }: LayerCall) => (training ? ops.add(x, random.normal(x.shape)) : x),
    ],
  ])('names the fault of the code of a layer: %s', async (code, fault, right) => {
    const isRandom = fault.toString().includes('random');
    const [first] = (await examineCustom(fault, isRandom)).findings;
    expect(first.code).toBe(code);
    expect(first.message).toContain('own1');
    expect((await examineCustom(right, isRandom)).findings.map((finding) => finding.code)).not.toContain(code);
  });

  it('takes the target away from a network that sees it, although it then knows less', async () => {
    const random = new Random(5, 'leak');
    const inputs = Array.from({ length: 80 }, () => [random.uniform(-1, 1), random.uniform(-1, 1)]);
    const targets = inputs.map(([a, b]) => Math.sin(9 * a) * Math.cos(7 * b));
    const { findings } = await examine({
      ...triple,
      data: { type: 'inline', inputs: inputs.map((row, i) => [...row, 2 * targets[i] + 1]), targets },
      layers: [linear(8), 'tanh', linear(1)],
    });
    const [first] = findings;
    expect(first.code).toBe('target-among-inputs');
    expect(first.fix?.changes).toEqual([{ path: ['data', 'inputs'], value: inputs }]);
    expect(first.trial?.skill).toBeLessThan(0.9);
  });

  it('does not report a failure that went away', async () => {
    // It predicts one class for a while, then learns.
    const { findings, trial } = await examine({ ...circles, optimizer: { type: 'sgd', lr: 0.05 } });
    expect(trial.skill).toBeGreaterThan(0.5);
    expect(findings.filter(({ isFailure, fix }) => isFailure && fix === null)).toEqual([]);
  });

  it('stops when it is asked to', async () => {
    let turns = 0;
    await expect(examine(circles, { isCancelled: () => ++turns > 3 })).rejects.toThrow(DoctorCancelledError);
  });

  it.each([
    ['checking gradients', ['data', 'initialLoss']],
    ['testing lr', ['data', 'initialLoss', 'gradients', 'overfit']],
    ['training', ['data', 'initialLoss', 'gradients', 'overfit', 'rangeTest']],
  ])(
    'stopped while %s, gives the results until then, the same as those of the whole diagnosis',
    async (stage, keys) => {
      let isReached = false;
      let time = 0;
      const error: unknown = await examine(circles, {
        // Every part of the gradient check ends its slice of time.
        now: () => (time += 1000),
        onProgress: (name) => (isReached ||= name.startsWith(stage)),
        isCancelled: () => isReached,
      }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(DoctorCancelledError);
      const { results } = error as DoctorCancelledError;
      expect(Object.keys(results)).toEqual(keys);
      const whole: Partial<DoctorReport> = await examine(circles);
      for (const key of keys) expect(results[key as keyof DoctorReport]).toEqual(whole[key as keyof DoctorReport]);
      expect(describeChecks(results).map(({ id }) => id)).toEqual(
        describeChecks(whole)
          .map(({ id }) => id)
          .slice(0, keys.length),
      );
    },
  );

  it('stopped while it tries a fix, gives the findings without that fix', async () => {
    let isReached = false;
    const error: unknown = await examine(triple, {
      onProgress: (name) => (isReached ||= name.startsWith('trying')),
      isCancelled: () => isReached,
    }).catch((thrown: unknown) => thrown);
    const { findings = [], trial } = (error as DoctorCancelledError).results;
    expect(trial?.diverged).toBe(false);
    expect(findings.map(({ code }) => code)).toContain('target-out-of-range');
    expect(findings.every(({ fix, effect }) => fix === null && effect === null)).toBe(true);
  });
});

describe('a repair', () => {
  it('diagnoses again what a fix leaves, until nothing helps any more', async () => {
    const text = JSON.stringify({
      ...moons,
      layers: [linear(16), 'tanh', { type: 'dropout', p: 0.95 }, linear(2), 'softmax'],
      optimizer: { type: 'sgd', lr: 1e-7 },
    });
    const { run, spec, problems } = load(text);
    if (!run || !spec) throw new Error('cannot run');
    const { fixes, fixedText, report } = await repair(
      text,
      { run, spec, problems },
      (variant) => Promise.resolve(load(variant)),
      context,
    );
    expect(report.findings.length).toBeGreaterThan(1);
    expect(fixes.length).toBeGreaterThan(1);
    const fixed = fixes.reduce((before, { changes }) => applyTextEdit(before, editSpec(before, changes)), text);
    expect(fixedText).toBe(fixed);
    const after = await examine(JSON.parse(fixedText) as object);
    expect(after.trial.skill).toBeGreaterThan(0.9);
    expect(hasFailed(after)).toBe(false);
  });

  it('leaves a healthy spec as it is', async () => {
    const text = JSON.stringify(circles);
    const { run, spec, problems } = load(text);
    if (!run || !spec) throw new Error('cannot run');
    const loadVariant = (variant: string) => Promise.resolve(load(variant));
    const { fixes, fixedText } = await repair(text, { run, spec, problems }, loadVariant, context);
    expect(fixes).toEqual([]);
    expect(fixedText).toBe(text);
  });
});
