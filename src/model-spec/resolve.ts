// Infers all shapes once, and rejects networks whose layers do not fit together or that do not fit into memory. The
// engine relies on these shapes and does not check them again.
import { pluralize, isOrAre } from '../engine/format-count';
import { isImage } from '../engine/augmentations/augmentation';
import type { DataShape } from '../engine/datasets/dataset';
import { formatShape, type Shape, numel } from '../engine/kernels/tensor';
import { customLossSpec } from '../engine/custom/custom-loss-spec';
import { losses } from '../engine/losses';
import type { LossDefinition } from '../engine/losses/loss';
import type { Penalty } from '../engine/penalty';
import type { LayerModel, NetworkModel, NetworkSize } from '../engine/network-model';
import { optimizers } from '../engine/optimizers';
import type { OptimizerDefinition } from '../engine/optimizers/optimizer';
import { transforms } from '../engine/transforms';
import type { TransformDefinition } from '../engine/transforms/transform';
import { checkAuxiliaryLosses, toAuxiliaryLosses } from './auxiliary-losses';
import { type CustomLayerProvider, indexOfRole, layerFaultToProblem } from './custom-layers';
import { firstExistingPath, inferShapes } from './infer-shapes';
import { formatBytes, MEMORY_LIMIT, largestMemoryPaths, networkSize, predictBytes } from './memory';
import type { RecoveredSpec } from './parse';
import type { Problem } from '../protocol/problem';
import { createProblem } from './spec-source';
import type { Spec } from './spec';
import { type TargetEncoding, chooseTargetEncoding } from './target-encoding';

/** A spec with all its shapes. */
export interface Resolved {
  readonly spec: Spec;
  readonly data: DataShape;
  readonly model: NetworkModel;
  /** The form in which the loss gets the targets. */
  readonly encoding: TargetEncoding;
  /** Size of the network's output. */
  readonly targetWidth: number;
  readonly samples: Readonly<Record<'train' | 'validation' | 'test', number>>;
  readonly batchSize: number;
  readonly size: NetworkSize;
  /** Predicted bytes of tensors and data. */
  readonly memory: number;
}

export interface ResolveOptions {
  /** Bytes; 1 GB by default. */
  readonly memoryLimit?: number;
  /** The custom layers. Without them, shapes are unknown from the first one on. */
  readonly customLayers?: CustomLayerProvider | undefined;
}

/** Transforms and augmentations that cannot handle samples of this shape. */
function checkInputs(spec: Spec, shape: Shape): Problem[] {
  const size = numel(shape);
  const problems = spec.transforms.flatMap(({ type, range }) => {
    const { maxFeatures = Infinity } = transforms[type] as TransformDefinition;
    if (size <= maxFeatures) return [];
    return createProblem(
      'too-many-features',
      range,
      `${type} takes at most ${maxFeatures} features, but a sample has ${size}.`,
      'Use "standardize" instead, or data with fewer features.',
    );
  });
  const [first] = spec.augment;
  if (!first || isImage(shape)) return problems;
  const { type, range } = first;
  const message = `${type} needs images (height × width or channels × height × width), but a sample has the shape ${formatShape(shape)}.`;
  return [...problems, createProblem('no-images', range, message, 'Remove it, or use data with images.')];
}

/** Layers that are fitted to more training samples than there are. */
const checkFitSamples = (spec: Spec, layers: readonly LayerModel[], train: number): Problem[] =>
  layers.flatMap(({ name, definition, options }, i) => {
    const [samples, option] = definition.fit?.requiredSamples(options) ?? [0, ''];
    if (samples <= train) return [];
    const { path } = spec.layers[i]!;
    return createProblem(
      'too-few-samples',
      spec.source.locate(firstExistingPath(spec, [[...path, option], path])),
      `${name} needs ${pluralize(samples, 'training sample')} as its ${option}, but there ${isOrAre(train)} ${train}.`,
      `Set "${option}" to ${train} or less, or use more samples.`,
    );
  });

/** Samples of a split: a share above 0 holds out at least one. */
const splitSize = (samples: number, fraction: number): number =>
  fraction > 0 ? Math.max(1, Math.round(samples * fraction)) : 0;

/** How many samples each split has. */
function splitSizes(spec: Spec, { samples }: DataShape): Resolved['samples'] {
  const validation = splitSize(samples, spec.data.split.validation);
  const test = splitSize(samples, spec.data.split.test);
  return { train: samples - validation - test, validation, test };
}

function checkTrainSplit(spec: Spec, data: DataShape, { train, validation, test }: Resolved['samples']): Problem[] {
  if (train >= 1) return [];
  return [
    createProblem(
      'empty-train',
      spec.source.locate(firstExistingPath(spec, [['data', 'split'], ['data']])),
      `No training samples are left: of ${pluralize(data.samples, 'sample')}, ${validation} ${isOrAre(validation)} held out ` +
        `for validation and ${test} for the test.`,
      'Use more samples, or hold out less in "split".',
    ),
  ];
}

/** Errors in the shapes of a spec, of which only some layers may be known. */
export function findShapeErrors({ spec, isComplete }: RecoveredSpec, data: DataShape): readonly Problem[] {
  return isComplete ? resolve(spec, data).problems : inferShapes(spec, data, undefined).problems;
}

interface LossAndPenalty {
  /** Undefined if it is a custom one that is not loaded. */
  readonly definition?: LossDefinition | undefined;
  /** Null without a penalty; undefined if it is a custom one that is not loaded. */
  readonly penalty?: Penalty | null | undefined;
  readonly problems: readonly Problem[];
}

/** The loss and the penalty, either of which may be a file of its own. */
function resolveCustomCode(spec: Spec, customLayers: CustomLayerProvider | undefined): LossAndPenalty {
  const { loss, penalty } = spec;
  const problems: Problem[] = [];
  const load = <Definition>(role: 'loss' | 'penalty', get: () => Definition): Definition | undefined => {
    try {
      return get();
    } catch (error) {
      problems.push(layerFaultToProblem(spec, indexOfRole(spec, role), error));
      return undefined;
    }
  };
  const definition: LossDefinition | undefined =
    loss.type === customLossSpec.kind ? load('loss', () => customLayers?.getLoss?.()) : losses[loss.type];
  const { l1, l2, biases, module, options = {} } = penalty;
  const ownPenalty = module === undefined ? undefined : load('penalty', () => customLayers?.getPenalty?.());
  const terms = { l1, l2, biases };
  return {
    definition,
    penalty: ownPenalty
      ? {
          ...terms,
          custom: {
            definition: ownPenalty,
            options,
            line: spec.source.lineAt(spec.source.locate(['penalty']).start),
          },
        }
      : module !== undefined
        ? undefined
        : l1 + l2 > 0
          ? terms
          : null,
    problems,
  };
}

/**
 * Infers all shapes from the data to the loss.
 * @returns `resolved` unless there is an error, or custom layers are not loaded
 */
export function resolve(
  spec: Spec,
  data: DataShape,
  { memoryLimit = MEMORY_LIMIT, customLayers }: ResolveOptions = {},
): { readonly resolved?: Resolved; readonly problems: readonly Problem[] } {
  const samples = splitSizes(spec, data);
  const { layers, problems: shapeProblems } = inferShapes(spec, data, customLayers);
  const problems = [...checkTrainSplit(spec, data, samples), ...checkInputs(spec, data.inputShape), ...shapeProblems];
  if (shapeProblems.length > 0 || layers.length < spec.layers.length) return { problems };

  const { loss } = spec;
  const { definition, penalty, problems: codeProblems } = resolveCustomCode(spec, customLayers);
  problems.push(...codeProblems);
  if (!definition || penalty === undefined) return { problems };
  const model: NetworkModel = {
    inputShape: data.inputShape,
    layers,
    loss: { definition, options: loss.options, line: spec.source.lineAt(loss.range.start) },
    ...(spec.auxiliaryLosses.length > 0 && { auxiliaryLosses: toAuxiliaryLosses(spec) }),
    ...(penalty && { penalty }),
  };
  if (samples.train >= 1) problems.push(...checkFitSamples(spec, layers, samples.train));
  const { encoding, problem: targetProblem } = chooseTargetEncoding(spec, model, data);
  if (targetProblem) problems.push(targetProblem);
  else problems.push(...checkAuxiliaryLosses(spec, model, data));
  if (!encoding || problems.length > 0) return { problems };

  const batchSize = spec.batchSize === 'full' ? samples.train : Math.min(spec.batchSize, samples.train);
  const targetWidth = numel(layers.at(-1)!.outputShape);
  const optimizer = optimizers[spec.optimizer.type] as OptimizerDefinition;
  const requirements = {
    model,
    data,
    targetWidth,
    largestSplit: Math.max(...Object.values(samples)),
    batchSize,
    optimizerTensors: optimizer.state(spec.optimizer.options as { lr: number }).length,
    precision: spec.precision,
  };
  const memory = predictBytes(requirements);
  if (memory > memoryLimit) {
    const path = firstExistingPath(spec, largestMemoryPaths(requirements, spec.layers));
    const message = `This run needs ${formatBytes(memory)} of memory. The limit is ${formatBytes(memoryLimit)}.`;
    return { problems: [createProblem('too-large', spec.source.locate(path), message, 'Choose a smaller size here.')] };
  }
  const size = networkSize(requirements);
  return {
    resolved: { spec, data, model, encoding, targetWidth, samples, batchSize, size, memory },
    problems: [],
  };
}
