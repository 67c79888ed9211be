// Duchi, Hazan, Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011.
import * as z from 'zod/mini';
import { learningRate, nonNegativeNumber } from '../option-schemas';
import { addWeightDecay, defineOptimizer } from './optimizer';
import { weightDecayRule, eps, weightDecay } from './shared-options';

/** s ← s + g²; w ← w - lr / (1 + (t-1) lr_decay) g / (√s + eps): PyTorch's Adagrad. */
export const adagrad = defineOptimizer({
  kind: 'adagrad',
  summary: 'Adapts the rate of each weight to its past gradients: w ← w - lr · g / (√Σg² + eps).',
  rule: (options) => [
    ...weightDecayRule(options),
    String.raw`s \leftarrow s + g^2`,
    options.lr_decay === 0
      ? String.raw`w \leftarrow w - \eta \frac{g}{\sqrt{s} + \varepsilon}`
      : String.raw`w \leftarrow w - \frac{\eta}{1 + \gamma (t - 1)} \frac{g}{\sqrt{s} + \varepsilon}`,
  ],
  options: z.strictObject({
    lr: learningRate(0.01),
    lr_decay: z._default(nonNegativeNumber('Divides the rate of step t by 1 + (t - 1) · lr_decay.'), 0),
    eps: eps(1e-10),
    weight_decay: weightDecay(0),
  }),
  dependsOnStep: true,
  state: () => ['sum of squares'],
  update(context) {
    const { kernels, options, lr, step, value, state } = context;
    const gradient = addWeightDecay(context, options.weight_decay);
    kernels.axpbySquared(state[0]!, gradient, 1, 1);
    kernels.addcdivSqrt(value, gradient, state[0]!, -lr / (1 + (step - 1) * options.lr_decay), options.eps);
  },
});
