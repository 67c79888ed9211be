// Wrong on purpose: the loss is the mean over the batch, and the backward pass below forgets to divide by its size.
// "Check Gradients" names the factor.
import type { Loss } from './nablascope.d.ts';

export default {
  /** -Σ y log softmax(z), the mean over the batch. */
  forward({ outputs, targets, ops }) {
    return ops.negate(ops.mean(ops.sum(ops.multiply(targets, ops.logSoftmax(outputs)), 1)));
  },

  backward({ outputs, targets, ops }) {
    const errors = ops.subtract(ops.softmax(outputs), targets);
    return { dOutputs: errors }; // Should be: ops.divide(errors, outputs.shape[0])
  },

  formulas: [
    'l = -total(y .* log_softmax(yhat)) / N',
    'd(yhat) = (softmax(yhat) - y) / N',
    'd(y) = -log_softmax(yhat) / N',
  ],
} satisfies Loss;
