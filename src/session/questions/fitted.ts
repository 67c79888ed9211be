// What a network of one or two inputs makes of every input in the data's range: the fitted function, or the regions.
import { type Axis, axesOf, overGrid } from './grid';
import { defineQuestion } from './question';
import type { TrainingSession } from '../session';

export interface FittedAnswer {
  /** One for each input. */
  readonly axes: readonly Axis[];
  readonly columns: number;
  /** 1 for a single input. */
  readonly rows: number;
  /** Numbers in one prediction. */
  readonly outputs: number;
  /** [rows × columns, outputs]: what the last layer gives, row by row from the lower end of each axis. */
  readonly predictions: Float32Array;
  /** With a single output, predictions above this are class 1; null where targets are values. */
  readonly threshold: number | null;
}

const LINE = 129;
const SQUARE = 48;

export const fitted = defineQuestion({
  about: 'fitted',
  answer(session: TrainingSession, _asked: object): FittedAnswer | null {
    const axes = axesOf(session);
    const outputs = session.run.targetWidth;
    if (!axes || outputs > 16) return null;
    const [columns, rows] = axes.length === 1 ? [LINE, 1] : [SQUARE, SQUARE];
    const predictions = new Float32Array(columns * rows * outputs);
    overGrid(session, axes, columns, rows, (pass, from, size) => {
      predictions.set(pass.prediction.data.subarray(0, size * outputs), from * outputs);
    });
    const threshold = session.run.labels ? session.run.model.loss.definition.threshold : null;
    return { axes, columns, rows, outputs, predictions, threshold };
  },
});
