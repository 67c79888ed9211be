// Tieleman and Hinton, "Lecture 6.5: rmsprop", Coursera: Neural Networks for Machine Learning, 2012.
import * as z from 'zod/mini';
import { nonNegative } from '../options';
import { decayed, defineOptimizer } from './optimizer';
import { decayShare, eps, weightDecay } from './options';

/** s ← alpha s + (1-alpha) g²; w ← w - lr g / (√s + eps), or v ← momentum v + g / (√s + eps); w ← w - lr v: PyTorch's RMSprop. */
export const rmsprop = defineOptimizer({
  kind: 'rmsprop',
  summary: 'The gradient over the root of a running mean of its square: w ← w - lr · g / (√s + eps), s ← alpha · s + (1 - alpha) · g².',
  math: {
    update: String.raw`s \leftarrow \alpha s + (1 - \alpha) g^2, \qquad w \leftarrow w - \eta \, \frac{g}{\sqrt{s} + \varepsilon}, \quad g = \d{w}`,
  },
  options: z.strictObject({
    lr: z._default(nonNegative('Learning rate.'), 0.01),
    alpha: decayShare('Share of the running mean of squares that is kept at each step.', 0.99),
    momentum: z._default(nonNegative('Share of the last update that is kept.'), 0),
    eps: eps(1e-8),
    weight_decay: weightDecay(0),
  }),
  state: ({ momentum }) => (momentum === 0 ? ['mean of squares'] : ['mean of squares', 'momentum']),
  update(context) {
    const { kernels, options, lr, value, state } = context;
    const [square, velocity] = state;
    const gradient = decayed(context, options.weight_decay);
    kernels.combineSquares(square, gradient, options.alpha, 1 - options.alpha);
    if (!velocity) {
      kernels.addQuotient(value, gradient, square, -lr, options.eps);
      return;
    }
    kernels.scale(velocity, velocity, options.momentum);
    kernels.addQuotient(velocity, gradient, square, 1, options.eps);
    kernels.combine(value, velocity, 1, -lr);
  },
});
