// What a network of one or two inputs makes of every input in the data's range: the fitted function, or the regions.
import { type Axis, axesOf, overGrid } from './grid';
import { winner } from './predictions';
import { defineQuestion } from './question';
import type { TrainingSession } from '../session';

export interface FittedAnswer {
  /** One for each input. */
  readonly axes: readonly Axis[];
  readonly columns: number;
  /** 1 for a single input. */
  readonly rows: number;
  /** Numbers in one prediction; over a plane only the first is told. */
  readonly outputs: number;
  /** [rows × columns, outputs]: what the last layer gives, row by row from the lower end of each axis; null where classes are told. */
  readonly predictions: Float32Array | null;
  /** [rows × columns] over a plane: the class that is called, the first of equals; null where targets are values. */
  readonly classes: Uint8Array | null;
}

const LINE = 129;
const SQUARE = 48;

export const fitted = defineQuestion({
  about: 'fitted',
  answer(session: TrainingSession, _asked: object): FittedAnswer | null {
    const axes = axesOf(session);
    const width = session.run.targetWidth;
    if (!axes || width > 16) return null;
    const plane = axes.length === 2;
    const [columns, rows] = plane ? [SQUARE, SQUARE] : [LINE, 1];
    // Of a region only its colour is seen: a byte says it all.
    const classes = plane && session.run.labels ? new Uint8Array(columns * rows) : null;
    const outputs = plane ? 1 : width;
    const predictions = classes ? null : new Float32Array(columns * rows * outputs);
    const threshold = session.run.model.loss.definition.threshold ?? 0;
    overGrid(session.network, axes, columns, rows, (pass, from, size) => {
      const { data } = pass.prediction;
      for (let i = 0; i < size; i++) {
        if (classes) classes[from + i] = winner(data, i * width, width, threshold);
        else for (let j = 0; j < outputs && predictions; j++) predictions[(from + i) * outputs + j] = data[i * width + j];
      }
    });
    return { axes, columns, rows, outputs, predictions, classes };
  },
});
