// Infers every shape once, and refuses what does not fit or would not fit into memory. Past this point shapes
// are taken to be right.
import { counted, isOrAre } from '../engine/counted';
import { isImage } from '../engine/augmentations/augmentation';
import type { DataShape } from '../engine/datasets/dataset';
import { formatShape, type Shape, sizeOf } from '../engine/kernels/tensor';
import { layers as layerTable } from '../engine/layers';
import type { LayerDefinition } from '../engine/layers/layer';
import { losses } from '../engine/losses';
import type { LossDefinition } from '../engine/losses/loss';
import type { LayerModel, NetworkModel, NetworkSize } from '../engine/network';
import { optimizers } from '../engine/optimizers';
import type { OptimizerDefinition } from '../engine/optimizers/optimizer';
import { transforms } from '../engine/transforms';
import type { TransformDefinition } from '../engine/transforms/transform';
import type { CompiledRun } from './compiled';
import { faultProblem, type LayerCode } from './layer-code';
import { formatBytes, MEMORY_LIMIT, mostToBlame, networkSize, predictBytes } from './memory';
import { suggestion } from './names';
import type { Problem } from './problem';
import { lineOf, type Path, problem, quote } from './source';
import type { Spec } from './spec';
import { type Encoding, fitLoss } from './target';

/** A spec whose shapes are known. */
export interface Resolved {
  readonly spec: Spec;
  readonly data: DataShape;
  readonly model: NetworkModel;
  /** How targets are handed to the loss. */
  readonly encoding: Encoding;
  /** Size of the network's output. */
  readonly targetWidth: number;
  readonly samples: Readonly<Record<'train' | 'validation' | 'test', number>>;
  readonly batchSize: number;
  readonly size: NetworkSize;
  /** Predicted bytes of tensors and data. */
  readonly memory: number;
}

/** A rule about a spec that could run but will hardly do what was meant. */
export interface SpecRule {
  readonly id: string;
  rule(resolved: Resolved): readonly Problem[];
  /** The same of the data, once it is read and transformed. */
  ofData?(resolved: Resolved, run: CompiledRun): readonly Problem[];
}

export interface ResolveOptions {
  /** Bytes; 1 GB unless told. */
  readonly memoryLimit?: number;
  /** The custom layers; without them nothing is known from the first one on. */
  readonly code?: LayerCode;
}

const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, i) => size === b[i]);

const inputsInWords = (shape: Shape): string => (sizeOf(shape) === 1 ? '1 input' : `${formatShape(shape)} inputs`);

/** The first path of several that the text has. */
const firstWritten = ({ source }: Spec, paths: readonly Path[]): Path =>
  paths.find((path) => source.has(path)) ?? paths[paths.length - 1];

interface Chain {
  /** Up to the first custom layer that is not loaded or has a fault. */
  readonly layers: readonly LayerModel[];
  readonly problems: readonly Problem[];
}

function inferShapes(spec: Spec, inputShape: Shape, code: LayerCode | undefined): Chain {
  const problems: Problem[] = [];
  let shape = inputShape;
  let giver = 'the data';
  // The layer that fixes the size at hand; activations only pass it on.
  let sizedBy: string | undefined;
  const layers: LayerModel[] = [];
  /** Puts a layer on top; false where it cannot take what is given, and what follows has no shape to go by. */
  const add = (i: number, definition: LayerDefinition): boolean => {
    const layer = spec.layers[i];
    const misfit = definition.misfit?.(shape, layer.options);
    if (misfit) {
      const path = firstWritten(spec, [...(misfit.option ? [[...layer.path, misfit.option]] : []), layer.path]);
      const message = `${layer.name} ${misfit.needs}, but ${giver} gives ${formatShape(shape)}.`;
      problems.push(problem('shape-mismatch', spec.source.locate(path), message, misfit.remedy));
      return false;
    }
    if (definition.fit && i > 0) {
      const message = `${layer.name} compares with training samples as the data has them, but ${spec.layers[i - 1].name} stands ahead of it.`;
      problems.push(problem('not-first', layer.range, message, `Make ${layer.name} the first layer; what comes before it can be a transform of the data.`));
      return false;
    }
    const expected = definition.expectedInput?.(layer.options);
    if (expected && !sameShape(expected, shape)) {
      const path = firstWritten(spec, [[...layer.path, 'in_features'], [...layer.path, 'weight'], layer.path]);
      const given = formatShape(shape);
      const own =
        path.at(-1) === 'weight'
          ? `Give each row of "weight" in ${layer.name} ${given} numbers`
          : `Make ${layer.name} take ${given}`;
      problems.push(
        problem(
          'shape-mismatch',
          spec.source.locate(path),
          `${layer.name} expects ${inputsInWords(expected)}, but ${giver} gives ${given}.`,
          sizedBy ? `${own}, or make ${sizedBy} give ${formatShape(expected)}.` : `${own}.`,
        ),
      );
    }
    const input = expected ?? shape;
    shape = definition.outputShape(input, layer.options);
    giver = layer.name;
    if (definition.parameters) sizedBy = layer.name;
    problems.push(...checkFreeze(spec, i, definition, input));
    const { name, options, freeze, range } = layer;
    layers.push({ name, definition, options, inputShape: input, outputShape: shape, freeze, line: lineOf(spec.source.text, range.start) });
    return true;
  };
  for (const [i, { type }] of spec.layers.entries()) {
    if (type !== 'custom') {
      if (!add(i, layerTable[type] as LayerDefinition)) break;
      continue;
    }
    if (!code) break;
    try {
      const definition = code.definition(i);
      add(i, definition);
      // Asked here, where what is wrong with them has a place in the spec.
      definition.parameters?.(layers[i].inputShape, layers[i].options);
    } catch (error) {
      problems.push(faultProblem(spec, i, error));
      break;
    }
  }
  return { layers, problems };
}

function checkFreeze(spec: Spec, index: number, definition: LayerDefinition, input: Shape): Problem[] {
  const { name, freeze, options, path } = spec.layers[index];
  if (freeze.length === 0) return [];
  const known = (definition.parameters?.(input, options) ?? []).map((parameter) => parameter.name);
  return freeze.flatMap((wanted, i) =>
    known.includes(wanted)
      ? []
      : problem(
          'unknown-parameter',
          spec.source.locate([...path, 'freeze', i]),
          known.length === 0 ? `${name} has no parameters to freeze.` : `${name} has no parameter ${quote(wanted)}.`,
          known.length === 0 ? 'Remove "freeze".' : suggestion(wanted, known),
        ),
  );
}

/** Whether transforms and augmentations are for samples of this shape. */
function checkInputs(spec: Spec, shape: Shape): Problem | undefined {
  const size = sizeOf(shape);
  for (const { type, range } of spec.transforms) {
    const { mostFeatures = Infinity } = transforms[type] as TransformDefinition;
    if (size <= mostFeatures) continue;
    return problem(
      'too-many-features', range, `${type} takes at most ${mostFeatures} features, but a sample has ${size}.`,
      'Use "standardize" here, or data with fewer features.',
    );
  }
  if (spec.augment.length === 0 || isImage(shape)) return undefined;
  return problem(
    'no-images', spec.augment[0].range,
    `${spec.augment[0].type} is for images, height × width or channels × height × width, but a sample has the shape ${formatShape(shape)}.`,
    'Remove it, or give data with images.',
  );
}

/** Whether there are training samples enough for the layers that learn of them. */
function checkFits(spec: Spec, layers: readonly LayerModel[], train: number): Problem | undefined {
  for (const [i, { name, definition, options }] of layers.entries()) {
    const [samples, option] = definition.fit?.samples(options) ?? [0, ''];
    if (samples <= train) continue;
    return problem(
      'too-few-samples', spec.source.locate(firstWritten(spec, [[...spec.layers[i].path, option], spec.layers[i].path])),
      `${name} takes ${counted(samples, 'training sample')} as its ${option}, but there ${isOrAre(train)} ${train}.`,
      `Set "${option}" to ${train} or less, or give more samples.`,
    );
  }
  return undefined;
}

/** Samples of a part: a share that is not 0 holds out at least one. */
const partOf = (samples: number, share: number): number => (share > 0 ? Math.max(1, Math.round(samples * share)) : 0);

/**
 * Infers shapes from the data to the loss.
 * @returns `resolved` unless a problem is an error, or custom layers are not loaded
 */
export function resolve(
  spec: Spec,
  data: DataShape,
  { memoryLimit = MEMORY_LIMIT, code }: ResolveOptions = {},
): { readonly resolved?: Resolved; readonly problems: readonly Problem[] } {
  const { layers, problems } = inferShapes(spec, data.inputShape, code);
  if (problems.length > 0 || layers.length < spec.layers.length) return { problems };

  const loss: NetworkModel['loss'] = { definition: losses[spec.loss.type] as LossDefinition, options: spec.loss.options, line: lineOf(spec.source.text, spec.loss.range.start) };
  const { penalty } = spec;
  const model: NetworkModel = { inputShape: data.inputShape, layers, loss, ...(penalty.l1 + penalty.l2 > 0 && { penalty }) };
  const fit = fitLoss(spec, model, data);
  if ('problem' in fit) return { problems: [fit.problem] };

  const validation = partOf(data.samples, spec.data.split.validation);
  const test = partOf(data.samples, spec.data.split.test);
  const train = data.samples - validation - test;
  if (train < 1) {
    const range = spec.source.locate(firstWritten(spec, [['data', 'split'], ['data']]));
    return {
      problems: [
        problem(
          'empty-train', range,
          `Of ${counted(data.samples, 'sample')}, ${validation} ${isOrAre(validation)} held out for validation and ${test} for the test: ` +
            'none is left to train on.',
          'Give more samples, or hold out less in "split".',
        ),
      ],
    };
  }

  const unfit = checkInputs(spec, data.inputShape) ?? checkFits(spec, layers, train);
  if (unfit) return { problems: [unfit] };

  const batchSize = spec.batchSize === 'full' ? train : Math.min(spec.batchSize, train);
  const targetWidth = sizeOf(layers[layers.length - 1].outputShape);
  const optimizer = optimizers[spec.optimizer.type] as OptimizerDefinition;
  const optimizerTensors = optimizer.state(spec.optimizer.options as { lr: number }).length;
  const largestPart = Math.max(train, validation, test);
  const needs = { model, data, targetWidth, largestPart, batchSize, optimizerTensors, precision: spec.precision };
  const memory = predictBytes(needs);
  if (memory > memoryLimit) {
    const path = firstWritten(spec, mostToBlame(needs, spec.layers));
    return {
      problems: [
        problem(
          'too-large',
          spec.source.locate(path),
          `This run would need ${formatBytes(memory)}; the limit is ${formatBytes(memoryLimit)}.`,
          'Choose a smaller size here.',
        ),
      ],
    };
  }
  const samples = { train, validation, test };
  return {
    resolved: { spec, data, model, encoding: fit.encoding, targetWidth, samples, batchSize, size: networkSize(needs), memory },
    problems: [],
  };
}
