// Trials of fixes: a guess that clearly loses ends early, and other trials are as long as that of the spec.
import { describe, expect, it } from 'vitest';
import { specRules } from '../../src/diagnostics';
import { type DoctorContext, openTrial, runTrial } from '../../src/doctor';
import { Attempts } from '../../src/doctor/attempt';
import { loadRun } from '../../src/model-spec';
import { noFiles } from '../support/data-files';

const load = (text: string) => loadRun(text, noFiles, { rules: specRules });
const context: DoctorContext = {
  isCancelled: () => false,
  yieldToEventLoop: () => Promise.resolve(),
  now: () => 0,
  onProgress: () => undefined,
};
const STEPS = 240;
const linear = (out_features: number): object => ({ type: 'linear', out_features });
/** A rate so small that nothing is learned. */
const text = JSON.stringify({
  data: { type: 'moons', samples: 100 },
  layers: [linear(16), 'tanh', linear(2)],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 1e-6, weight_decay: 0.001 },
  batch_size: 10,
  epochs: 40,
});

async function openAttempts(): Promise<Attempts> {
  const { run, spec } = load(text);
  if (!run || !spec) throw new Error('cannot run');
  const scores: number[] = [];
  const onMeasure = (_: number, score: number): boolean => (scores.push(score), false);
  const trial = await runTrial(openTrial(run, text, STEPS), STEPS, context, '', { onMeasure });
  const baseline = { text, run, spec, trial, steps: STEPS, suggestedRate: null, scores, isRepaired: false };
  return new Attempts(baseline, (variant) => Promise.resolve(load(variant)), context);
}

const withoutDecay = { title: '', changes: [{ path: ['optimizer', 'weight_decay'] }] };
const faster = { title: '', changes: [{ path: ['optimizer', 'lr'], value: 0.3 }] };

describe('a trial', () => {
  it('of a guess ends after half of its steps if it has gained nothing', async () => {
    const attempts = await openAttempts();
    const attempt = await attempts.attempt(withoutDecay, true);
    expect(attempt?.trial.steps).toBeLessThan(0.7 * STEPS);
    expect(attempt?.before.steps).toBe(STEPS);
  });

  it('of a guess that gains goes on to the end', async () => {
    const attempts = await openAttempts();
    const attempt = await attempts.attempt(faster, true);
    expect(attempt?.trial.steps).toBe(STEPS);
    expect(attempt?.trial.skill).toBeGreaterThan(0.6);
  });

  it('of what a rule suggests goes on to the end', async () => {
    const attempts = await openAttempts();
    expect((await attempts.attempt(withoutDecay))?.trial.steps).toBe(STEPS);
  });
});
