// Inputs that nobody has in the data: a line or a grid over its range, for networks of one or two inputs. They go
// through the evaluation pass, whose memory is its own.
import { sizeOf } from '../../engine/kernels/tensor';
import type { Network, Pass } from '../../engine/network';
import type { TrainingSession } from '../session';

/** Of one input, with room beside the data. */
export interface Axis {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

// Of the data's range, on each side.
const MARGIN = 0.1;

/** The axes of the inputs; null where there are more than two, or none. */
export function axesOf({ run }: TrainingSession): readonly Axis[] | null {
  const { dataset } = run;
  const width = sizeOf(dataset.inputShape);
  if (width < 1 || width > 2) return null;
  return Array.from({ length: width }, (_, i) => {
    let [min, max] = [Infinity, -Infinity];
    for (let at = i; at < dataset.inputs.length; at += width) {
      min = Math.min(min, dataset.inputs[at]);
      max = Math.max(max, dataset.inputs[at]);
    }
    const room = (max - min) * MARGIN || 1;
    return { name: dataset.featureNames?.[i] ?? (width === 1 ? 'x' : `x${i + 1}`), min: min - room, max: max + room };
  });
}

/** Where point `index` of `count` lies on an axis: the first at its lower end, the last at its upper one. */
export const pointOn = ({ min, max }: Axis, index: number, count: number): number => min + ((max - min) * index) / (count - 1);

/**
 * Runs the network forward over a grid of `columns` points of the first axis by `rows` of the second (1 for a single
 * axis), row by row from the lower end.
 * @param take is given a pass whose first `size` rows are grid points `from` and on.
 */
export function overGrid(
  network: Network,
  axes: readonly Axis[],
  columns: number,
  rows: number,
  take: (pass: Pass, from: number, size: number) => void,
): void {
  const count = columns * rows;
  for (let from = 0; from < count; from += network.size.evaluationBatch) {
    const size = Math.min(network.size.evaluationBatch, count - from);
    const pass = network.evaluationPass(size);
    const { data } = pass.input;
    for (let i = 0; i < size; i++) {
      const [column, row] = [(from + i) % columns, Math.floor((from + i) / columns)];
      data[i * axes.length] = pointOn(axes[0], column, columns);
      if (axes.length > 1) data[i * axes.length + 1] = pointOn(axes[1], row, rows);
    }
    for (let layer = 0; layer < pass.outputs.length; layer++) pass.forward(layer);
    take(pass, from, size);
  }
}
