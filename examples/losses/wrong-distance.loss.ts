// Wrong on purpose: the distance ‖ŷ - y‖, without a square, with the gradient of the squared one, 2 (ŷ - y).
import type { Loss } from './nablascope.d.ts';

export default {
  // What is right.
  formulas: [
    'l = sum(n: sqrt(sum(k: (yhat[n, k] - y[n, k])^2))) / N',
    'd(yhat)[n, k] = (yhat[n, k] - y[n, k]) / sqrt(sum(j: (yhat[n, j] - y[n, j])^2)) / N',
    'd(y)[n, k] = (y[n, k] - yhat[n, k]) / sqrt(sum(j: (yhat[n, j] - y[n, j])^2)) / N',
  ],

  forward({ outputs, targets, ops }) {
    const errors = ops.subtract(outputs, targets);
    return ops.mean(ops.sqrt(ops.sum(ops.multiply(errors, errors), 1)));
  },

  backward({ outputs, targets, ops }) {
    // Should be: (ŷ - y) / ‖ŷ - y‖, divided by the number of samples.
    return { dOutputs: ops.divide(ops.multiply(2, ops.subtract(outputs, targets)), outputs.shape[0]) };
  },
} satisfies Loss;
