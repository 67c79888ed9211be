// Tieleman and Hinton, "Lecture 6.5: rmsprop", Coursera: Neural Networks for Machine Learning, 2012.
import * as z from 'zod/mini';
import type { Tensor } from '../kernels/tensor';
import { learningRate, nonNegativeNumber } from '../option-schemas';
import { addWeightDecay, defineOptimizer } from './optimizer';
import { decayRate, weightDecayRule, eps, weightDecay } from './shared-options';

/**
 * As in PyTorch, not centered: s ← alpha s + (1 - alpha) g². Without momentum, w ← w - lr g / (√s + eps). With it,
 * v ← momentum v + g / (√s + eps) and w ← w - lr v.
 */
export const rmsprop = defineOptimizer({
  kind: 'rmsprop',
  summary:
    'Divides the gradient by the root of the running mean of its square: s ← alpha · s + (1 - alpha) · g², w ← w - lr · g / (√s + eps).',
  rule: (options) => [
    ...weightDecayRule(options),
    String.raw`s \leftarrow \alpha s + (1 - \alpha) g^2`,
    ...(options.momentum === 0
      ? [String.raw`w \leftarrow w - \eta \frac{g}{\sqrt{s} + \varepsilon}`]
      : [String.raw`v \leftarrow \mu v + \frac{g}{\sqrt{s} + \varepsilon}`, String.raw`w \leftarrow w - \eta v`]),
  ],
  options: z.strictObject({
    lr: learningRate(0.01),
    alpha: decayRate('Decay rate of the running mean of squares.', 0.99),
    momentum: z._default(nonNegativeNumber('Momentum factor.'), 0),
    eps: eps(1e-8),
    weight_decay: weightDecay(0),
  }),
  state: ({ momentum }) => (momentum === 0 ? ['mean of squares'] : ['mean of squares', 'momentum']),
  update(context) {
    const { kernels, options, lr, value, state } = context;
    const [square, velocity] = state as readonly [square: Tensor, velocity?: Tensor];
    const gradient = addWeightDecay(context, options.weight_decay);
    kernels.axpbySquared(square, gradient, options.alpha, 1 - options.alpha);
    if (!velocity) {
      kernels.addcdivSqrt(value, gradient, square, -lr, options.eps);
      return;
    }
    kernels.scale(velocity, velocity, options.momentum);
    kernels.addcdivSqrt(velocity, gradient, square, 1, options.eps);
    kernels.axpby(value, velocity, 1, -lr);
  },
});
