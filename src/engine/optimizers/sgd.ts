import * as z from 'zod/mini';
import { learningRate, nonNegativeNumber } from '../option-schemas';
import { addWeightDecay, defineOptimizer } from './optimizer';
import { weightDecayRule, weightDecay } from './shared-options';

/**
 * g ← gradient + weight_decay w; v ← momentum v + g; w ← w - lr v, or with Nesterov w ← w - lr (g + momentum v):
 * PyTorch's SGD with dampening 0.
 * Source: Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in deep learning", 2013.
 */
export const sgd = defineOptimizer({
  kind: 'sgd',
  aliases: ['gd', 'gradient_descent', 'stochastic_gradient_descent', 'momentum', 'nesterov'],
  summary: 'Stochastic gradient descent with momentum: v ← momentum · v + g; w ← w - lr · v.',
  rule: (options) => [
    ...weightDecayRule(options),
    ...(options.momentum === 0
      ? [String.raw`w \leftarrow w - \eta g`]
      : [
          String.raw`v \leftarrow \mu v + g`,
          options.nesterov ? String.raw`w \leftarrow w - \eta (g + \mu v)` : String.raw`w \leftarrow w - \eta v`,
        ]),
  ],
  options: z
    .strictObject({
      lr: learningRate(0.1),
      momentum: z._default(
        nonNegativeNumber('Share of the previous velocity to keep; 0 for plain gradient descent.'),
        0,
      ),
      nesterov: z._default(
        z.boolean().check(z.describe('Nesterov momentum: w ← w - lr · (g + momentum · v). Needs momentum.')),
        false,
      ),
      weight_decay: weightDecay(0),
    })
    .check(
      z.refine(({ nesterov, momentum }) => !nesterov || momentum > 0, {
        error: '"nesterov" needs momentum, but there is none.',
        path: ['nesterov'],
        params: { code: 'missing-option', remedy: 'Add "momentum", such as 0.9, or remove "nesterov".' },
      }),
    ),
  state: ({ momentum }) => (momentum === 0 ? [] : ['momentum']),
  update(context) {
    const { kernels, options, lr, value, scratch, state } = context;
    const gradient = addWeightDecay(context, options.weight_decay);
    if (!options.nesterov) {
      kernels.sgd(value, gradient, state[0] ?? null, lr, options.momentum);
      return;
    }
    kernels.axpby(state[0]!, gradient, options.momentum, 1);
    if (gradient !== scratch) kernels.copy(scratch, gradient);
    kernels.axpby(scratch, state[0]!, 1, options.momentum);
    kernels.axpby(value, scratch, 1, -lr);
  },
});
