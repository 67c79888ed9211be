// Whether auxiliary losses fit to what they compare: the output of a layer, and the targets or the inputs of the data.
import type { DataShape } from '../engine/datasets/dataset';
import { formatShape, numel } from '../engine/kernels/tensor';
import { losses } from '../engine/losses';
import { ignoreIndexOf } from '../engine/losses/loss';
import type { AuxiliaryLoss, LayerModel, NetworkModel } from '../engine/network-model';
import type { Problem } from '../protocol/problem';
import { createProblem } from './spec-source';
import type { Spec, SpecAuxiliaryLoss } from './spec';

export const toAuxiliaryLosses = (spec: Spec): readonly AuxiliaryLoss[] =>
  spec.auxiliaryLosses.map(({ type, options, name, layer, weight, target, range }) => ({
    name,
    definition: losses[type],
    options,
    layer,
    weight,
    target,
    line: spec.source.lineAt(range.start),
  }));

/** @param model with targets in the form that its loss takes, which an auxiliary loss takes as well */
export function checkAuxiliaryLosses(spec: Spec, model: NetworkModel, data: DataShape): Problem[] {
  return (model.auxiliaryLosses ?? []).flatMap((loss, i) => {
    const written = spec.auxiliaryLosses[i]!;
    const head = model.layers[loss.layer]!;
    const problem =
      loss.target === 'inputs'
        ? checkReconstruction(written, loss, head, model)
        : checkTargets(spec, written, loss, head, model, data);
    return problem ?? [];
  });
}

const mismatch = ({ range }: SpecAuxiliaryLoss, message: string, remedy: string): Problem =>
  createProblem('loss-mismatch', range, message, remedy);

function checkReconstruction(
  written: SpecAuxiliaryLoss,
  { definition }: AuxiliaryLoss,
  head: LayerModel,
  { inputShape }: NetworkModel,
): Problem | undefined {
  if (definition.target !== 'values')
    return mismatch(
      written,
      `${definition.kind} takes classes, not values, as targets, so it cannot compare with the inputs.`,
      'Use "mse", "mae" or "huber".',
    );
  if (numel(head.outputShape) === numel(inputShape)) return undefined;
  return mismatch(
    written,
    `${head.name} gives ${formatShape(head.outputShape)}, but a sample has the shape ${formatShape(inputShape)}.`,
    `Give the head ${numel(inputShape)} outputs.`,
  );
}

function checkTargets(
  spec: Spec,
  written: SpecAuxiliaryLoss,
  { definition, options }: AuxiliaryLoss,
  head: LayerModel,
  model: NetworkModel,
  { classes, targetSize }: DataShape,
): Problem | undefined {
  const { kind, classOptions } = definition;
  const last = model.layers.at(-1)!;
  if (head.outputShape.join() !== last.outputShape.join())
    return mismatch(
      written,
      `${head.name} gives ${formatShape(head.outputShape)}, but the prediction, which has the same targets, is ${formatShape(last.outputShape)}.`,
      `Give ${head.name} as many outputs as ${last.name}, or compare with the inputs: "target": "inputs".`,
    );
  if (classes === undefined && definition.target === 'classes' && targetSize === 1)
    return mismatch(written, `${kind} is for classes, but the data has values to predict.`, 'Use "mse".');
  if (classes !== undefined && targetSize > 1 && !definition.atPositions)
    return mismatch(
      written,
      `The data has a class at each of ${targetSize} positions, which ${kind} does not take.`,
      'Use "cross_entropy".',
    );
  if (definition.target === 'classes' && numel(head.outputShape) === 1)
    return mismatch(
      written,
      `${kind} needs one output for each class, but ${head.name} gives a single one.`,
      'Use "bce_with_logits", or two outputs.',
    );
  const { kind: main, target } = model.loss.definition;
  const isStricter = definition.target !== 'values' && definition.target !== target && target !== 'classes';
  if (classes === undefined && isStricter)
    return mismatch(
      written,
      `${kind} does not take all the targets that ${main} takes.`,
      `Use "${main}" here too, or "mse".`,
    );
  const weights = classOptions?.(options).weight;
  if (weights !== undefined && weights !== classes)
    return mismatch(
      written,
      `There are ${weights} class weights for ${classes ?? 0} classes.`,
      'Write one weight per class.',
    );
  if (ignoreIndexOf({ definition, options }) !== ignoreIndexOf(model.loss))
    return mismatch(
      written,
      'The losses do not ignore the same class.',
      `Write the same "ignore_index" in ${spec.loss.type} and in ${kind}.`,
    );
  return undefined;
}
