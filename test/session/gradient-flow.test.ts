// How gradients flow over the run: what the history and the ridges hold of a step is what that step's tensors say.
import { describe, expect, it } from 'vitest';
import { MAGNITUDE_BINS, magnitudesOf } from '../../src/engine/probes/magnitudes';
import { seriesName } from '../../src/history/history';
import { sampleReadings } from '../../src/session/make-frame';
import { answerTo, type AnswerTo } from '../../src/session/questions';
import { Ridges } from '../../src/session/ridges';
import type { TrainingSession } from '../../src/session/session';
import { sessionOf, smallSpec } from '../support/run';

const probes = new Set(['gradients'] as const);

function watched(steps: number): TrainingSession {
  const session = sessionOf(smallSpec);
  while (session.position.step < steps) {
    session.step(true);
    sampleReadings(session, probes);
  }
  return session;
}

const spread = (session: TrainingSession, parameter = 'linear1.weight'): AnswerTo<'ridges'> => {
  const { answer } = answerTo(session, { about: 'ridges', parameter });
  if (!answer) throw new Error('no answer');
  return answer;
};

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('the history', () => {
  it('has mean and spread of every gradient, and what reaches the first layer of what is at the last', () => {
    const session = watched(5);
    const at = (name: string): number => session.pending.get(name)?.data().low.at(-1) ?? NaN;
    const sizes: number[] = [];
    for (const { name, gradient } of session.network.parameters) {
      const values = [...gradient.data];
      expect(at(seriesName.gradientMean(name))).toBeCloseTo(mean(values), 6);
      expect(at(seriesName.gradientStd(name))).toBeCloseTo(Math.sqrt(mean(values.map((x) => (x - mean(values)) ** 2))), 6);
      if (name.endsWith('weight')) sizes.push(mean(values.map(Math.abs)));
    }
    session.pass.outputGradients.forEach(({ data }, layer) => expect(at(seriesName.gradientMean(layer))).toBeCloseTo(mean([...data]), 6));
    expect(sizes.length).toBe(2);
    expect(at(seriesName.firstToLast)).toBeCloseTo(sizes[0] / sizes[1], 5);
  });

  it('has no such ratio where one layer alone has parameters', () => {
    const session = sessionOf({ ...smallSpec, layers: [{ type: 'linear', out_features: 2 }] });
    session.step(true);
    sampleReadings(session, probes);
    expect(session.pending.get(seriesName.firstToLast)).toBeUndefined();
  });
});

describe('ridges', () => {
  it('are, of every step they tell of, what its gradient was', () => {
    const session = watched(100);
    const { steps, counts, bins, zeros, nonFinite, low, entries } = spread(session);
    expect(steps.length).toBeGreaterThan(12);
    expect(steps.length).toBeLessThanOrEqual(25);
    expect(steps.at(-1)).toBe(100);
    const other = sessionOf(smallSpec);
    steps.forEach((step, row) => {
      other.seek(step);
      const parameter = other.network.parameters.find(({ name }) => name === 'linear1.weight');
      if (!parameter) throw new Error('no parameter');
      const all = magnitudesOf(parameter.gradient);
      const from = Array.from({ length: MAGNITUDE_BINS }, (_, i) => i).find((i) => Math.abs(Math.log10(low) - (i / 4 - 20)) < 1e-9) ?? -1;
      expect(counts.slice(row * bins, (row + 1) * bins)).toEqual(all.counts.slice(from, from + bins));
      expect([zeros[row], nonFinite[row]]).toEqual([all.zeros, all.nonFinite]);
      expect(counts.slice(row * bins, (row + 1) * bins).reduce((a, b) => a + b, 0) + zeros[row]).toBe(entries);
    });
  });

  it('are bounded however long the run, and evenly spread over it', () => {
    const kept = new Ridges();
    for (let step = 1; step <= 100_000; step++) kept.add(step, []);
    const steps = kept.rows.map(({ step }) => step);
    expect(steps.length).toBeLessThanOrEqual(24);
    expect(steps.length).toBeGreaterThanOrEqual(12);
    const gaps = steps.slice(1).map((step, i) => step - steps[i]);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * Math.min(...gaps));
    expect(steps[0]).toBe(1);
  });

  it('of steps that no longer follow are forgotten', () => {
    const session = watched(20);
    session.seek(8);
    session.setLearningRate(0.01);
    expect(Math.max(...spread(session).steps)).toBe(8);
    session.reset();
    expect(answerTo(session, { about: 'ridges', parameter: 'linear1.weight' }).answer).toBeNull();
  });

  it('go no further than the step that is shown, and end with it', () => {
    const session = watched(20);
    session.seek(9);
    expect(spread(session).steps.at(-1)).toBe(9);
    session.seek(9, 2);
    expect(Math.max(...spread(session).steps)).toBeLessThan(10);
  });

  it('are none of a parameter that does not exist', () => {
    expect(answerTo(watched(1), { about: 'ridges', parameter: 'other' }).answer).toBeNull();
  });
});
