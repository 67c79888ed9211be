// The layers for tests that loop over them: their required options, and the inputs that they accept.
import { layers, type LayerKind } from '../../src/engine/layers';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import type { Random } from '../../src/engine/random';

export const layerKinds = Object.keys(layers) as LayerKind[];

const REQUIRED: Partial<Record<LayerKind, object>> = {
  linear: { out_features: 3 },
  linear_transpose: { out_features: 3 },
  conv2d: { out_channels: 3, kernel_size: [3, 2], stride: [2, 1], padding: 1 },
  conv1d: { out_channels: 3, kernel_size: 3, padding: 1, dilation: 1 },
  conv_transpose2d: { out_channels: 3, kernel_size: [3, 2], stride: [2, 1], padding: [1, 0] },
  group_norm: { num_groups: 1 },
  max_pool2d: { kernel_size: [2, 3], stride: 2, padding: 1 },
  avg_pool2d: { kernel_size: [2, 3], padding: 1 },
  kernel: { centers: 3 },
  rnn: { hidden_size: 3 },
  gru: { hidden_size: 3 },
  lstm: { hidden_size: 3, return: 'all' },
  embedding: { num_embeddings: 5, embedding_dim: 3 },
  multihead_attention: { num_heads: 1 },
  slice: { shape: [1] },
};

/** The required options of a layer, as in a spec. */
export const requiredOptions = (kind: LayerKind): object => REQUIRED[kind] ?? {};

const acceptsInput = (kind: LayerKind, shape: readonly number[]): boolean => {
  const { checkInput, checkInputs, inputCount, options } = layers[kind] as LayerDefinition;
  const parsed = options.parse(requiredOptions(kind));
  return (
    checkInput?.(shape, parsed) === undefined &&
    (inputCount === undefined || checkInputs?.([shape, shape], parsed) === undefined)
  );
};

/** An input that the layer accepts: a row of numbers, a matrix, or an image of two channels. */
export const inputShapeFor = (kind: LayerKind, size: number): readonly number[] =>
  acceptsInput(kind, [size]) ? [size] : acceptsInput(kind, [3, 3]) ? [size, size + 1] : [2, size, size + 1];

/** Shapes of further inputs that go with it, of a layer that takes several. */
export function otherInputShapesFor(kind: LayerKind, size: number): readonly (readonly number[])[] {
  const [first, ...more] = inputShapeFor(kind, size);
  const { min } = (layers[kind] as LayerDefinition).inputCount ?? { min: 1 };
  // A matrix goes with its transpose, whatever else with its like.
  return Array.from({ length: min - 1 }, () => (kind === 'matmul' ? [...more, first] : [first, ...more]));
}

const definitionOf = (kind: LayerKind) => layers[kind] as LayerDefinition;

/** A number that the layer accepts in its input: any from a range, or an index. */
export function drawInput(kind: LayerKind, random: Random, low: number, high: number): number {
  const { indexCount, options } = definitionOf(kind);
  const count = indexCount?.(options.parse(requiredOptions(kind)));
  return count === undefined ? random.uniform(low, high) : random.integerBelow(count);
}

/**
 * Layers that need several inputs; of the others, those of indices, and by the first input that they accept those of
 * plain rows of numbers, of sequences and of images.
 */
export const joinLayers = layerKinds.filter((kind) => (definitionOf(kind).inputCount?.min ?? 1) > 1);
export const singleInputLayers = layerKinds.filter((kind) => !joinLayers.includes(kind));
export const indexLayers = singleInputLayers.filter((kind) => definitionOf(kind).indexCount !== undefined);
const rankOf = (kind: LayerKind): number => inputShapeFor(kind, 3).length;
const layersOfRank = (rank: number) =>
  singleInputLayers.filter((kind) => !indexLayers.includes(kind) && rankOf(kind) === rank);
export const rowLayers = layersOfRank(1);
export const sequenceLayers = layersOfRank(2);
export const imageLayers = layersOfRank(3);
