// The source location of a fault in custom code, for its diagnosis.
import { type Diagnosis, PENALTY_NAME } from '../../protocol/check-report';
import { formatLocation } from '../../engine/custom/custom-layer-error';
import type { NetworkModel } from '../../engine/network-model';

export function addSourceLocation(model: NetworkModel, diagnosis: Diagnosis | null): Diagnosis | null {
  const code = diagnosis && sourceLocationsOf(model, diagnosis.layer);
  if (!code) return diagnosis;
  const isForward = diagnosis.tensor === 'output';
  const place = isForward ? code.forward : (code.backward ?? code.forward);
  const what = isForward
    ? 'The forward'
    : code.backward
      ? 'The backward'
      : 'The forward pass, from which autograd derives the gradients,';
  return { ...diagnosis, place, sentence: `${diagnosis.sentence} ${what} is at ${formatLocation(place)}.` };
}

/** @param layer its name; null for the loss */
function sourceLocationsOf({ layers, loss, penalty }: NetworkModel, layer: string | null) {
  if (layer === null) return loss.definition.sourceLocations;
  const found = layers.find(({ name }) => name === layer)?.definition;
  return found
    ? found.sourceLocations
    : layer === PENALTY_NAME
      ? penalty?.custom?.definition.sourceLocations
      : undefined;
}
