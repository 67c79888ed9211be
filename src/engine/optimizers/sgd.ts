import * as z from 'zod/mini';
import { nonNegative } from '../options';
import { defineOptimizer } from './optimizer';

/** v ← momentum v + g; w ← w - lr v, PyTorch's SGD (dampening 0). */
export const sgd = defineOptimizer({
  kind: 'sgd',
  summary: 'Stochastic gradient descent with momentum: v ← momentum · v + g; w ← w - lr · v.',
  options: z.strictObject({
    lr: z._default(nonNegative('Learning rate.'), 0.1),
    momentum: z._default(nonNegative('Share of the last update that is kept; 0 for plain gradient descent.'), 0),
  }),
  state: ({ momentum }) => (momentum === 0 ? [] : ['momentum']),
  update({ kernels, options, lr, value, gradient, state }) {
    kernels.sgd(value, gradient, state[0] ?? null, lr, options.momentum);
  },
});
