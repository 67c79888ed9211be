// Layers with two modes: running statistics follow the batches and are part of the state; evaluation and the gradient
// check use them and leave them unchanged.
import type { CheckReport } from '../../src/protocol/check-report';
import { describe, expect, it } from 'vitest';
import { BACKENDS } from '../support/backends';
import { compileRun, createSession, smallSpec } from '../support/session-fixtures';
import { GradientCheck } from '../../src/gradcheck/gradient-check';
import { TrainingSession } from '../../src/session/session';
import '../support/allclose';

const batchNormSpec = {
  ...smallSpec,
  precision: 'float64',
  layers: [
    { type: 'linear', out_features: 4 },
    { type: 'batch_norm1d', momentum: 0.3 },
    'tanh',
    { type: 'dropout', p: 0.25 },
    { type: 'linear', out_features: 2 },
  ],
};
const images = {
  data: { type: 'images', samples: 30, size: 8, classes: 2 },
  loss: 'cross_entropy',
  batch_size: 7,
  epochs: 20,
  layers: [
    { type: 'conv2d', out_channels: 3, kernel_size: 3 },
    'batch_norm2d',
    'relu',
    { type: 'max_pool2d', kernel_size: 2 },
    'flatten',
    'layer_norm',
    { type: 'linear', out_features: 2 },
  ],
};

const buffersOf = ({ network }: TrainingSession): number[][] =>
  network.buffers.map(({ value }) => Array.from(value.data));

function runCheck(session: TrainingSession, mode: 'training' | 'evaluation'): CheckReport {
  const { network, run, position } = session;
  const check = new GradientCheck({
    network,
    pass: session.passToCheck(),
    step: position.step,
    options: { ...run.gradientCheck, mode },
  });
  while (check.advance(64));
  return check.report();
}

describe.each([
  ['rows', batchNormSpec],
  ['images', images],
])('running figures of %s', (_what, spec) => {
  it('start at mean 0 and variance 1 and follow the batches', () => {
    const session = createSession({ ...spec, precision: 'float64' });
    const [mean, variance] = buffersOf(session);
    expect(mean.every((value) => value === 0)).toBe(true);
    expect(variance.every((value) => value === 1)).toBe(true);
    const { momentum } = session.run.model.layers[1].options as { momentum: number };
    for (let step = 0; step < 6; step++) {
      session.step(true);
      const { shape, data } = session.pass.outputs[0];
      const [samples, channels] = shape;
      const size = data.length / samples / channels;
      for (let channel = 0; channel < channels; channel++) {
        const values = Array.from(data).filter((_, i) => Math.floor(i / size) % channels === channel);
        const average = values.reduce((sum, value) => sum + value, 0) / values.length;
        const unbiased = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / (values.length - 1);
        mean[channel] = (1 - momentum) * mean[channel] + momentum * average;
        variance[channel] = (1 - momentum) * variance[channel] + momentum * unbiased;
      }
      expect(buffersOf(session)[0]).toBeAllclose(mean, { rtol: 1e-11 });
      expect(buffersOf(session)[1]).toBeAllclose(variance, { rtol: 1e-11 });
    }
  });

  it.each(BACKENDS)('are bitwise exact wherever the run goes, also by phase, on %s', (backend) => {
    const session = createSession(spec, { backend, checkpointInterval: 4 });
    const phases = createSession(spec, { backend });
    const trail: [string, number[][]][] = [];
    for (let step = 0; step < 24; step++) {
      trail.push([session.stateHash(), buffersOf(session)]);
      session.step();
      for (const _ of phases.model.phases) phases.stepPhase();
      expect(phases.stateHash()).toBe(session.stateHash());
    }
    for (const step of [23, 3, 11, 0, 17, 16]) {
      session.seek(step);
      expect([session.stateHash(), buffersOf(session)]).toEqual(trail[step]);
      session.stepPhase();
      session.stepPhase();
      session.stepPhase();
      session.backStep();
      expect([session.stateHash(), buffersOf(session)]).toEqual(trail[step]);
    }
    const resumed = TrainingSession.resume(compileRun(spec), session.record(), { backend });
    expect([resumed.stateHash(), buffersOf(resumed)]).toEqual(trail[16]);
  });

  it('are part of the hash', () => {
    const session = createSession(spec);
    session.step();
    const before = session.stateHash();
    session.network.buffers[1].value.data[0] += 1e-3;
    expect(session.stateHash()).not.toBe(before);
  });

  it('are used by evaluation, and unchanged by it', () => {
    const session = createSession(spec);
    session.seek(5);
    const before = session.stateHash();
    const { train } = session.evaluate();
    expect(session.stateHash()).toBe(before);
    session.network.buffers[0].value.data.fill(0.5);
    expect(session.evaluate().train?.loss).not.toBe(train?.loss);
  });

  it.each(['training', 'evaluation'] as const)(
    'stay as they are in a gradient check in %s mode, which passes',
    (mode) => {
      const session = createSession({ ...spec, precision: 'float64' });
      session.seek(5);
      const before = session.stateHash();
      const report = runCheck(session, mode);
      expect(session.stateHash()).toBe(before);
      expect(report).toMatchObject({ mode, counts: { wrong: 0 }, complete: true });
      expect(report.counts.pass).toBeGreaterThan(10);
      // What batch norm subtracts again has no gradient; what running statistics subtract has one.
      const [, bias] = report.parameters;
      expect(bias.verdict).toBe(mode === 'training' ? 'below_noise' : 'pass');
    },
  );
});

it('checks the loss of evaluation in evaluation mode', () => {
  const session = createSession({
    ...batchNormSpec,
    data: { ...batchNormSpec.data, split: { validation: 0, test: 0 } },
    batch_size: 'full',
  });
  session.seek(5);
  expect(runCheck(session, 'evaluation').loss).toBeCloseTo(session.evaluate().train?.loss ?? NaN, 12);
  expect(runCheck(session, 'training').loss).not.toBeCloseTo(session.evaluate().train?.loss ?? NaN, 3);
});

it('reports no modes for a network whose layers have only one', () => {
  const session = createSession(smallSpec);
  expect(runCheck(session, 'evaluation').mode).toBeNull();
});
