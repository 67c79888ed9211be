// The figures of a model before it runs: what each layer gives, holds, computes and sees. Shapes are those of one sample.
import { type Precision, type Shape, sizeOf } from '../engine/kernels/tensor';
import type { Sight } from '../engine/layers/layer';
import { type LayerModel, type NetworkModel, type NetworkSize, predictLayerMemory } from '../engine/network';

/** Places of the input that one output depends on, along each axis of space; padding counts. `all` past a layer that looks at everything. */
export type ReceptiveField = readonly number[] | 'all';

export interface LayerFigures {
  /** Numbers in its parameters. */
  readonly parameters: number;
  /** Those of them that are updated. */
  readonly trained: number;
  /** Multiply-adds of one sample's way forward; biases and functions of single values are not counted. */
  readonly macs: number;
  /** Bytes of its parameters, outputs and gradients while it trains. */
  readonly memory: number;
  readonly receptiveField: ReceptiveField;
  /**
   * Parameters of a fully connected layer, with bias, of the same input and output. Null where an output depends on the
   * value in its own place alone, so that nothing is connected.
   */
  readonly dense: number | null;
}

/** How far the field reaches, and how many places of the input lie between two neighbours. */
interface Field {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
}

const sightOf = ({ definition, options }: LayerModel): Sight =>
  definition.sees?.(options) ?? (definition.reach === 'elementwise' ? 'place' : 'all');

/** The axes of space are those behind the channels; a row of features is one axis. */
function start(input: Shape): Field {
  const axes = Math.max(1, input.length - 1);
  return { sizes: Array<number>(axes).fill(1), strides: Array<number>(axes).fill(1) };
}

function widen(field: Field | null, sight: Sight): Field | null {
  if (field === null || sight === 'place') return field;
  if (sight === 'all' || sight.length !== field.sizes.length) return null;
  return {
    sizes: field.sizes.map((size, axis) => size + (sight[axis].size - 1) * field.strides[axis]),
    strides: field.strides.map((stride, axis) => stride * sight[axis].stride),
  };
}

/** One entry for each layer, in their order. */
export function summarize(model: NetworkModel, precision: Precision, size: NetworkSize): LayerFigures[] {
  let field: Field | null = start(model.inputShape);
  return model.layers.map((layer) => {
    const { definition, inputShape, outputShape, options, freeze } = layer;
    const sight = sightOf(layer);
    field = widen(field, sight);
    const parameters = definition.parameters?.(inputShape, options) ?? [];
    const sum = (of: typeof parameters): number => of.reduce((total, { shape }) => total + sizeOf(shape), 0);
    return {
      parameters: sum(parameters),
      trained: sum(parameters.filter(({ name }) => !freeze.includes(name))),
      macs: definition.macs?.(inputShape, outputShape, options) ?? 0,
      memory: predictLayerMemory(layer, precision, size),
      receptiveField: field?.sizes ?? 'all',
      dense: sight === 'place' ? null : (sizeOf(inputShape) + 1) * sizeOf(outputShape),
    };
  });
}
