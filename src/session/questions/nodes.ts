// The step as a list of its nodes, forward and then backward, each with its numbers: for what belongs to a sample those
// of the followed one.
import type { Shape, Tensor } from '../../engine/kernels/tensor';
import type { TrainingSession } from '../session';
import { defineQuestion } from './question';
import { follow, weightsUsed } from './sample';

/** Which tensor of the step; layers by index. */
export type NodeId =
  | { readonly of: 'input' | 'target' }
  | { readonly of: 'output' | 'output_gradient'; readonly layer: number }
  /** `parameter` is what the step computes with, `updated` what the update made of it. */
  | { readonly of: 'parameter' | 'parameter_gradient' | 'update' | 'updated'; readonly layer: number; readonly parameter: string };

/** A corner of a tensor as a matrix. */
export interface Corner {
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns]. */
  readonly cells: Float64Array;
  /** Of the whole matrix: the last dimension beside all others; a vector is one row. */
  readonly allRows: number;
  readonly allColumns: number;
}

export interface Node {
  readonly id: NodeId;
  /** Of one sample, or of the parameter. */
  readonly shape: Shape;
  /** Null where the step has not come so far, or the sample is not in the batch. */
  readonly corner: Corner | null;
}

export interface NodesAnswer {
  readonly sample: number;
  readonly inBatch: boolean;
  readonly nodes: readonly Node[];
}

/** Rows and columns that are sent. */
const MOST = 8;

export const nodes = defineQuestion({
  about: 'nodes',
  answer(session: TrainingSession, { sample }: { readonly sample: number | null }): NodesAnswer | null {
    const followed = follow(session, sample);
    if (!followed) return null;
    const { network, progress, updateRatios } = session;
    const { layers } = network.model;
    const own = (layer: number) => network.parameters.filter((parameter) => parameter.layer === layer);
    const list: Node[] = [{ id: { of: 'input' }, shape: network.model.inputShape, corner: corner(followed.input, network.model.inputShape) }];
    layers.forEach(({ outputShape }, layer) => {
      for (const parameter of own(layer)) {
        const { shape } = parameter.value;
        list.push({ id: { of: 'parameter', layer, parameter: parameter.shortName }, shape, corner: corner(weightsUsed(session, followed, parameter), shape) });
      }
      list.push({ id: { of: 'output', layer }, shape: outputShape, corner: corner(followed.output(layer), outputShape) });
    });
    const last = layers.length > 0 ? layers[layers.length - 1].outputShape : network.model.inputShape;
    list.push({ id: { of: 'target' }, shape: last, corner: corner(followed.target, last) });
    for (let layer = layers.length - 1; layer >= 0; layer--) {
      const { outputShape } = layers[layer];
      list.push({ id: { of: 'output_gradient', layer }, shape: outputShape, corner: corner(followed.outputGradient(layer), outputShape) });
      for (const { shortName, gradient } of own(layer)) {
        list.push({ id: { of: 'parameter_gradient', layer, parameter: shortName }, shape: gradient.shape, corner: corner(progress.backward(layer) ? gradient.data : undefined, gradient.shape) });
      }
    }
    for (const { layer, shortName, name, value, previous, frozen } of network.parameters) {
      if (frozen) continue;
      const done = updateRatios.has(name);
      // After a measured update, `previous` holds the update itself.
      list.push({ id: { of: 'update', layer, parameter: shortName }, shape: previous.shape, corner: corner(done ? previous.data : undefined, previous.shape) });
      list.push({ id: { of: 'updated', layer, parameter: shortName }, shape: value.shape, corner: corner(done ? value.data : undefined, value.shape) });
    }
    return { sample: followed.sample, inBatch: followed.row !== null, nodes: list };
  },
});

function corner(data: Tensor['data'] | undefined, shape: Shape): Corner | null {
  if (!data) return null;
  const allColumns = shape[shape.length - 1] ?? 1;
  const allRows = data.length / allColumns;
  const [rows, columns] = [Math.min(allRows, MOST), Math.min(allColumns, MOST)];
  const cells = Float64Array.from({ length: rows * columns }, (_, i) => data[Math.floor(i / columns) * allColumns + (i % columns)]);
  return { rows, columns, cells, allRows, allColumns };
}
