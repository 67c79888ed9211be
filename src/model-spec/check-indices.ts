// Whether the data holds indices where a layer looks rows up by them.
import { DataError } from '../engine/datasets/data-error';
import type { Dataset } from '../engine/datasets/dataset';
import { numel } from '../engine/kernels/tensor';
import { inputsOf, NETWORK_INPUT } from '../engine/network-graph';
import type { NetworkModel } from '../engine/network-model';

/**
 * @param dataset with the inputs as the network gets them
 * @param transform the first transform of the data, if there is one
 * @throws DataError at the first number that is no index of a layer that takes the data
 */
export function checkIndices(
  model: NetworkModel,
  { inputs, inputShape, groups = [] }: Dataset,
  transform: string | undefined,
): void {
  model.layers.forEach(({ name, definition, options }, layer) => {
    const count = definition.indexCount?.(options);
    const [source] = inputsOf(model, layer) as readonly [number];
    const group = groups.find((each) => each.name === model.layers[source]?.name);
    if (count === undefined || (source !== NETWORK_INPUT && !group)) return;
    const width = numel(inputShape);
    const [start, size] = group ? [group.start, numel(group.shape)] : [0, width];
    const at = inputs.findIndex(
      (index, i) =>
        i % width >= start && i % width < start + size && !(Number.isInteger(index) && index >= 0 && index < count),
    );
    if (at < 0) return;
    const [sample, position] = [Math.floor(at / width), (at % width) - start];
    const isInteger = Number.isInteger(inputs[at]);
    throw new DataError(
      `Sample ${sample + 1}, position ${position + 1}: ${isInteger ? `the index ${inputs[at]!} is out of range` : `${inputs[at]!} is not an index`}; ` +
        `${name} takes indices from 0 to ${count - 1}.`,
      transform !== undefined && !isInteger
        ? `Remove ${JSON.stringify(transform)} from "transforms": it changes the indices.`
        : 'Correct the data, or the "num_embeddings" of the layer.',
      group ? ['inputs', group.name] : ['inputs', sample, position],
      'index-out-of-range',
    );
  });
}
