// Weights of an earlier run as the initial weights of this one: tensors of a .safetensors file, found by name. The
// sizes of the images may differ, because the weights of a convolution do not depend on them.
import type { CooperativeTask } from '../engine/cooperative-task';
import { type ArrayFile, visitRows } from '../engine/datasets/array-file';
import { DataError } from '../engine/datasets/data-error';
import type { DataFiles } from '../engine/datasets/data-file';
import { SafetensorsFile } from '../engine/datasets/safetensors-format';
import { formatShape, numel, type Shape } from '../engine/kernels/tensor';
import { type LayerModel, type NetworkModel, ownParameters } from '../engine/network-model';
import type { Spec } from './spec';

export const INITIAL_WEIGHTS = 'initial_weights';

/** What a layer learns: parameters and buffers, by their short names, except for values that follow from the shape. */
const declaredTensors = (layer: LayerModel): readonly { readonly name: string; readonly shape: Shape }[] => [
  ...ownParameters(layer),
  ...(layer.definition.buffers?.(layer.inputShape, layer.options) ?? []).filter(({ values }) => !values),
];

function* readValues(array: ArrayFile, name: string): CooperativeTask<Float64Array> {
  const values = new Float64Array(numel(array.shape));
  yield* visitRows(array, undefined, (value, _row, _column, index) => {
    if (!Number.isFinite(value))
      throw new DataError(
        `${array.file.name}: a number of ${name} is ${value}.`,
        'Save the weights of a run that did not diverge.',
        [INITIAL_WEIGHTS],
      );
    values[index] = value;
  });
  return values;
}

/**
 * The network with the values of the file that the spec names; tensors that the file lacks start as usual.
 * @throws DataError for a file that cannot be read, that has a tensor of another shape, or none for this network
 */
export function* withInitialWeights(
  { initialWeights }: Spec,
  model: NetworkModel,
  files: DataFiles,
): CooperativeTask<NetworkModel> {
  if (initialWeights === undefined) return model;
  const file = new SafetensorsFile(files.open(initialWeights, [INITIAL_WEIGHTS]), [INITIAL_WEIGHTS]);
  const offered = new Set(file.names);
  let found = 0;
  const layers: LayerModel[] = [];
  for (const layer of model.layers) {
    const givenValues: Record<string, Float64Array> = {};
    for (const { name, shape } of declaredTensors(layer)) {
      const fullName = `${layer.name}.${name}`;
      if (!offered.has(fullName)) continue;
      const array = file.tensor(fullName, [INITIAL_WEIGHTS]);
      if (array.shape.join() !== shape.join())
        throw new DataError(
          `${initialWeights}: ${fullName} is ${formatShape(array.shape)}, but in this network ${formatShape(shape)}.`,
          `Give ${layer.name} the sizes that it had, or another name, so that its weights are drawn.`,
          [INITIAL_WEIGHTS],
        );
      givenValues[name] = yield* readValues(array, fullName);
      found++;
    }
    layers.push(Object.keys(givenValues).length > 0 ? { ...layer, givenValues } : layer);
  }
  if (found === 0)
    throw new DataError(
      `${initialWeights} has no weights for a layer of this network; it has ${file.names.slice(0, 4).join(', ')}${file.names.length > 4 ? ', …' : ''}.`,
      'Name the layers as in the network that was saved.',
      [INITIAL_WEIGHTS],
    );
  return { ...model, layers };
}

/** The values that came from a file, to tell whether they changed. */
export const givenValues = ({ layers }: NetworkModel): readonly Float64Array[] =>
  layers.flatMap(({ givenValues: given = {} }) => Object.values(given));
