// Wrong on purpose: cross-entropy of probabilities o, -Σ y log o, with the gradient that belongs to the logits before
// the softmax.
import type { Loss } from './nablascope.d.ts';

export default {
  // What is right.
  formulas: ['l = -total(y .* log(yhat)) / N', 'd(yhat) = -y / yhat / N', 'd(y) = -log(yhat) / N'],

  forward({ outputs, targets, ops }) {
    return ops.negate(ops.mean(ops.sum(ops.multiply(targets, ops.log(outputs)), 1)));
  },

  backward({ outputs, targets, ops }) {
    // Should be: -y / o, divided by the number of samples.
    return { dOutputs: ops.divide(ops.subtract(outputs, targets), outputs.shape[0]) };
  },
} satisfies Loss;
