// A run from a spec as an object, for tests, loaded like any other.
import type { CompiledRun } from '../../src/model-spec/compiled-run';
import { loadRun } from '../../src/model-spec/load';
import { noFiles } from './data-files';
import { TrainingSession } from '../../src/session/session';
import type { SessionOptions } from '../../src/session/session-options';

/** Compiles a spec, and fails with its problems if it has errors. */
export function compileRun(spec: object | string): CompiledRun {
  const text = typeof spec === 'string' ? spec : JSON.stringify(spec);
  const { run, problems } = loadRun(text, noFiles);
  if (!run) throw new Error(problems.map(({ message }) => message).join('\n'));
  return run;
}

export function createSession(spec: object, options?: SessionOptions): TrainingSession {
  return new TrainingSession(compileRun(spec), JSON.stringify(spec), options);
}

/** A small spec with everything that makes going back difficult: mini-batches of two sizes, shuffling, momentum. */
export const smallSpec = {
  data: { type: 'circles', samples: 50 },
  layers: [{ type: 'linear', out_features: 4 }, 'tanh', { type: 'linear', out_features: 2 }],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 0.2, momentum: 0.9 },
  batch_size: 8,
  epochs: 40,
};
