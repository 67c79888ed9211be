// Inputs and targets of samples for drawing: at most a fixed number per split, evenly selected.

import type { SplitName } from '../../protocol/position';
import type { DataPoints } from '../../protocol/queries';
import type { TargetData } from '../../engine/datasets/dataset';
import { numel, type TensorData } from '../../engine/kernels/tensor';
import type { TrainingSession } from '../session';
import { takeEvenlySpaced } from './evenly-spaced';
import { defineQuery } from './query';

const MAX_POINTS = 600;

export const points = defineQuery({
  type: 'points',
  /** Null for inputs of more than two numbers, which cannot be drawn. */
  resolve({ run }: TrainingSession, { split }: { readonly split: SplitName }): DataPoints | null {
    const width = numel(run.dataset.inputShape);
    if (width > 2) return null;
    const samples = takeEvenlySpaced(run.split[split], MAX_POINTS);
    const { inputs, targets, targetSize } = run.dataset;
    return {
      total: run.split[split].length,
      samples,
      inputs: gatherRows(inputs, width, samples),
      targets: gatherRows(targets, targetSize, samples),
    };
  },
});

function gatherRows(from: TensorData | TargetData, width: number, rows: Uint32Array): Float32Array {
  const out = new Float32Array(rows.length * width);
  rows.forEach((row, i) => out.set(from.subarray(row * width, (row + 1) * width), i * width));
  return out;
}
