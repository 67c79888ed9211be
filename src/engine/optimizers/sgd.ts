import * as z from 'zod/mini';
import { nonNegative } from '../options';
import { decayed, defineOptimizer } from './optimizer';
import { weightDecay } from './options';

/**
 * g ← gradient + weight_decay w; v ← momentum v + g; w ← w - lr v, or with Nesterov w ← w - lr (g + momentum v):
 * PyTorch's SGD with dampening 0.
 * Source: Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in deep learning", 2013.
 */
export const sgd = defineOptimizer({
  kind: 'sgd',
  summary: 'Stochastic gradient descent with momentum: v ← momentum · v + g; w ← w - lr · v.',
  math: {
    update: String.raw`v \leftarrow \mu v + \d{w}, \qquad w \leftarrow w - \eta v`,
  },
  options: z
    .strictObject({
      lr: z._default(nonNegative('Learning rate.'), 0.1),
      momentum: z._default(nonNegative('Share of the last update that is kept; 0 for plain gradient descent.'), 0),
      nesterov: z._default(
        z.boolean().check(z.describe('Looks ahead along the momentum: w ← w - lr · (g + momentum · v). Needs momentum.')),
        false,
      ),
      weight_decay: weightDecay(0),
    })
    .check(
      z.refine(({ nesterov, momentum }) => !nesterov || momentum > 0, {
        error: 'Nesterov looks ahead along the momentum, but there is none.',
        path: ['nesterov'],
        params: { code: 'missing-option', remedy: 'Add "momentum", such as 0.9, or remove "nesterov".' },
      }),
    ),
  state: ({ momentum }) => (momentum === 0 ? [] : ['momentum']),
  update(context) {
    const { kernels, options, lr, value, scratch, state } = context;
    const gradient = decayed(context, options.weight_decay);
    if (!options.nesterov) {
      kernels.sgd(value, gradient, state[0] ?? null, lr, options.momentum);
      return;
    }
    kernels.combine(state[0], gradient, options.momentum, 1);
    if (gradient !== scratch) kernels.copy(scratch, gradient);
    kernels.combine(scratch, state[0], 1, options.momentum);
    kernels.combine(value, scratch, 1, -lr);
  },
});
