// The phases of a training step in words.
import type { Frame } from '../protocol/frame';
import type { Phase } from '../protocol/position';
import type { LayerInfo, ModelInfo } from '../protocol/model-info';
import { lossShares, weightedName } from './loss-shares';
import { formatNumber } from './numbers';

/** The last completed phase; null before the first. At the end of a step it is the update. */
export function lastCompletedPhase(model: ModelInfo | null, frame: Frame | null): Phase | null {
  if (!model || !frame) return null;
  const { step, phase } = frame.position;
  if (phase > 0) return model.phases[phase - 1] ?? null;
  return step > 0 ? (model.phases[model.phases.length - 1] ?? null) : null;
}

/** The step whose tensors a frame holds: within a step the one in progress. */
export const shownStep = ({ position: { step, phase } }: Pick<Frame, 'position'>): number =>
  phase > 0 ? step + 1 : step;

const layerLabel = (model: ModelInfo, layer: number): string => model.layers[layer]?.name ?? `layer ${layer}`;

/** `backward: linear2`. */
export function phaseLabel(model: ModelInfo, phase: Phase): string {
  switch (phase.kind) {
    case 'zero_grad':
      return 'zero gradients';
    case 'forward':
    case 'backward':
      return `${phase.kind}: ${layerLabel(model, phase.layer)}`;
    case 'loss':
      return 'loss';
    case 'loss_backward':
      return 'backward: loss';
    case 'update':
      return 'update';
  }
}

/** What the phase did, in one sentence. */
export function describePhase(model: ModelInfo, phase: Phase, frame: Frame): string {
  switch (phase.kind) {
    case 'zero_grad':
      return 'Set the gradients of all parameters to 0 for this batch.';
    case 'forward': {
      const { name, kind, inputs } = model.layers[phase.layer]!;
      const sources = inputs.map((input) => (input < 0 ? 'the batch' : `the output of ${layerLabel(model, input)}`));
      return `${name} (${kind}) computed its output from ${joinNames(sources)}.`;
    }
    case 'loss':
      return describeLoss(model, frame);
    case 'loss_backward': {
      const taken = new Set([model.layers.length - 1, ...(model.losses ?? []).map(({ layer }) => layer)]);
      const outputs = [...taken].map((layer) => `the output of ${layerLabel(model, layer)}`);
      return `Computed the gradient of the loss with respect to ${joinNames(outputs)}.`;
    }
    case 'backward':
      return describeBackward(model, model.layers[phase.layer]!);
    case 'update':
      return `${model.optimizer.kind.toUpperCase()} updated the parameters from their gradients.`;
  }
}

function describeLoss(model: ModelInfo, frame: Frame): string {
  const value = frame.loss === null ? 'not known' : formatNumber(frame.loss);
  if (!model.losses) return `The ${kindLabel(model.loss.kind)} of this batch is ${value}.`;
  const shares = lossShares(model, frame.losses).map(
    (each) => `${weightedName(each)} (${each.share === null ? 'not known' : formatNumber(each.share)})`,
  );
  return `The loss of this batch is ${value}, the sum of ${joinNames(shares)}${model.penalty ? ' and the penalty' : ''}.`;
}

function describeBackward(
  { layers, losses = [] }: ModelInfo,
  { name, index, inputs, parameters, sharedParameters }: LayerInfo,
): string {
  const sources = inputs.filter((input) => input >= 0);
  const inputGradient = sources.length > 1 ? 'the gradients of its inputs' : 'the gradient of its input';
  const computed = [
    ...parameters.map(({ shortName }) => `dL/d ${shortName}`),
    ...sharedParameters.map((parameter) => `its part of dL/d ${parameter.name}`),
    ...(sources.length > 0 ? [inputGradient] : []),
  ];
  if (computed.length === 0)
    return `${name} takes the data alone and has no parameters, so it has no gradient to compute.`;
  // Of an output that several layers take, the last of them came first and wrote the gradient.
  const added = sources.filter(
    (input) =>
      losses.some(({ layer }) => layer === input) ||
      layers.some((other) => other.index > index && other.inputs.includes(input)),
  );
  const sum =
    added.length > 0
      ? ` Added to the gradient of ${joinNames(added.map((input) => layers[input]!.name))}, which other layers or losses take too.`
      : '';
  return `Backpropagated through ${name}: computed ${joinNames(computed)}.${sum}`;
}

const joinNames = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;

/** `cross entropy` for `cross_entropy`. */
export const kindLabel = (kind: string): string => kind.replaceAll('_', ' ');
