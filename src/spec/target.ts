// Whether the network's output, the loss and the targets belong together, and how targets reach the loss.
import { DataError, type Dataset, type DataShape, type TargetData } from '../engine/datasets/dataset';
import { formatShape, sizeOf } from '../engine/kernels/tensor';
import type { LossDefinition } from '../engine/losses/loss';
import type { NetworkModel } from '../engine/network';
import type { Problem } from './problem';
import { problem } from './source';
import type { Spec } from './spec';

/** Values as they are; classes as one-hot rows; two classes as one column of 0 and 1. */
export type Encoding = 'values' | 'one_hot' | 'column';

const outputs = (count: number): string => `${count} output${count === 1 ? '' : 's'}`;

type Fit = { readonly encoding: Encoding } | { readonly problem: Problem };

/** The encoding that a loss takes of this data, or why there is none. */
export function fitLoss(spec: Spec, model: NetworkModel, data: DataShape): Fit {
  const { definition } = model.loss;
  const last = model.layers[model.layers.length - 1];
  const width = sizeOf(last.outputShape);
  const { classes } = data;
  if (last.outputShape.length !== 1) {
    const message = `${definition.kind} compares one row of numbers a sample, but ${last.name} gives ${formatShape(last.outputShape)}.`;
    const { range } = spec.layers[spec.layers.length - 1];
    return { problem: problem('loss-mismatch', range, message, 'Add "flatten" as the last layer.') };
  }
  if (classes === undefined) {
    if (definition.target === 'classes' && data.targetSize === 1) {
      return {
        problem: problem(
          'loss-needs-classes',
          spec.loss.range,
          `${definition.kind} is for classes, but the data has values to predict.`,
          'Use "mse" for values, or give data with classes.',
        ),
      };
    }
    if (width === data.targetSize) return { encoding: 'values' };
    const has = `A target has ${data.targetSize} value${data.targetSize === 1 ? '' : 's'}`;
    return { problem: wrongWidth(spec, model, has, [data.targetSize]) };
  }
  if (width === classes) return { encoding: 'one_hot' };
  const column = definition.target !== 'classes' && classes === 2;
  if (column && width === 1) return { encoding: 'column' };
  const needs = `${definition.kind} needs one output for each of the ${classes} classes${column ? ', or a single one' : ''}`;
  return { problem: wrongWidth(spec, model, needs, column ? [2, 1] : [classes]) };
}

/** `widths`: what would fit, the best first. */
function wrongWidth(spec: Spec, model: NetworkModel, needs: string, widths: readonly number[]): Problem {
  const last = model.layers[model.layers.length - 1];
  const message = `${needs}, but ${last.name} gives ${outputs(sizeOf(last.outputShape))}.`;
  let sized = model.layers.length - 1;
  while (sized >= 0 && !model.layers[sized].definition.parameters) sized--;
  // Units are what linear layers have; what follows must pass their number on.
  if (sized < 0 || model.layers[sized].outputShape.join() !== last.outputShape.join()) {
    const remedy = `Add { "type": "linear", "out_features": ${widths[0]} } to the layers.`;
    return problem('loss-mismatch', spec.layers[spec.layers.length - 1].range, message, remedy);
  }
  const path = [...spec.layers[sized].path, 'out_features'];
  const range = spec.source.has(path) ? spec.source.locate(path) : spec.layers[sized].range;
  const { target, threshold } = model.loss.definition;
  const single = target === 'classes' && sizeOf(last.outputShape) === 1 && widths[0] === 2;
  // A loss for classes with its threshold at 0 takes logits.
  const other = single ? `, or use "${threshold === 0 ? 'bce_with_logits' : 'bce'}" for a single output` : '';
  return problem('loss-mismatch', range, message, `Give ${model.layers[sized].name} ${widths.join(' or ')} units${other}.`);
}

/**
 * Targets as the loss takes them.
 * @returns [samples, width]
 * @throws DataError where values are not what the loss is for
 */
export function encodeTargets(dataset: Dataset, encoding: Encoding, width: number, loss: LossDefinition): TargetData {
  const { targets, samples, targetSize } = dataset;
  if (encoding === 'column') return targets;
  if (encoding === 'one_hot') {
    const oneHot = new Uint8Array(samples * width);
    for (let i = 0; i < samples; i++) oneHot[i * width + targets[i]] = 1;
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
      const value = targets[i * targetSize + j];
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
        `Sample ${i + 1}: the targets sum to ${sum}; ${loss.kind} takes shares that sum to 1.`,
        'Correct the targets, or use "mse" for any values.',
        ['targets', i],
      );
    }
  }
}
