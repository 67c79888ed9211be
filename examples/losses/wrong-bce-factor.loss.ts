// Wrong on purpose: binary cross-entropy, 1/K Σ -[y log p + (1 - y) log(1 - p)], whose gradient forgets 1/K.
import type { Loss } from './nablascope.d.ts';

export default {
  // What is right.
  formulas: [
    'l = -total(y .* log(yhat) + (1 - y) .* log(1 - yhat)) / (N * K)',
    'd(yhat) = (yhat - y) / (yhat .* (1 - yhat)) / (N * K)',
    'd(y) = (log(1 - yhat) - log(yhat)) / (N * K)',
  ],

  forward({ outputs: p, targets: y, ops }) {
    const right = ops.multiply(y, ops.log(p));
    const wrong = ops.multiply(ops.subtract(1, y), ops.log(ops.subtract(1, p)));
    return ops.negate(ops.mean(ops.add(right, wrong)));
  },

  backward({ outputs: p, targets: y, ops }) {
    const samples = p.shape[0];
    const gradient = ops.divide(ops.subtract(p, y), ops.multiply(p, ops.subtract(1, p)));
    return { dOutputs: ops.divide(gradient, samples) }; // Should be divided by the number of outputs, too.
  },
} satisfies Loss;
