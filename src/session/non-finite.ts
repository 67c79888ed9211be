// Finds NaN and infinity in the tensors that a phase has just written.
import type { Phase } from '../protocol/position';
import type { NonFinite } from '../protocol/frame';
import type { Tensor } from '../engine/kernels/tensor';
import type { Network } from '../engine/network';
import type { Pass } from '../engine/pass';
import { findNonFiniteBackward, findNonFiniteForward } from '../engine/autograd/non-finite';
import { inputsOf, NETWORK_INPUT } from '../engine/network-graph';
import { parametersUsedBy } from '../engine/network-model';
import { unravelIndex } from '../presentation/tensor-index';

interface WrittenTensor {
  readonly where: string;
  readonly tensor: string;
  readonly values: Tensor;
}

/** The tensors that a phase has just written. */
function tensorsWrittenBy(network: Network, pass: Pass, phase: Phase, stateNames: readonly string[]): WrittenTensor[] {
  const layers = network.model.layers;
  switch (phase.kind) {
    case 'forward':
      return [{ where: layers[phase.layer]!.name, tensor: 'output', values: pass.outputs[phase.layer]! }];
    case 'loss_backward':
      return [
        { where: 'loss', tensor: 'gradient of the prediction', values: pass.outputGradients[layers.length - 1]! },
        ...(network.model.auxiliaryLosses ?? []).map(({ name, layer }) => ({
          where: name,
          tensor: `gradient of the output of ${layers[layer]!.name}`,
          values: pass.outputGradients[layer]!,
        })),
      ];
    case 'backward': {
      const where = layers[phase.layer]!.name;
      const suspects = parametersUsedBy(network, phase.layer).map(({ shortName, gradient }) => ({
        where,
        tensor: `gradient of ${shortName}`,
        values: gradient,
      }));
      const sources = inputsOf(network.model, phase.layer).filter((source) => source !== NETWORK_INPUT);
      sources.forEach((source) =>
        suspects.push({ where, tensor: 'gradient of the input', values: pass.outputGradients[source]! }),
      );
      return suspects;
    }
    case 'update':
      return network.parameters.flatMap(({ layer, shortName, value, optimizerState }) => [
        ...optimizerState.map((values, i) => ({
          where: layers[layer]!.name,
          tensor: `${stateNames[i]} of ${shortName}`,
          values,
        })),
        { where: layers[layer]!.name, tensor: shortName, values: value },
      ]);
    case 'zero_grad':
    case 'loss':
      return [];
  }
}

function suggestRemedy(phase: Phase, network: Network, pass: Pass, lr: number): string {
  if (phase.kind === 'loss' || phase.kind === 'loss_backward') {
    const origin = originInCustomLoss(phase.kind, network, pass);
    if (origin !== null) return `In the loss, ${origin}. Guard that value, or lower the learning rate (now ${lr}).`;
    const { takes, activation } = network.model.loss.definition;
    if (activation && (takes === 'probabilities' || takes === 'distribution'))
      return `A probability reached 0 or 1 exactly: use "${activation.counterpart}" on the logits, or lower the learning rate (now ${lr}).`;
  }
  return `Values grew beyond the range of ${network.kernels.precision} numbers: lower the learning rate (now ${lr}), or start with smaller weights.`;
}

/** The operation of a custom loss in which NaN or infinity arises: "log of 0 (focal.loss.ts:5:18) is -Infinity". */
function originInCustomLoss(phase: 'loss' | 'loss_backward', { model }: Network, pass: Pass): string | null {
  const graph = model.loss.definition.operationGraph?.(pass.lossContext);
  if (!graph) return null;
  return phase === 'loss'
    ? findNonFiniteForward(graph, pass.batchSize)
    : findNonFiniteBackward(graph, Float64Array.of(1), pass.batchSize);
}

/**
 * Checks what `phase` of step `step` (counted from 1) has just written; null if all of it is finite.
 * @param stateNames the names of the optimizer's state tensors
 */
export function findNonFinite(
  network: Network,
  pass: Pass,
  phase: Phase,
  loss: number,
  step: number,
  lr: number,
  stateNames: readonly string[],
): NonFinite | null {
  const remedy = (): string => suggestRemedy(phase, network, pass, lr);
  if (phase.kind === 'loss' && !Number.isFinite(loss)) {
    const values = pass.lossValues();
    const auxiliary = network.model.auxiliaryLosses?.find((_, i) => !Number.isFinite(values[i + 1]));
    const where = Number.isFinite(pass.dataLoss())
      ? 'penalty'
      : Number.isFinite(values[0]) && auxiliary
        ? auxiliary.name
        : 'loss';
    return { step, phase, where, tensor: 'value', index: [], value: loss, remedy: remedy() };
  }
  for (const { where, tensor, values } of tensorsWrittenBy(network, pass, phase, stateNames)) {
    const at = network.kernels.firstNonFinite(values);
    if (at >= 0)
      return {
        step,
        phase,
        where,
        tensor,
        index: unravelIndex(at, values.shape),
        value: values.data[at]!,
        remedy: remedy(),
      };
  }
  return null;
}
