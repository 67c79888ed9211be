// The output of a network with one or two inputs over the range of the data: the fitted function, or the decision
// regions.
import type { DecisionSurface } from '../../protocol/queries';
import { inputAxes, evaluateGrid } from './input-grid';
import { predictedClass } from './predictions';
import { defineQuery } from './query';
import type { TrainingSession } from '../session';

const LINE_POINTS = 129;
const GRID_SIDE = 48;

export const decisionSurface = defineQuery({
  type: 'decision_surface',
  resolve(session: TrainingSession, _request: object): DecisionSurface | null {
    const axes = inputAxes(session);
    const width = session.run.targetWidth;
    if (!axes || width > 16) return null;
    const plane = axes.length === 2;
    const [columns, rows] = plane ? [GRID_SIDE, GRID_SIDE] : [LINE_POINTS, 1];
    // A region is only drawn as a color, so a byte is enough.
    const classes = plane && session.run.labels ? new Uint8Array(columns * rows) : null;
    const outputs = plane ? 1 : width;
    const predictions = classes ? null : new Float32Array(columns * rows * outputs);
    const threshold = session.run.model.loss.definition.threshold ?? 0;
    evaluateGrid(session.network, axes, columns, rows, (pass, from, size) => {
      const { data } = pass.prediction;
      for (let i = 0; i < size; i++) {
        if (classes) classes[from + i] = predictedClass(data, i * width, width, threshold);
        else
          for (let j = 0; j < outputs && predictions; j++) predictions[(from + i) * outputs + j] = data[i * width + j]!;
      }
    });
    return { axes, columns, rows, outputs, predictions, classes };
  },
});
