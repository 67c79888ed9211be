// Puts a resolved spec and its data together into what a session runs.
import { augmentations } from '../engine/augmentations';
import type { AugmentationDefinition } from '../engine/augmentations/augmentation';
import type { Dataset } from '../engine/datasets/dataset';
import type { LayerModel, NetworkModel } from '../engine/network';
import { optimizers } from '../engine/optimizers';
import type { OptimizerDefinition } from '../engine/optimizers/optimizer';
import type { InPieces } from '../engine/pieces';
import { Random } from '../engine/random';
import { schedules } from '../engine/schedules';
import type { ScheduleDefinition } from '../engine/schedules/schedule';
import { transforms } from '../engine/transforms';
import { applyTransforms, type Transform } from '../engine/transforms/apply';
import type { TransformDefinition } from '../engine/transforms/transform';
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
    test: order.subarray(0, test).sort(),
    validation: order.subarray(test, test + validation).sort(),
    train: order.subarray(test + validation).sort(),
  };
}

/** Layers that learn of the training part have done so. */
function* fittedModel(model: NetworkModel, seed: number, { inputs, inputShape: shape }: Dataset, train: Uint32Array): InPieces<NetworkModel> {
  const layers: LayerModel[] = [];
  for (const layer of model.layers) {
    const { name, definition, options } = layer;
    const random = new Random(seed, 'fit').stream(name);
    layers.push(definition.fit ? { ...layer, fitted: yield* definition.fit.buffers({ options, inputs, shape, train, random }) } : layer);
  }
  return { ...model, layers };
}

/**
 * @param dataset data of the shape that the spec was resolved with; its inputs are transformed in place
 * @throws DataError where targets are not what the loss is for
 */
export function* compilingRun(resolved: Resolved, dataset: Dataset): InPieces<CompiledRun> {
  const { spec, model, encoding, targetWidth, batchSize, samples, memory } = resolved;
  const split = splitSamples(resolved);
  const targets = encodeTargets(dataset, encoding, targetWidth, model.loss.definition);
  const chosen = spec.transforms.map(({ type, options }): Transform => ({ definition: transforms[type] as TransformDefinition, options }));
  const fitted = yield* applyTransforms(chosen, dataset.inputs, dataset.inputShape, split.train);
  return {
    name: spec.name,
    model: yield* fittedModel(model, spec.seed, dataset, split.train),
    dataset,
    transforms: fitted,
    augmentations: spec.augment.map(({ type, options }) => ({ definition: augmentations[type] as AugmentationDefinition, options })),
    targets,
    targetWidth,
    labels: dataset.classes ?? null,
    split,
    batchSize,
    shuffle: spec.shuffle && batchSize < samples.train,
    epochs: spec.epochs,
    seed: spec.seed,
    precision: spec.precision,
    deterministic: spec.deterministic,
    optimizer: {
      definition: optimizers[spec.optimizer.type] as OptimizerDefinition,
      options: spec.optimizer.options as { lr: number },
      clip: spec.clip,
    },
    schedule: {
      definition: schedules[spec.schedule.type] as ScheduleDefinition,
      options: spec.schedule.options,
      per: spec.schedule.per,
      warmup: spec.schedule.warmup,
    },
    gradientCheck: spec.gradientCheck,
    memory,
  };
}
