// Finds where the first NaN or infinity of a run arose: not where the loss showed it, but the phase,
// layer and tensor that held it first.
import type { Tensor } from '../engine/kernels/tensor';
import type { Network, Pass } from '../engine/network';
import type { NonFinite, Phase } from './frame';
import type { TrainingSession } from './session';

interface Suspect {
  readonly where: string;
  readonly tensor: string;
  readonly values: Tensor;
}

/** The tensors that a phase has just written. */
function written(network: Network, pass: Pass, phase: Phase, stateNames: readonly string[]): Suspect[] {
  const layers = network.model.layers;
  const parametersOf = (layer: number) => network.parameters.filter((parameter) => parameter.layer === layer);
  switch (phase.kind) {
    case 'forward':
      return [{ where: layers[phase.layer].name, tensor: 'output', values: pass.outputs[phase.layer] }];
    case 'loss_backward':
      return [{ where: 'loss', tensor: 'gradient of the prediction', values: pass.outputGradients[layers.length - 1] }];
    case 'backward': {
      const where = layers[phase.layer].name;
      const suspects = parametersOf(phase.layer).map(({ shortName, gradient }) => ({
        where, tensor: `gradient of ${shortName}`, values: gradient,
      }));
      if (phase.layer > 0) suspects.push({ where, tensor: 'gradient of the input', values: pass.outputGradients[phase.layer - 1] });
      return suspects;
    }
    case 'update':
      return network.parameters.flatMap(({ layer, shortName, value, optimizerState }) => [
        ...optimizerState.map((values, i) => ({ where: layers[layer].name, tensor: `${stateNames[i]} of ${shortName}`, values })),
        { where: layers[layer].name, tensor: shortName, values: value },
      ]);
    case 'zero_grad':
    case 'loss':
      return [];
  }
}

/** Row-major position of a flat index. */
export function unravel(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (let d = shape.length - 1; d >= 0; d--) {
    index.unshift(flat % shape[d]);
    flat = Math.floor(flat / shape[d]);
  }
  return index;
}

function remedyFor(phase: Phase, network: Network, lr: number): string {
  if (phase.kind === 'loss' || phase.kind === 'loss_backward') {
    const fused = { cross_entropy_on_probabilities: 'cross_entropy', bce: 'bce_with_logits' }[network.model.loss.definition.kind];
    if (fused) return `A probability reached 0 or 1 exactly: use "${fused}" on the logits, or lower the learning rate (now ${lr}).`;
  }
  return `Values grew beyond the range of ${network.kernels.precision} numbers: lower the learning rate (now ${lr}), or start with smaller weights.`;
}

/** Looks at what `phase` of step `step` (counted from 1) has just written; null when all of it is finite. @param stateNames of the optimizer's tensors */
export function findNonFinite(
  network: Network, pass: Pass, phase: Phase, loss: number, step: number, lr: number, stateNames: readonly string[],
): NonFinite | null {
  const remedy = remedyFor(phase, network, lr);
  if (phase.kind === 'loss' && !Number.isFinite(loss)) {
    return { step, phase, where: 'loss', tensor: 'value', index: [], value: loss, remedy };
  }
  for (const { where, tensor, values } of written(network, pass, phase, stateNames)) {
    const at = network.kernels.firstNonFinite(values);
    if (at >= 0) return { step, phase, where, tensor, index: unravel(at, values.shape), value: values.data[at], remedy };
  }
  return null;
}

/**
 * Goes to the phase where the first NaN or infinity of the run so far arose, and says what it is; null when there
 * is none. Goes back step by step as long as something is found: a unit that gives 0 can hide what came before.
 */
export function locateNonFinite(session: TrainingSession): NonFinite | null {
  let first: NonFinite | null = null;
  for (let step = session.shownStep; step > 0; step--) {
    const found = firstInStep(session, step);
    if (!found) break;
    first = found;
  }
  if (!first) return null;
  firstInStep(session, first.step);
  session.forgetLater();
  return first;
}

/** Does step `step`, counted from 1, up to the first phase that writes something that is not finite. */
function firstInStep(session: TrainingSession, step: number): NonFinite | null {
  session.seek(step - 1);
  do {
    session.stepPhase();
    const found = session.inspect();
    if (found) return found;
  } while (session.position.phase > 0);
  return null;
}

/** `linear2, output [3, 0]`: for messages. */
export const describeNonFinite = ({ where, tensor, index }: NonFinite): string =>
  `${where}, ${tensor}${index.length > 0 ? ` [${index.join(', ')}]` : ''}`;

