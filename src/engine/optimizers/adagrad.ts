// Duchi, Hazan, Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011.
import * as z from 'zod/mini';
import { nonNegative } from '../options';
import { decayed, defineOptimizer } from './optimizer';
import { eps, weightDecay } from './options';

/** s ← s + g²; w ← w - lr / (1 + (t-1) lr_decay) g / (√s + eps): PyTorch's Adagrad. */
export const adagrad = defineOptimizer({
  kind: 'adagrad',
  summary: 'Each weight has a rate of its own, which falls with the squares of its gradients so far: w ← w - lr · g / (√Σg² + eps).',
  math: {
    update: String.raw`s \leftarrow s + g^2, \qquad w \leftarrow w - \eta \, \frac{g}{\sqrt{s} + \varepsilon}, \quad g = \d{w}`,
  },
  options: z.strictObject({
    lr: z._default(nonNegative('Learning rate.'), 0.01),
    lr_decay: z._default(nonNegative('In step t the rate is divided by 1 + (t - 1) · lr_decay.'), 0),
    eps: eps(1e-10),
    weight_decay: weightDecay(0),
  }),
  counts: true,
  state: () => ['sum of squares'],
  update(context) {
    const { kernels, options, lr, step, value, state } = context;
    const gradient = decayed(context, options.weight_decay);
    kernels.combineSquares(state[0], gradient, 1, 1);
    kernels.addQuotient(value, gradient, state[0], -lr / (1 + (step - 1) * options.lr_decay), options.eps);
  },
});
