// Whether the network's output, the loss and the targets fit together, and the form in which the loss gets the targets.
import type { Problem } from '../protocol/problem';
import { DataError } from '../engine/datasets/data-error';
import type { Dataset, DataShape, TargetData } from '../engine/datasets/dataset';
import { formatShape, numel } from '../engine/kernels/tensor';
import type { LossDefinition } from '../engine/losses/loss';
import type { NetworkModel } from '../engine/network-model';
import { inputsOf, NETWORK_INPUT } from '../engine/network-graph';
import { createProblem } from './spec-source';
import type { Spec } from './spec';

/** Values unchanged; classes as one-hot rows; two classes as one column of 0 and 1. */
export type TargetEncoding = 'values' | 'one_hot' | 'column';

const countOutputs = (count: number): string => `${count} output${count === 1 ? '' : 's'}`;

type EncodingResult =
  | { readonly encoding: TargetEncoding; readonly problem?: undefined }
  | { readonly encoding?: undefined; readonly problem: Problem };

/** The encoding of this data for a loss, or why there is none. */
export function chooseTargetEncoding(spec: Spec, model: NetworkModel, data: DataShape): EncodingResult {
  const { definition } = model.loss;
  const last = model.layers.at(-1)!;
  const width = numel(last.outputShape);
  const { classes } = data;
  // A class for each sample is one for its only position, too: that of text of the length 1.
  const hasOnePosition = definition.atPositions && last.outputShape.length === 2 && last.outputShape[0] === 1;
  const atPositions = classes !== undefined && (data.targetSize > 1 || hasOnePosition);
  const wanted = atPositions && definition.atPositions ? ([data.targetSize, classes] as const) : null;
  const lastRange = spec.layers.at(-1)!.range;
  if (atPositions && !definition.atPositions) {
    return {
      problem: createProblem(
        'loss-mismatch',
        spec.loss.range,
        `The data has a class at each of ${data.targetSize} positions, which ${definition.kind} does not take.`,
        'Use "cross_entropy".',
      ),
    };
  }
  if (last.outputShape.length !== (wanted ? 2 : 1)) {
    const takes = wanted
      ? `a row of numbers at each of the ${wanted[0]} positions of a sample`
      : 'one row of numbers per sample';
    const message = `${definition.kind} takes ${takes}, but ${last.name} gives ${formatShape(last.outputShape)}.`;
    const remedy = wanted
      ? 'Keep the positions up to the last layer: remove "flatten".'
      : 'Add "flatten" as the last layer.';
    return { problem: createProblem('loss-mismatch', lastRange, message, remedy) };
  }
  const optionProblem = checkClassOptions(spec, definition.classOptions?.(model.loss.options) ?? {}, classes);
  if (optionProblem) return { problem: optionProblem };
  if (wanted) {
    if (last.outputShape[0] !== wanted[0]) {
      const message = `The data has a class at each of ${wanted[0]} positions, but ${last.name} gives ${last.outputShape[0]!} positions.`;
      return { problem: createProblem('loss-mismatch', lastRange, message, 'Keep the positions of the data.') };
    }
    if (last.outputShape[1] === wanted[1]) return { encoding: 'one_hot' };
    const needs = `${definition.kind} needs one output for each of the ${wanted[1]} classes at each position`;
    return { problem: outputWidthProblem(spec, model, needs, [wanted[1]]) };
  }
  if (classes === undefined) {
    if (definition.target === 'classes' && data.targetSize === 1) {
      return {
        problem: createProblem(
          'loss-needs-classes',
          spec.loss.range,
          `${definition.kind} is for classes, but the data has values to predict.`,
          'Use "mse" for values, or data with classes.',
        ),
      };
    }
    if (width === data.targetSize) return { encoding: 'values' };
    const has = `A target has ${data.targetSize} value${data.targetSize === 1 ? '' : 's'}`;
    return { problem: outputWidthProblem(spec, model, has, [data.targetSize]) };
  }
  if (width === classes) return { encoding: 'one_hot' };
  const column = definition.target !== 'classes' && classes === 2;
  if (column && width === 1) {
    if (definition.threshold !== null) return { encoding: 'column' };
    return {
      problem: createProblem(
        'loss-threshold',
        spec.loss.range,
        `${definition.kind} does not say which outputs mean the second of the two classes, so accuracy is not known.`,
        'Add "threshold" to the loss: threshold: 0 for logits, threshold: 0.5 for probabilities. Or use two outputs.',
      ),
    };
  }
  const needs = `${definition.kind} needs one output for each of the ${classes} classes${column ? ', or a single one' : ''}`;
  return { problem: outputWidthProblem(spec, model, needs, column ? [2, 1] : [classes]) };
}

/** Why the loss cannot have its options about classes with this data. */
function checkClassOptions(
  spec: Spec,
  { weight, ignoreIndex }: { readonly weight?: number; readonly ignoreIndex?: number },
  classes: number | undefined,
): Problem | undefined {
  const fail = (option: string, message: string, remedy: string): Problem =>
    createProblem('loss-mismatch', spec.source.locate(['loss', option]), message, remedy);
  if (classes === undefined) {
    const option = weight !== undefined ? 'weight' : ignoreIndex !== undefined ? 'ignore_index' : undefined;
    return option === undefined
      ? undefined
      : fail(option, `"${option}" is for classes, but the data has values.`, 'Remove it, or use data with classes.');
  }
  if (weight !== undefined && weight !== classes)
    return fail('weight', `There are ${weight} class weights for ${classes} classes.`, 'Write one weight per class.');
  if (ignoreIndex !== undefined && ignoreIndex >= classes)
    return fail(
      'ignore_index',
      `${ignoreIndex} is not the index of a class: there are ${classes} classes.`,
      `Choose an index from 0 to ${classes - 1}, or remove it.`,
    );
  return undefined;
}

/** @param widths widths that fit, the best first */
function outputWidthProblem(spec: Spec, model: NetworkModel, needs: string, widths: readonly number[]): Problem {
  const last = model.layers.at(-1)!;
  const message = `${needs}, but ${last.name} gives ${countOutputs(last.outputShape.at(-1)!)}.`;
  let sizedIndex = model.layers.length - 1;
  while (sizedIndex >= 0 && !model.layers[sizedIndex]!.definition.parameters) {
    const [input, ...others] = inputsOf(model, sizedIndex);
    sizedIndex = others.length > 0 ? NETWORK_INPUT : input!;
  }
  const sized = model.layers[sizedIndex];
  // Only the layers after the last sized one are known to keep the width.
  if (!sized || sized.outputShape.join() !== last.outputShape.join()) {
    const remedy = `Add { "type": "linear", "out_features": ${widths[0]} } to the layers.`;
    return createProblem('loss-mismatch', spec.layers.at(-1)!.range, message, remedy);
  }
  const sizedLayer = spec.layers[sizedIndex]!;
  const path = [...sizedLayer.path, 'out_features'];
  const range = spec.source.has(path) ? spec.source.locate(path) : sizedLayer.range;
  const { target, threshold } = model.loss.definition;
  const single = target === 'classes' && numel(last.outputShape) === 1 && widths[0] === 2;
  // A loss for classes with its threshold at 0 takes logits.
  const other = single ? `, or use "${threshold === 0 ? 'bce_with_logits' : 'bce'}" for a single output` : '';
  return createProblem('loss-mismatch', range, message, `Give ${sized.name} ${widths.join(' or ')} units${other}.`);
}

/**
 * The targets as the loss takes them.
 * @returns [samples, width]
 * @throws DataError if the loss cannot take the values
 */
export function encodeTargets(
  dataset: Dataset,
  encoding: TargetEncoding,
  width: number,
  loss: LossDefinition,
  options: unknown,
): TargetData {
  const { targets, samples, targetSize } = dataset;
  if (encoding === 'column') return targets;
  if (encoding === 'one_hot') {
    const oneHot = new Uint8Array(samples * width);
    // Of sequences, one row for each position. A class that is no target leaves its row 0.
    const classes = width / targetSize;
    const { ignoreIndex } = loss.classOptions?.(options) ?? {};
    for (let i = 0; i < samples * targetSize; i++)
      if (targets[i] !== ignoreIndex) oneHot[i * classes + targets[i]!] = 1;
    return oneHot;
  }
  if (loss.target !== 'values') checkProbabilities(dataset, loss);
  if (targets.length !== samples * targetSize) throw new RangeError('a dataset must give targetSize targets a sample');
  return targets;
}

function checkProbabilities({ targets, samples, targetSize }: Dataset, loss: LossDefinition): void {
  for (let i = 0; i < samples; i++) {
    let sum = 0;
    for (let j = 0; j < targetSize; j++) {
      const value = targets[i * targetSize + j]!;
      sum += value;
      if (value >= 0 && value <= 1) continue;
      throw new DataError(
        `Sample ${i + 1}: the target ${value} is out of range; ${loss.kind} takes targets from 0 to 1.`,
        'Correct the target, or use "mse" for any values.',
        ['targets', i],
      );
    }
    if (loss.target === 'classes' && Math.abs(sum - 1) > 1e-6) {
      throw new DataError(
        `Sample ${i + 1}: the targets sum to ${sum}; ${loss.kind} takes probabilities that sum to 1.`,
        'Correct the targets, or use "mse" for any values.',
        ['targets', i],
      );
    }
  }
}
