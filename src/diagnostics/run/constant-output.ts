// Layers that pass nothing of their input on.
import { numel } from '../../engine/kernels/tensor';
import type { Detection, RunRule } from './run-rule';

/** A difference of equal numbers, or a normalization of single ones. Only the first layer is a cause. */
export const constantOutput: RunRule = {
  id: 'constant-output',
  summary: 'A layer outputs one and the same number for every sample and unit, although its input varies.',
  persistence: 5,
  check({ model, layers, run }) {
    // A single sample says nothing of what differs between samples.
    if (run.batchSize < 2) return [];
    const stdOf = (index: number): number => (index < 0 ? 1 : (layers[index]?.activation?.std ?? 0));
    const first = model.layers.find(
      ({ index, inputs, outputShape }): boolean =>
        layers[index]?.activation?.std === 0 &&
        numel(outputShape) > 1 &&
        // Dead units have a rule of their own.
        !((layers[index]?.activation?.idle ?? 0) > 0) &&
        inputs.every((input) => stdOf(input) > 0),
    );
    if (!first) return [];
    const value = layers[first.index]?.activation?.mean ?? 0;
    const detection: Detection = {
      layer: first.index,
      observation: `The output of ${first.name} is ${value} for every sample and unit: nothing of its input passes.`,
      remedy: 'Check what it takes: equal inputs of a difference, or a normalization of single numbers.',
    };
    return [detection];
  },
};
