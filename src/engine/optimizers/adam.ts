// Kingma and Ba, "Adam: a method for stochastic optimization", 2015; AdamW: Loshchilov and Hutter, "Decoupled
// weight decay regularization", 2019. Formulas and defaults are PyTorch's.
import * as z from 'zod/mini';
import { integerPower } from '../deterministic-math';
import type { Tensor, Shape2 } from '../kernels/tensor';
import { learningRate } from '../option-schemas';
import { addWeightDecay, defineOptimizer, type UpdateContext } from './optimizer';
import { betas, weightDecayRule, eps, weightDecay } from './shared-options';

const STATE_NAMES = ['mean of the gradient', 'mean of its square'] as const;

const ADAM_RULE = [
  String.raw`m \leftarrow \beta_1 m + (1 - \beta_1) g`,
  String.raw`s \leftarrow \beta_2 s + (1 - \beta_2) g^2`,
  String.raw`w \leftarrow w - \eta \frac{m / (1 - \beta_1^t)}{\sqrt{s / (1 - \beta_2^t)} + \varepsilon}`,
];

/** m ← β1 m + (1-β1) g; s ← β2 s + (1-β2) g²; w ← w - lr m̂ / (√ŝ + eps), m̂ = m/(1-β1ᵗ), ŝ = s/(1-β2ᵗ). */
function adamStep(
  { kernels, options, coefficients, value, state }: UpdateContext<{ betas: number[]; eps: number }>,
  gradient: Tensor,
): void {
  const [mean, square] = state as readonly [Tensor, Tensor];
  const [beta1, beta2] = options.betas as [number, number];
  const [scale, eps] = coefficients as Shape2;
  kernels.axpby(mean, gradient, beta1, 1 - beta1);
  kernels.axpbySquared(square, gradient, beta2, 1 - beta2);
  kernels.addcdivSqrt(value, mean, square, scale, eps);
}

/** The factor of m and the term added to √s: √(s/c²) + eps is (√s + c eps)/c. */
function biasCorrection(
  { betas: [beta1, beta2], eps }: { betas: number[]; eps: number },
  lr: number,
  step: number,
): [scale: number, eps: number] {
  const c = Math.sqrt(1 - integerPower(beta2!, step));
  return [(-lr / (1 - integerPower(beta1!, step))) * c, eps * c];
}

export const adam = defineOptimizer({
  kind: 'adam',
  summary:
    'Moves each weight by about lr per step: the running mean of its gradient divided by the root of the running mean of its square, both bias-corrected.',
  rule: (options) => [...weightDecayRule(options), ...ADAM_RULE],
  options: z.strictObject({
    lr: learningRate(0.001),
    betas,
    eps: eps(1e-8),
    weight_decay: weightDecay(0),
  }),
  dependsOnStep: true,
  stepCoefficients: (options, lr, step) => biasCorrection(options, lr, step),
  state: () => STATE_NAMES,
  update(context) {
    adamStep(context, addWeightDecay(context, context.options.weight_decay));
  },
});

export const adamw = defineOptimizer({
  kind: 'adamw',
  summary: 'Adam with decoupled weight decay: w ← w - lr · weight_decay · w, independent of the gradient.',
  rule: ({ weight_decay }) => [
    ...(weight_decay === 0 ? [] : [String.raw`w \leftarrow w - \eta \lambda w`]),
    ...ADAM_RULE,
  ],
  options: z.strictObject({
    lr: learningRate(0.001),
    betas,
    eps: eps(1e-8),
    weight_decay: weightDecay(
      0.01,
      'Every step reduces every weight, biases included, by lr · weight_decay of its value. It is not part of the gradient.',
    ),
  }),
  dependsOnStep: true,
  stepCoefficients: (options, lr, step) => [...biasCorrection(options, lr, step), 1 - lr * options.weight_decay],
  state: () => STATE_NAMES,
  update(context) {
    const { kernels, coefficients, value, gradient } = context;
    kernels.scale(value, value, coefficients[2]!);
    adamStep(context, gradient);
  },
});
