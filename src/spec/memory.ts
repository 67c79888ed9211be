// What a run will take, told before any of it is allocated, and which size in the spec is to blame.
import type { DataShape } from '../engine/datasets/dataset';
import { bytesPerElement, type Precision, sizeOf } from '../engine/kernels/tensor';
import { type NetworkModel, type NetworkSize, predictMemory } from '../engine/network';
import { isRoundedOnce } from '../engine/pass';
import type { Path } from './source';

/** A run that would need more than this is refused: 1 GB, 2^30 bytes. */
export const MEMORY_LIMIT = 2 ** 30;

/** Samples that the session evaluates at once. */
export const EVALUATION_BATCH = 256;

export interface MemoryNeeds {
  readonly model: NetworkModel;
  readonly data: DataShape;
  readonly targetWidth: number;
  /** Samples of the largest part. */
  readonly largestPart: number;
  readonly batchSize: number;
  readonly optimizerTensors: number;
  readonly precision: Precision;
}

/** Inputs, in some cases a second time as the network takes them; targets as stored and as the loss takes them, always in float64. */
function dataBytes({ data, targetWidth, precision }: MemoryNeeds): number {
  const { samples, bytesPerInput = 8 } = data;
  const width = sizeOf(data.inputShape);
  const rounded = isRoundedOnce(precision, bytesPerInput, width, samples) ? bytesPerElement(precision) : 0;
  return samples * (width * (bytesPerInput + rounded) + (data.targetSize + targetWidth) * 8);
}

/** The size of the network that trains and evaluates. */
export const networkSize = ({ batchSize, optimizerTensors, largestPart }: MemoryNeeds): NetworkSize => ({
  batch: batchSize, evaluationBatch: Math.min(largestPart, EVALUATION_BATCH), optimizerTensors,
});

/** Bytes of all tensors of the network and of the data. */
export const predictBytes = (needs: MemoryNeeds): number =>
  predictMemory(needs.model, needs.precision, networkSize(needs)) + dataBytes(needs);

/** Paths of the sizes in a spec, the one most to blame for the memory first; the caller takes the first that is written. */
export function mostToBlame(needs: MemoryNeeds, places: readonly { readonly path: Path }[]): readonly Path[] {
  const { model, precision, batchSize, optimizerTensors } = needs;
  const element = bytesPerElement(precision);
  const widths = model.layers.map(({ outputShape }) => sizeOf(outputShape));
  const activations = 2 * batchSize * widths.reduce((sum, width) => sum + width, 0) * element;
  const parameters = model.layers
    .flatMap(({ definition, inputShape, options }) => definition.parameters?.(inputShape, options) ?? [])
    .reduce((sum, { shape }) => sum + sizeOf(shape) * (3 + optimizerTensors) * element, 0);
  const data: Path[] = [['data', 'samples'], ['data', 'path'], ['data', 'inputs'], ['data']];
  if (dataBytes(needs) >= Math.max(activations, parameters)) return data;
  const sized = model.layers.map(({ definition }, i) => (definition.parameters ? widths[i] : 0));
  const widest = sized.indexOf(Math.max(...sized));
  const { path } = places[widest];
  const layer: Path[] = [[...path, 'out_features'], [...path, 'out_channels'], path];
  if (activations < parameters || batchSize < widths[widest]) return layer;
  return [['batch_size'], ...layer];
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
