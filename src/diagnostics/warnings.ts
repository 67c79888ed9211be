// Helpers for rules: warnings at a position of the spec, the last layer that changes anything, and what follows a
// layer.
import type { Problem, QuickFix } from '../protocol/problem';
import { type LayerModel, type NetworkModel, ownParameters } from '../engine/network-model';
import { consumersOf, hasAuxiliaryLoss, inputsOf } from '../engine/network-graph';
import type { Path, Resolved } from '../model-spec';

/** A warning about layer `index`. */
export function layerWarning(
  { spec }: Resolved,
  index: number,
  code: string,
  message: string,
  remedy: string,
  fix?: QuickFix,
): Problem {
  return { code, severity: 'warning', ...spec.layers[index]!.range, message, remedy, ...(fix && { fix }) };
}

/** A warning about the loss. */
export function lossWarning(
  { spec }: Resolved,
  code: string,
  message: string,
  remedy: string,
  fix?: QuickFix,
): Problem {
  return { code, severity: 'warning', ...spec.loss.range, message, remedy, ...(fix && { fix }) };
}

/** A warning about the data. */
export const dataWarning = (
  { spec }: Resolved,
  code: string,
  message: string,
  remedy: string,
  fix?: QuickFix,
): Problem => ({ code, severity: 'warning', ...spec.data.range, message, remedy, ...(fix && { fix }) });

/** A warning about a part of the spec, by its path. */
export const warningAt = (
  { spec }: Resolved,
  path: Path,
  code: string,
  message: string,
  remedy: string,
  fix?: QuickFix,
): Problem => ({
  code,
  severity: 'warning',
  ...spec.source.locate([...path]),
  message,
  remedy,
  ...(fix && { fix }),
});

/** The last layer that is not an identity or flatten. */
export function lastEffectiveLayer({
  model,
}: Resolved): { readonly layer: LayerModel; readonly index: number } | undefined {
  let index = model.layers.length - 1;
  while (model.layers[index]?.definition.passThrough) index = inputsOf(model, index)[0]!;
  return index < 0 ? undefined : { layer: model.layers[index]!, index };
}

/** Whether a layer is an affine function of its input, with its options and for a fixed mask. */
export const isAffine = ({ definition, options }: LayerModel): boolean =>
  definition.affine === true || definition.isAffine?.(options) === true;

/** Whether a layer sums its inputs with trained weights. */
export const isWeighted = ({ definition: { macs, parameters } }: LayerModel): boolean =>
  macs !== undefined && parameters !== undefined;

/** A single layer with weights has no units in between that could saturate, die or be too few. */
export const hasHiddenLayer = ({ model }: Resolved): boolean => model.layers.filter(isWeighted).length > 1;

/**
 * The layer after this one; undefined where several layers or a loss take its output, or where it joins the output of
 * another.
 */
export function onlySuccessor(model: NetworkModel, index: number): number | undefined {
  const [next, ...others] = consumersOf(model, index);
  if (next === undefined || others.length > 0 || hasAuxiliaryLoss(model, index)) return undefined;
  return inputsOf(model, next.layer).length > 1 ? undefined : next.layer;
}

/** The first of a layer's successors, one after the other, that is not passed over; undefined where there is none. */
export function findSuccessor(
  model: NetworkModel,
  index: number,
  isPassedOver: (layer: LayerModel) => boolean,
): LayerModel | undefined {
  let next = onlySuccessor(model, index);
  while (next !== undefined && isPassedOver(model.layers[next]!)) next = onlySuccessor(model, next);
  return next === undefined ? undefined : model.layers[next];
}

/** Whether a layer has given weights that are not trained, such as a scale of the output. */
export const isGiven = (layer: LayerModel): boolean => {
  const parameters = ownParameters(layer);
  return parameters.length > 0 && parameters.every(({ name, init }) => 'values' in init && layer.freeze.includes(name));
};
