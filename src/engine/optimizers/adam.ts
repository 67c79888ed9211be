// Kingma and Ba, "Adam: a method for stochastic optimization", 2015; AdamW: Loshchilov and Hutter, "Decoupled
// weight decay regularization", 2019. Formulas and defaults are PyTorch's.
import * as z from 'zod/mini';
import { power } from '../functions';
import type { Tensor } from '../kernels/tensor';
import { nonNegative } from '../options';
import { decayed, defineOptimizer, type UpdateContext } from './optimizer';
import { betas, eps, weightDecay } from './options';

const STATE = ['mean of the gradient', 'mean of its square'] as const;

/** m ← β1 m + (1-β1) g; s ← β2 s + (1-β2) g²; w ← w - lr m̂ / (√ŝ + eps), m̂ = m/(1-β1ᵗ), ŝ = s/(1-β2ᵗ). */
function step({ kernels, options, numbers, value, state }: UpdateContext<{ betas: number[]; eps: number }>, gradient: Tensor): void {
  const [mean, square] = state;
  const [beta1, beta2] = options.betas;
  const [scale, eps] = numbers;
  kernels.combine(mean, gradient, beta1, 1 - beta1);
  kernels.combineSquares(square, gradient, beta2, 1 - beta2);
  kernels.addQuotient(value, mean, square, scale, eps);
}

/** By what m is multiplied, and what is added to √s: √(s/c²) + eps is (√s + c eps)/c. */
function corrected({ betas: [beta1, beta2], eps }: { betas: number[]; eps: number }, lr: number, step: number): [scale: number, eps: number] {
  const c = Math.sqrt(1 - power(beta2, step));
  return [(-lr / (1 - power(beta1, step))) * c, eps * c];
}

export const adam = defineOptimizer({
  kind: 'adam',
  summary: 'A step for each weight, about lr long: the running mean of its gradient over the root of that of its square, both corrected for their start at 0.',
  math: {
    update: String.raw`m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \quad w \leftarrow w - \eta \, \frac{\hat m}{\sqrt{\hat v} + \varepsilon}, \quad g = \d{w}`,
  },
  options: z.strictObject({
    lr: z._default(nonNegative('Learning rate.'), 0.001),
    betas,
    eps: eps(1e-8),
    weight_decay: weightDecay(0),
  }),
  counts: true,
  numbers: (options, lr, step) => corrected(options, lr, step),
  state: () => STATE,
  update(context) {
    step(context, decayed(context, context.options.weight_decay));
  },
});

export const adamw = defineOptimizer({
  kind: 'adamw',
  summary: 'Adam with weight decay of its own: w ← w - lr · weight_decay · w, whatever the size of the gradient.',
  math: {
    update: String.raw`w \leftarrow w - \eta \lambda w - \eta \, \frac{\hat m}{\sqrt{\hat v} + \varepsilon}, \quad m, v \text{ as in Adam}`,
  },
  options: z.strictObject({
    lr: z._default(nonNegative('Learning rate.'), 0.001),
    betas,
    eps: eps(1e-8),
    weight_decay: z._default(
      nonNegative('Every step takes lr · weight_decay of every weight away, biases included; it is not part of the gradient.'),
      0.01,
    ),
  }),
  counts: true,
  numbers: (options, lr, step) => [...corrected(options, lr, step), 1 - lr * options.weight_decay],
  state: () => STATE,
  update(context) {
    const { kernels, numbers, value, gradient } = context;
    kernels.scale(value, value, numbers[2]);
    step(context, gradient);
  },
});
