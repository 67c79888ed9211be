// Predicts the memory of a run before anything is allocated, and finds the size in the spec that is responsible.
import type { DataShape } from '../engine/datasets/dataset';
import { bytesPerElement, type Precision, numel } from '../engine/kernels/tensor';
import { type NetworkModel, type NetworkSize, ownParameters } from '../engine/network-model';
import { estimateMemory } from '../engine/network-tensors';
import { shouldPreconvertInputs } from '../engine/gather-rows';
import type { Path } from './spec-source';

/** Runs that need more are rejected: 1 GB, 2^30 bytes. */
export const MEMORY_LIMIT = 2 ** 30;

/** Number of samples that the session evaluates at once. */
export const EVALUATION_BATCH = 256;

export interface MemoryRequirements {
  readonly model: NetworkModel;
  readonly data: DataShape;
  readonly targetWidth: number;
  /** Number of samples in the largest split. */
  readonly largestSplit: number;
  readonly batchSize: number;
  readonly optimizerTensors: number;
  readonly precision: Precision;
}

/**
 * Bytes of the inputs, in some cases with a rounded copy, and of the targets as stored and as the loss takes them, in
 * float64.
 */
function dataBytes({ data, targetWidth, precision }: MemoryRequirements): number {
  const { samples, bytesPerInput = 8 } = data;
  const width = numel(data.inputShape);
  const rounded = shouldPreconvertInputs(precision, bytesPerInput, width, samples) ? bytesPerElement(precision) : 0;
  return samples * (width * (bytesPerInput + rounded) + (data.targetSize + targetWidth) * 8);
}

/** The size of a network for training and evaluation. */
export const networkSize = ({
  batchSize,
  optimizerTensors: optimizerStateTensors,
  largestSplit,
}: MemoryRequirements): NetworkSize => ({
  batchSize: batchSize,
  evaluationBatchSize: Math.min(largestSplit, EVALUATION_BATCH),
  optimizerStateTensors,
});

/** Bytes of all tensors of the network and of the data. */
export const predictBytes = (needs: MemoryRequirements): number =>
  estimateMemory(needs.model, needs.precision, networkSize(needs)) + dataBytes(needs);

/** Paths of the sizes in a spec, the one with the most memory first. */
export function largestMemoryPaths(
  needs: MemoryRequirements,
  layerLocations: readonly { readonly path: Path }[],
): readonly Path[] {
  const { model, precision, batchSize, optimizerTensors } = needs;
  const elementBytes = bytesPerElement(precision);
  const widths = model.layers.map(({ outputShape }) => numel(outputShape));
  const activations = 2 * batchSize * widths.reduce((sum, width) => sum + width, 0) * elementBytes;
  const parameters = model.layers
    .flatMap(ownParameters)
    .reduce((sum, { shape }) => sum + numel(shape) * (3 + optimizerTensors) * elementBytes, 0);
  const dataPaths: Path[] = [['data', 'samples'], ['data', 'path'], ['data', 'inputs'], ['data']];
  if (dataBytes(needs) >= Math.max(activations, parameters)) return dataPaths;
  const parameterizedWidths = model.layers.map(({ definition }, i) => (definition.parameters ? widths[i]! : 0));
  const widest = parameterizedWidths.indexOf(Math.max(...parameterizedWidths));
  const { path } = layerLocations[widest]!;
  const layerPaths: Path[] = [[...path, 'out_features'], [...path, 'out_channels'], path];
  if (activations < parameters || batchSize < widths[widest]!) return layerPaths;
  return [['batch_size'], ...layerPaths];
}

/** `8.0 GB`; units of 1024. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB', 'EB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes} bytes` : `${value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
