// Layers with two modes: running figures follow the batches and are part of the state; evaluation and the gradient
// check go by them and leave them alone.
import { describe, expect, it } from 'vitest';
import { BACKENDS } from '../support/backends';
import { runOf, sessionOf, smallSpec } from '../support/run';
import { GradientCheck } from '../../src/gradcheck/gradient-check';
import type { CheckReport } from '../../src/gradcheck/report';
import { TrainingSession } from '../../src/session/session';
import '../support/allclose';

const normed = {
  ...smallSpec,
  precision: 'float64',
  layers: [{ type: 'linear', out_features: 4 }, { type: 'batch_norm1d', momentum: 0.3 }, 'tanh', { type: 'dropout', p: 0.25 }, { type: 'linear', out_features: 2 }],
};
const images = {
  data: { type: 'images', samples: 30, size: 8, classes: 2 }, loss: 'cross_entropy', batch_size: 7, epochs: 20,
  layers: [
    { type: 'conv2d', out_channels: 3, kernel_size: 3 }, 'batch_norm2d', 'relu', { type: 'max_pool2d', kernel_size: 2 },
    'flatten', 'layer_norm', { type: 'linear', out_features: 2 },
  ],
};

const buffersOf = ({ network }: TrainingSession): number[][] => network.buffers.map(({ value }) => Array.from(value.data));

function checked(session: TrainingSession, mode: 'training' | 'evaluation'): CheckReport {
  const { network, run, position } = session;
  const check = new GradientCheck({ network, pass: session.passToCheck(), step: position.step, options: { ...run.gradientCheck, mode } });
  while (check.advance(64));
  return check.report();
}

describe.each([['rows', normed], ['images', images]])('running figures of %s', (_what, spec) => {
  it('start at mean 0 and variance 1 and follow the batches', () => {
    const session = sessionOf({ ...spec, precision: 'float64' });
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

  it.each(BACKENDS)('are exact to the bit wherever the run goes, phase by phase too, on %s', (backend) => {
    const session = sessionOf(spec, { backend, checkpointInterval: 4 });
    const phases = sessionOf(spec, { backend });
    const trail: [string, number[][]][] = [];
    for (let step = 0; step < 24; step++) {
      trail.push([session.hash(), buffersOf(session)]);
      session.step();
      for (const _ of phases.model.phases) phases.stepPhase();
      expect(phases.hash()).toBe(session.hash());
    }
    for (const step of [23, 3, 11, 0, 17, 16]) {
      session.seek(step);
      expect([session.hash(), buffersOf(session)]).toEqual(trail[step]);
      session.stepPhase();
      session.stepPhase();
      session.stepPhase();
      session.backStep();
      expect([session.hash(), buffersOf(session)]).toEqual(trail[step]);
    }
    const resumed = TrainingSession.resume(runOf(spec), session.record(), { backend });
    expect([resumed.hash(), buffersOf(resumed)]).toEqual(trail[16]);
  });

  it('are part of the hash', () => {
    const session = sessionOf(spec);
    session.step();
    const before = session.hash();
    session.network.buffers[1].value.data[0] += 1e-3;
    expect(session.hash()).not.toBe(before);
  });

  it('are what evaluation goes by, and stay as they are', () => {
    const session = sessionOf(spec);
    session.seek(5);
    const before = session.hash();
    const { train } = session.evaluate();
    expect(session.hash()).toBe(before);
    session.network.buffers[0].value.data.fill(0.5);
    expect(session.evaluate().train?.loss).not.toBe(train?.loss);
  });

  it.each(['training', 'evaluation'] as const)('stay as they are in a gradient check in %s mode, which passes', (mode) => {
    const session = sessionOf({ ...spec, precision: 'float64' });
    session.seek(5);
    const before = session.hash();
    const report = checked(session, mode);
    expect(session.hash()).toBe(before);
    expect(report).toMatchObject({ mode, counts: { wrong: 0 }, complete: true });
    expect(report.counts.pass).toBeGreaterThan(10);
    // What batch norm subtracts again has no gradient; what running figures subtract has one.
    const [, bias] = report.parameters;
    expect(bias.verdict).toBe(mode === 'training' ? 'below_noise' : 'pass');
  });
});

it('a check in evaluation mode is of the loss that evaluation finds', () => {
  const session = sessionOf({ ...normed, data: { ...normed.data, split: { validation: 0, test: 0 } }, batch_size: 'full' });
  session.seek(5);
  expect(checked(session, 'evaluation').loss).toBeCloseTo(session.evaluate().train?.loss ?? NaN, 12);
  expect(checked(session, 'training').loss).not.toBeCloseTo(session.evaluate().train?.loss ?? NaN, 3);
});

it('a network whose layers have one mode says nothing of modes', () => {
  const session = sessionOf(smallSpec);
  expect(checked(session, 'evaluation').mode).toBeNull();
});
