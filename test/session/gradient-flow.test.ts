// Gradient flow over the run: the history and the histograms of a step match that step's tensors.
import type { QueryValue } from '../../src/protocol/queries';
import { describe, expect, it } from 'vitest';
import { MAGNITUDE_BINS, magnitudeHistogram } from '../../src/engine/probes/magnitude-histogram';
import { seriesName } from '../../src/history/history';
import { recordLayerStats } from '../../src/session/make-frame';
import { runQuery } from '../../src/session/queries';
import { GradientHistograms } from '../../src/session/gradient-histograms';
import type { TrainingSession } from '../../src/session/session';
import { createSession, smallSpec } from '../support/session-fixtures';

const probes = new Set(['gradients'] as const);

function trainWithProbes(steps: number): TrainingSession {
  const session = createSession(smallSpec);
  while (session.position.step < steps) {
    session.step(true);
    recordLayerStats(session, probes);
  }
  return session;
}

const histogramsOf = (session: TrainingSession, parameter = 'linear1.weight'): QueryValue<'gradient_histograms'> => {
  const { value } = runQuery(session, { type: 'gradient_histograms', parameter });
  if (!value) throw new Error('no answer');
  return value;
};

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('the history', () => {
  it("contains mean and standard deviation of every gradient, and the ratio of the first layer's to the last one's", () => {
    const session = trainWithProbes(5);
    const at = (name: string): number => session.pendingHistory.get(name)?.data().low.at(-1) ?? NaN;
    const sizes: number[] = [];
    for (const { name, gradient } of session.network.parameters) {
      const values = [...gradient.data];
      expect(at(seriesName.gradientMean(name))).toBeCloseTo(mean(values), 6);
      expect(at(seriesName.gradientStd(name))).toBeCloseTo(
        Math.sqrt(mean(values.map((x) => (x - mean(values)) ** 2))),
        6,
      );
      if (name.endsWith('weight')) sizes.push(mean(values.map(Math.abs)));
    }
    session.pass.outputGradients.forEach(({ data }, layer) =>
      expect(at(seriesName.gradientMean(layer))).toBeCloseTo(mean([...data]), 6),
    );
    expect(sizes.length).toBe(2);
    expect(at(seriesName.firstToLast)).toBeCloseTo(sizes[0] / sizes[1], 5);
  });

  it('has no such ratio if only one layer has parameters', () => {
    const session = createSession({ ...smallSpec, layers: [{ type: 'linear', out_features: 2 }] });
    session.step(true);
    recordLayerStats(session, probes);
    expect(session.pendingHistory.get(seriesName.firstToLast)).toBeUndefined();
  });
});

describe('gradient histograms', () => {
  it("count the gradient's entries for every step that they contain", () => {
    const session = trainWithProbes(100);
    const { steps, counts, bins, zeros, nonFinite, low, entries } = histogramsOf(session);
    expect(steps.length).toBeGreaterThan(12);
    expect(steps.length).toBeLessThanOrEqual(25);
    expect(steps.at(-1)).toBe(100);
    const other = createSession(smallSpec);
    steps.forEach((step, row) => {
      other.seek(step);
      const parameter = other.network.parameters.find(({ name }) => name === 'linear1.weight');
      if (!parameter) throw new Error('no parameter');
      const all = magnitudeHistogram(parameter.gradient);
      const from =
        Array.from({ length: MAGNITUDE_BINS }, (_, i) => i).find(
          (i) => Math.abs(Math.log10(low) - (i / 4 - 20)) < 1e-9,
        ) ?? -1;
      expect(counts.slice(row * bins, (row + 1) * bins)).toEqual(all.counts.slice(from, from + bins));
      expect([zeros[row], nonFinite[row]]).toEqual([all.zeros, all.nonFinite]);
      expect(counts.slice(row * bins, (row + 1) * bins).reduce((a, b) => a + b, 0) + zeros[row]).toBe(entries);
    });
  });

  it('are bounded however long the run, and evenly spaced over it', () => {
    const kept = new GradientHistograms();
    for (let step = 1; step <= 100_000; step++) kept.add(step, []);
    const steps = kept.rows.map(({ step }) => step);
    expect(steps.length).toBeLessThanOrEqual(24);
    expect(steps.length).toBeGreaterThanOrEqual(12);
    const gaps = steps.slice(1).map((step, i) => step - steps[i]);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * Math.min(...gaps));
    expect(steps[0]).toBe(1);
  });

  it('of discarded steps are removed', () => {
    const session = trainWithProbes(20);
    session.seek(8);
    session.setLearningRate(0.01);
    expect(Math.max(...histogramsOf(session).steps)).toBe(8);
    session.reset();
    expect(runQuery(session, { type: 'gradient_histograms', parameter: 'linear1.weight' }).value).toBeNull();
  });

  it('end with the current step', () => {
    const session = trainWithProbes(20);
    session.seek(9);
    expect(histogramsOf(session).steps.at(-1)).toBe(9);
    session.seek(9, 2);
    expect(Math.max(...histogramsOf(session).steps)).toBeLessThan(10);
  });

  it('are null for a parameter that does not exist', () => {
    expect(runQuery(trainWithProbes(1), { type: 'gradient_histograms', parameter: 'other' }).value).toBeNull();
  });
});
