// The data itself, to be drawn: inputs and targets of samples, at most so many of each part, evenly chosen.
import type { TargetData } from '../../engine/datasets/dataset';
import { sizeOf, type TensorData } from '../../engine/kernels/tensor';
import type { Part } from '../frame';
import type { TrainingSession } from '../session';
import { evenly } from './evenly';
import { defineQuestion } from './question';

export interface PointsAnswer {
  /** How many the part has. */
  readonly of: number;
  /** Numbers of the samples in the data, counted from 0. */
  readonly samples: Uint32Array;
  /** [samples, inputs]. */
  readonly inputs: Float32Array;
  /** [samples, targets]: a class's index, or values. */
  readonly targets: Float32Array;
}

const MOST = 600;

export const points = defineQuestion({
  about: 'points',
  /** Null for inputs of more than two numbers: there is no place to draw them. */
  answer({ run }: TrainingSession, { part }: { readonly part: Part }): PointsAnswer | null {
    const width = sizeOf(run.dataset.inputShape);
    if (width > 2) return null;
    const samples = evenly(run.split[part], MOST);
    const { inputs, targets, targetSize } = run.dataset;
    return {
      of: run.split[part].length,
      samples,
      inputs: rowsOf(inputs, width, samples),
      targets: rowsOf(targets, targetSize, samples),
    };
  },
});

function rowsOf(from: TensorData | TargetData, width: number, rows: Uint32Array): Float32Array {
  const out = new Float32Array(rows.length * width);
  rows.forEach((row, i) => out.set(from.subarray(row * width, (row + 1) * width), i * width));
  return out;
}
