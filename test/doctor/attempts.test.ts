// Trials of fixes: a guess that clearly loses ends early, and other trials are as long as that of the spec.
import { describe, expect, it } from 'vitest';
import { specRules } from '../../src/diagnostics';
import { type DoctorContext, openTrial, runTrial } from '../../src/doctor';
import { type Attempt, Attempts } from '../../src/doctor/attempt';
import { type Candidate, tryFixes } from '../../src/doctor/try-fixes';
import { loadRun } from '../../src/model-spec';
import type { Problem, QuickFix } from '../../src/protocol/problem';
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

describe('fixes that are tried together', () => {
  const fixes: readonly QuickFix[] = ['A', 'B', 'C', 'D'].map((title) => ({
    title,
    changes: [{ path: ['name'], value: title }],
  }));
  const candidates = fixes.map((fix): Candidate => ({
    ...{ code: fix.title, message: '', remedy: '', since: null, fix },
    range: { start: 0, end: 1 },
  }));

  /** Trials that have learned this much. */
  async function combinationOf(scores: Readonly<Record<string, number>>): Promise<QuickFix | null | undefined> {
    const { baseline } = await openAttempts();
    const problems = candidates.map(({ code, fix }): Partial<Problem> => ({ code, fix: fix! }));
    const loadFixed = (variant: string) => Promise.resolve({ ...load(variant), problems: problems as Problem[] });
    const trialOf = (skill: number) => ({ ...baseline.trial, skill, validationSkill: null });
    class Told extends Attempts {
      override get canGuess(): boolean {
        return false;
      }
      override attempt = (fix: QuickFix): Promise<Attempt> =>
        Promise.resolve({ fix, before: trialOf(0), trial: trialOf(scores[fix.title] ?? 0) });
    }
    const told = new Told({ ...baseline, steps: 1, trial: trialOf(0) }, loadFixed, context);
    const findings = await tryFixes(candidates, told);
    return findings.map(({ fix }) => fix).find((fix) => fix?.title.includes(';'));
  }

  it('lose little of what all of them gain, however many are left out', async () => {
    const scores = { 'A; B; C; D': 0.85, 'B; C; D': 0.81, 'C; D': 0.77 };
    expect((await combinationOf(scores))?.title).toBe('B; C; D');
  });

  it('gain more than the best of them alone', async () => {
    const scores = { 'A; B; C; D': 0.85, 'B; C; D': 0.81 };
    expect((await combinationOf({ ...scores, A: 0.8 }))?.title).toBe('B; C; D');
    expect(await combinationOf({ ...scores, A: 0.83 })).toBeUndefined();
  });
});
