// Puts a resolved spec and its data together into what a session runs.
import type { Dataset } from '../engine/datasets/dataset';
import { optimizers } from '../engine/optimizers';
import type { OptimizerDefinition } from '../engine/optimizers/optimizer';
import { Random } from '../engine/random';
import type { CompiledRun } from './compiled';
import type { Resolved } from './resolve';
import { encodeTargets } from './target';

export type { CompiledRun, GradientCheckOptions } from './compiled';

/** Which samples belong to which part, drawn from the seed; each part in the order of the data. */
function splitSamples({ spec, samples, data }: Resolved): CompiledRun['split'] {
  const { validation, test } = samples;
  const order =
    validation + test === 0
      ? Uint32Array.from({ length: data.samples }, (_, i) => i)
      : new Random(spec.seed, 'split').permutation(data.samples);
  return {
    test: order.slice(0, test).sort(),
    validation: order.slice(test, test + validation).sort(),
    train: order.slice(test + validation).sort(),
  };
}

/**
 * @param dataset data of the shape that the spec was resolved with
 * @throws DataError where targets are not what the loss is for
 */
export function compileRun(resolved: Resolved, dataset: Dataset): CompiledRun {
  const { spec, model, encoding, targetWidth, batchSize, samples, memory } = resolved;
  return {
    name: spec.name,
    model,
    dataset,
    targets: encodeTargets(dataset, encoding, targetWidth, model.loss.definition),
    targetWidth,
    labels: dataset.classes ?? null,
    split: splitSamples(resolved),
    batchSize,
    shuffle: spec.shuffle && batchSize < samples.train,
    epochs: spec.epochs,
    seed: spec.seed,
    precision: spec.precision,
    deterministic: spec.deterministic,
    optimizer: {
      definition: optimizers[spec.optimizer.type] as OptimizerDefinition,
      options: spec.optimizer.options as { lr: number },
    },
    gradientCheck: spec.gradientCheck,
    memory,
  };
}
