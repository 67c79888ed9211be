// Elman, "Finding structure in time", 1990; names and layout as in PyTorch.
import * as z from 'zod/mini';
import { alias } from '../option-schemas';
import { defineLayer } from './layer';
import { checkOptions, recurrentMembers, recurrentOptions } from './recurrent';
import { recurrentFormulas } from './recurrent-formulas';
import { passesOf } from './recurrent-passes';

const options = z
  .strictObject({
    ...recurrentOptions([]),
    nonlinearity: z._default(
      z.enum(['tanh', 'relu']).check(z.describe('The function of the sum. relu has a kink at 0.'), alias('activation')),
      'tanh',
    ),
  })
  .check(checkOptions(1));

const members = recurrentMembers<z.output<typeof options>>({
  inputSums: ['sum'],
  hiddenSums: ['sum'],
  internals: ['sum'],
  forward(kernels, steps, t, _before, { nonlinearity }) {
    const [sum, hidden] = [steps.sum![t]!, steps.hidden_state![t]!];
    if (nonlinearity === 'relu') kernels.relu(hidden, sum, 1);
    else kernels.tanh(hidden, sum);
  },
  backward(kernels, steps, gradients, t, _before, _gradBefore, { nonlinearity }) {
    const [dSum, dHidden] = [gradients.sum![t]!, gradients.hidden_state![t]!];
    if (nonlinearity === 'relu') kernels.reluBackward(dSum, dHidden, steps.sum![t]!, 1);
    else kernels.tanhBackward(dSum, dHidden, steps.hidden_state![t]!);
  },
});

const NO_KINKS = new Int8Array();

/** x [batch, time, inputs]; y [batch, hidden], or [batch, time, hidden] with all states. */
export const rnn = defineLayer({
  kind: 'rnn',
  aliases: ['simple_rnn', 'elman', 'vanilla_rnn', 'recurrent'],
  summary:
    'A recurrent layer on sequences: h = f(W_ih x + b_ih + W_hh h₋ + b_hh) at each time step, from the state h₋ of the one before. ' +
    'f is tanh or relu. y is the last h, or all of them.',
  formulas: (context) =>
    recurrentFormulas(context, ({ real }) => ({
      gradientOfSums: 'd(a)',
      hidden: context.options.nonlinearity === 'relu' ? 'max(0, a[t])' : 'tanh(a[t])',
      forward: '',
      backward: `d(a)[t] = ${context.options.nonlinearity === 'relu' ? 'when(a[t] > 0)' : '(1 - h[t]^2)'} .* d(h)[t]${real('t')}`,
      carried: '',
    })),
  options,
  gatedKind: 'gru',
  outputRange: ({ nonlinearity }) => (nonlinearity === 'tanh' ? [-1, 1] : [0, Infinity]),
  kinkSides({ options: layer, internals }) {
    if (layer.nonlinearity === 'tanh') return NO_KINKS;
    const sums = passesOf(layer).map(({ internalSuffix }) => internals[`sum${internalSuffix}`]!.data);
    const sides = new Int8Array(sums.length * sums[0]!.length);
    sums.forEach((data, pass) => {
      for (let i = 0; i < data.length; i++) sides[pass * data.length + i] = Math.sign(data[i]!);
    });
    return sides;
  },
  ...members,
});
