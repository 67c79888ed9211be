// A run from a spec written as an object, for tests: through the same loader as everywhere else.
import type { CompiledRun } from '../../src/spec/compiled';
import { loadRun } from '../../src/spec/load';
import { noFiles } from './files';
import { TrainingSession } from '../../src/session/session';
import type { SessionOptions } from '../../src/session/session-options';

/** Compiles a spec, and fails with its problems where it has errors. */
export function runOf(spec: object | string): CompiledRun {
  const text = typeof spec === 'string' ? spec : JSON.stringify(spec);
  const { run, problems } = loadRun(text, noFiles);
  if (!run) throw new Error(problems.map(({ message }) => message).join('\n'));
  return run;
}

export function sessionOf(spec: object, options?: SessionOptions): TrainingSession {
  return new TrainingSession(runOf(spec), JSON.stringify(spec), options);
}

/** Small, with everything that makes going back hard: mini-batches of two sizes, shuffling, momentum. */
export const smallSpec = {
  data: { type: 'circles', samples: 50 },
  layers: [{ type: 'linear', out_features: 4 }, 'tanh', { type: 'linear', out_features: 2 }],
  loss: 'cross_entropy',
  optimizer: { type: 'sgd', lr: 0.2, momentum: 0.9 },
  batch_size: 8,
  epochs: 40,
};
