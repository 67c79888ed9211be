// Diagnoses of networks that do not learn: the right finding first, and only fixes that help.
import { describe, expect, it } from 'vitest';
import { specRules } from '../../src/diagnostics';
import { diagnose, type DoctorContext, DoctorCancelledError } from '../../src/doctor';
import { applyTextEdit, editSpec, loadRun } from '../../src/model-spec';
import type { DoctorReport } from '../../src/protocol/doctor-report';
import { noFiles } from '../support/data-files';

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

const circles = {
  data: { type: 'circles', samples: 80 },
  layers: [linear(6), 'tanh', linear(2)],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 0.5 },
  batch_size: 20,
  epochs: 40,
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

  it('takes the rate of the range test where that helps more than the estimate of a rule', async () => {
    const { findings, rangeTest } = await examine({ ...circles, optimizer: { type: 'sgd', lr: 2e-4 } });
    const [first] = findings;
    expect(first.code).toBe('update-too-small');
    expect(first.fix?.changes).toEqual([{ path: ['optimizer', 'lr'], value: rangeTest.suggested }]);
    expect(first.remedy).toBe(`${first.fix?.title}.`);
    expect(first.trial?.skill).toBeGreaterThan(0.7);
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

  it('stops when it is asked to', async () => {
    let turns = 0;
    await expect(examine(circles, { isCancelled: () => ++turns > 3 })).rejects.toThrow(DoctorCancelledError);
  });
});
