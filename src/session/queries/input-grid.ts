// Evaluates a line or grid of inputs over the range of the data, for networks with one or two inputs. Uses the memory
// of the evaluation pass.
import type { Axis } from '../../protocol/queries';
import { numel } from '../../engine/kernels/tensor';
import type { Network } from '../../engine/network';
import type { Pass } from '../../engine/pass';
import type { TrainingSession } from '../session';

// Extra range on each side, as a share of the data's range.
const MARGIN = 0.1;

/** The axes of the inputs; null if there are none or more than two. */
export function inputAxes({ run }: TrainingSession): readonly Axis[] | null {
  const { dataset } = run;
  const width = numel(dataset.inputShape);
  if (width < 1 || width > 2) return null;
  return Array.from({ length: width }, (_, i) => {
    let [min, max] = [Infinity, -Infinity];
    for (let at = i; at < dataset.inputs.length; at += width) {
      min = Math.min(min, dataset.inputs[at]!);
      max = Math.max(max, dataset.inputs[at]!);
    }
    const margin = (max - min) * MARGIN || 1;
    return {
      name: dataset.featureNames?.[i] ?? (width === 1 ? 'x' : `x${i + 1}`),
      min: min - margin,
      max: max + margin,
    };
  });
}

/** The value of point `index` of `count` on an axis: the first at its lower end, the last at its upper end. */
export const axisValueAt = ({ min, max }: Axis, index: number, count: number): number =>
  min + ((max - min) * index) / (count - 1);

/**
 * Runs the network forward over a grid of `columns` points of the first axis by `rows` of the second (1 for a single
 * axis), row by row from the lower end.
 * @param onBatch receives a pass whose first `size` rows are the grid points from `from` on
 */
export function evaluateGrid(
  network: Network,
  axes: readonly Axis[],
  columns: number,
  rows: number,
  onBatch: (pass: Pass, from: number, size: number) => void,
): void {
  const count = columns * rows;
  for (let from = 0; from < count; from += network.size.evaluationBatchSize) {
    const size = Math.min(network.size.evaluationBatchSize, count - from);
    const pass = network.evaluationPass(size);
    const { data } = pass.input;
    for (let i = 0; i < size; i++) {
      const [column, row] = [(from + i) % columns, Math.floor((from + i) / columns)];
      data[i * axes.length] = axisValueAt(axes[0]!, column, columns);
      if (axes.length > 1) data[i * axes.length + 1] = axisValueAt(axes[1]!, row, rows);
    }
    pass.forwardAll();
    onBatch(pass, from, size);
  }
}
