// Combines a resolved spec and its data into a run.
import { augmentations } from '../engine/augmentations';
import type { Dataset } from '../engine/datasets/dataset';
import { fillMissing } from '../engine/datasets/fill-missing';
import type { LayerModel, NetworkModel } from '../engine/network-model';
import { optimizers } from '../engine/optimizers';
import type { CooperativeTask } from '../engine/cooperative-task';
import { Random } from '../engine/random';
import { schedules } from '../engine/schedules';
import { transforms } from '../engine/transforms';
import { applyTransforms, type Transform } from '../engine/transforms/apply-transforms';
import type { CompiledRun } from './compiled-run';
import type { RuleSettings } from '../protocol/problem';
import type { Resolved } from './resolve';
import { openSourceTask } from './read-data';
import { checkIndices } from './check-indices';
import { encodeTargets } from './target-encoding';

export type { CompiledRun, GradientCheckOptions } from './compiled-run';

/** Splits the samples by the seed; each split is in the order of the data. */
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

/** Fits the layers that need it to the training split. */
function* fitLayers(
  model: NetworkModel,
  seed: number,
  { inputs, inputShape: shape }: Dataset,
  trainIndices: Uint32Array,
): CooperativeTask<NetworkModel> {
  const layers: LayerModel[] = [];
  for (const layer of model.layers) {
    const { name, definition, options } = layer;
    const random = new Random(seed, 'fit').stream(name);
    layers.push(
      definition.fit
        ? { ...layer, fittedBuffers: yield* definition.fit.buffers({ options, inputs, shape, trainIndices, random }) }
        : layer,
    );
  }
  return { ...model, layers };
}

/**
 * @param dataset data of the resolved shape; its inputs are transformed in place
 * @throws DataError if the loss cannot take the targets
 */
export function* compileRunTask(
  resolved: Resolved,
  dataset: Dataset,
  ruleSettings: RuleSettings = {},
): CooperativeTask<CompiledRun> {
  const { spec, model, encoding, targetWidth, batchSize, samples, memory } = resolved;
  const split = splitSamples(resolved);
  if (dataset.fillMissing) fillMissing(dataset.inputs, dataset.inputShape, split.train, dataset.featureNames);
  const targets = encodeTargets(dataset, encoding, targetWidth, model.loss.definition, model.loss.options);
  const unfittedTransforms = spec.transforms.map(({ type, options }): Transform => ({
    definition: transforms[type],
    options,
  }));
  const fittedTransforms = yield* applyTransforms(unfittedTransforms, dataset.inputs, dataset.inputShape, split.train);
  checkIndices(model, dataset, spec.transforms[0]?.type);
  return {
    name: spec.name,
    model: yield* fitLayers(model, spec.seed, dataset, split.train),
    dataset,
    transforms: fittedTransforms,
    augmentations: spec.augment.map(({ type, options }) => ({
      definition: augmentations[type],
      options,
    })),
    targets,
    targetWidth,
    labels: dataset.classes ?? null,
    openSource: (files) => openSourceTask(spec, files),
    split,
    batchSize,
    shuffle: spec.shuffle && batchSize < samples.train,
    epochs: spec.epochs,
    seed: spec.seed,
    precision: spec.precision,
    deterministic: spec.deterministic,
    optimizer: {
      definition: optimizers[spec.optimizer.type],
      options: spec.optimizer.options as { lr: number },
      clip: spec.clip,
    },
    schedule: {
      definition: schedules[spec.schedule.type],
      options: spec.schedule.options,
      per: spec.schedule.per,
      warmup: spec.schedule.warmup,
    },
    gradientCheck: spec.gradientCheck,
    ruleSettings,
    memory,
  };
}
