// The layers as tests loop over them: what each cannot do without, and what it takes.
import { layers, type LayerKind } from '../../src/engine/layers';
import type { LayerDefinition } from '../../src/engine/layers/layer';

export const layerKinds = Object.keys(layers) as LayerKind[];

const REQUIRED: Partial<Record<LayerKind, object>> = {
  linear: { out_features: 3 },
  conv2d: { out_channels: 3, kernel_size: [3, 2], stride: [2, 1], padding: 1 },
  max_pool2d: { kernel_size: [2, 3], stride: 2, padding: 1 },
  avg_pool2d: { kernel_size: [2, 3], padding: 1 },
  kernel: { centers: 3 },
};

/** The options that a layer cannot do without, as a spec writes them. */
export const requiredOptions = (kind: LayerKind): object => REQUIRED[kind] ?? {};

const takes = (kind: LayerKind, shape: readonly number[]): boolean => {
  const { misfit, options } = layers[kind] as LayerDefinition;
  return misfit?.(shape, options.parse(requiredOptions(kind))) === undefined;
};

/** An input that the layer takes: a row of numbers, or an image of two channels. */
export const inputShapeFor = (kind: LayerKind, size: number): readonly number[] => (takes(kind, [size]) ? [size] : [2, size, size + 1]);

/** Layers of plain rows of numbers, and those that need images. */
export const rowLayers = layerKinds.filter((kind) => takes(kind, [3]));
export const imageLayers = layerKinds.filter((kind) => !takes(kind, [3]));
