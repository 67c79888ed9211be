// Figures of a model before it runs: parameters, multiply-adds, memory and receptive field of each layer.
import type { LayerSummary } from '../protocol/model-info';
import { type Precision, type Shape, numel } from '../engine/kernels/tensor';
import type { LayerReceptiveField } from '../engine/layers/layer';
import { inputsOf, NETWORK_INPUT } from '../engine/network-graph';
import { macsOf, type NetworkModel, type NetworkSize, ownParameters, receptiveWindowOf } from '../engine/network-model';
import { estimateLayerMemory } from '../engine/network-tensors';

/** The size of the receptive field, and the distance of two neighboring outputs in positions of the input. */
interface Field {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
}

/** All axes but the channels or features; a row of features is one axis. */
function initialField(input: Shape): Field {
  const axes = Math.max(1, input.length - 1);
  return { sizes: Array<number>(axes).fill(1), strides: Array<number>(axes).fill(1) };
}

function widenField(field: Field | null, window: LayerReceptiveField): Field | null {
  if (field === null || window === 'pointwise') return field;
  if (window === 'all' || window.length !== field.sizes.length) return null;
  return {
    sizes: field.sizes.map((size, axis) => size + (window[axis]!.size - 1) * field.strides[axis]!),
    strides: field.strides.map((stride, axis) => stride * window[axis]!.stride),
  };
}

/** The receptive field of the inputs of a layer taken together: the larger one along each axis. */
function joinFields(fields: readonly (Field | null)[]): Field | null {
  return fields.reduce((a, b) => {
    if (a === null || b === null || a.sizes.length !== b.sizes.length) return null;
    const larger = (x: readonly number[], y: readonly number[]) => x.map((size, axis) => Math.max(size, y[axis]!));
    return { sizes: larger(a.sizes, b.sizes), strides: larger(a.strides, b.strides) };
  });
}

/** One entry per layer, in order. A shared parameter counts for the layer that it belongs to. */
export function summarize(model: NetworkModel, precision: Precision, size: NetworkSize): LayerSummary[] {
  const fields: (Field | null)[] = [];
  return model.layers.map((layer, i) => {
    const { inputShape, outputShape, freeze } = layer;
    const window = receptiveWindowOf(layer);
    const inputs = inputsOf(model, i);
    const field = widenField(
      joinFields(inputs.map((input) => (input === NETWORK_INPUT ? initialField(model.inputShape) : fields[input]!))),
      window,
    );
    fields.push(field);
    const parameters = ownParameters(layer);
    const sum = (of: typeof parameters): number => of.reduce((total, { shape }) => total + numel(shape), 0);
    return {
      parameters: sum(parameters),
      trained: sum(parameters.filter(({ name }) => !freeze.includes(name))),
      macs: macsOf(layer),
      memory: estimateLayerMemory(layer, precision, size),
      // Up-sampling has strides below 1, so that a window can end inside a position.
      receptiveField: field?.sizes.map((size) => Math.ceil(size - 1e-9)) ?? 'all',
      dense: window === 'pointwise' || inputs.length > 1 ? null : (numel(inputShape) + 1) * numel(outputShape),
    };
  });
}
