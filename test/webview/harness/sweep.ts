// The state of a sweep as its process reports it, with really trained runs.
import type { RunState, SweepState } from '../../../src/protocol/sweep';
import { parseSpec } from '../../../src/model-spec';
import { fittedFunctions } from '../../../src/sweep/fitted-functions';
import { planSweep } from '../../../src/sweep/plan';
import { buildReport } from '../../../src/sweep/report';
import type { RunResult } from '../../../src/sweep/results';
import { trainRun } from '../../../src/sweep/train-run';
import { compileRun } from '../../support/session-fixtures';

function trained(text: string, settings: RunResult['settings']): RunResult {
  const training = trainRun(compileRun(text), text);
  for (;;) {
    const { done, value } = training.next();
    if (done) return { settings, milliseconds: 1, ...value };
  }
}

/** @param done number of finished runs, from the first; the next one is halfway if `running` */
export function sweptState(spec: object, done: number, running = false): SweepState {
  const { plan, problems } = planSweep(parseSpec(JSON.stringify(spec)));
  if (!plan) throw new Error(JSON.stringify(problems));
  const results = plan.runs.map(({ text, settings }, i) => (i < done ? trained(text, settings) : undefined));
  const runs = plan.runs.map(({ settings }, i): RunState => {
    const result = results[i];
    if (result) {
      const steps = 'steps' in result ? result.steps : 0;
      return { settings, state: result.outcome, step: steps, total: steps, message: result.message };
    }
    return running && i === done
      ? { settings, state: 'running', step: 40, total: 80, message: null }
      : { settings, state: 'waiting', step: 0, total: 0, message: null };
  });
  const report = buildReport(
    plan.options,
    plan.runs.map(({ settings }) => settings),
    results,
  );
  return {
    running,
    workers: running ? 2 : 0,
    runs,
    report,
    fits: fittedFunctions(results),
    file: 'circles.sweep.json',
    notes: done > 0 && !running ? [`${done} runs were done before and are kept.`] : [],
  };
}

export const sweepSpec = {
  data: { type: 'circles', samples: 120 },
  layers: [{ type: 'linear', out_features: 4 }, 'relu', { type: 'linear', out_features: 2 }],
  loss: 'cross_entropy',
  batch_size: 16,
  epochs: 12,
  sweep: { 'optimizer.lr': [0.01, 0.1, 0.5, 1e30], seed: [1, 2, 3] },
};

export const sineSpec = {
  data: { type: 'noisy_sine', samples: 40 },
  layers: [{ type: 'linear', out_features: 2 }, 'sigmoid', { type: 'linear', out_features: 1 }],
  loss: 'mse',
  batch_size: 10,
  epochs: 3,
  sweep: { 'layers.0.out_features': [1, 3, 10], seed: [1, 2] },
};
