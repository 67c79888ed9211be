// Hochreiter and Schmidhuber, "Long short-term memory", 1997; with the forget gate of Gers, Schmidhuber, Cummins,
// "Learning to forget", 2000, as in PyTorch.
import * as z from 'zod/mini';
import type { Tensor } from '../kernels/tensor';
import { defineLayer } from './layer';
import { checkOptions, recurrentMembers, recurrentOptions, type RecurrentOptions } from './recurrent';
import { recurrentFormulas } from './recurrent-formulas';

const GATES = ['input_gate', 'forget_gate', 'cell_gate', 'output_gate'] as const;
const SUMS = GATES.map((gate) => `${gate}_sum`);

const members = recurrentMembers<RecurrentOptions>({
  inputSums: SUMS,
  hiddenSums: SUMS,
  cellState: 'cell_state',
  internals: [...GATES, 'cell_state'],
  scratch: [...SUMS, 'cell_tanh'],
  forward(kernels, steps, t, [, cellBefore]) {
    const [i, f, g, o] = GATES.map((gate) => steps[gate]![t]!) as [Tensor, Tensor, Tensor, Tensor];
    const [cell, squashed] = [steps.cell_state![t]!, steps.cell_tanh![t]!];
    kernels.sigmoid(i, steps.input_gate_sum![t]!);
    kernels.sigmoid(f, steps.forget_gate_sum![t]!);
    kernels.tanh(g, steps.cell_gate_sum![t]!);
    kernels.sigmoid(o, steps.output_gate_sum![t]!);
    kernels.multiply(cell, f, cellBefore!);
    kernels.multiply(squashed, i, g);
    kernels.axpby(cell, squashed, 1, 1);
    kernels.tanh(squashed, cell);
    kernels.multiply(steps.hidden_state![t]!, o, squashed);
  },
  backward(kernels, steps, gradients, t, [, cellBefore], [, gradCellBefore]) {
    const [i, f, g, o] = GATES.map((gate) => steps[gate]![t]!) as [Tensor, Tensor, Tensor, Tensor];
    const [di, df, dg, dOut] = GATES.map((gate) => gradients[gate]![t]!) as [Tensor, Tensor, Tensor, Tensor];
    const squashed = steps.cell_tanh![t]!;
    const [dHidden, dCell] = [gradients.hidden_state![t]!, gradients.cell_state![t]!];
    const dSquashed = gradients.cell_tanh![t]!;
    kernels.multiply(dSquashed, dHidden, o);
    kernels.tanhBackward(dSquashed, dSquashed, squashed);
    kernels.axpby(dCell, dSquashed, 1, 1);
    kernels.multiply(di, dCell, g);
    kernels.sigmoidBackward(gradients.input_gate_sum![t]!, di, i);
    kernels.multiply(df, dCell, cellBefore!);
    kernels.sigmoidBackward(gradients.forget_gate_sum![t]!, df, f);
    kernels.multiply(dg, dCell, i);
    kernels.tanhBackward(gradients.cell_gate_sum![t]!, dg, g);
    kernels.multiply(dOut, dHidden, squashed);
    kernels.sigmoidBackward(gradients.output_gate_sum![t]!, dOut, o);
    kernels.multiply(gradCellBefore!, dCell, f);
  },
});

/** x [batch, time, inputs]; y [batch, hidden], or [batch, time, hidden] with all states. */
export const lstm = defineLayer({
  kind: 'lstm',
  aliases: ['long_short_term_memory'],
  summary:
    'Long short-term memory, a recurrent layer on sequences: c = f · c₋ + i · g, h = o · tanh(c), where the gates i, f, o are sigmoids ' +
    'and g is the tanh of W_ih x + b_ih + W_hh h₋ + b_hh. y is the last h, or all of them.',
  formulas(context) {
    const n = context.options.hidden_size;
    const gate = (part: number): string => `a[t][${part * n}:${(part + 1) * n}]`;
    return recurrentFormulas(context, ({ real, state, skipped, skips }) => ({
      gradientOfSums: 'd(a)',
      hidden: 'o[t] .* tanh(c[t])',
      forward:
        `c[t] = ${state('c', 'f[t] .* c[t - 1] + i[t] .* g[t]')}; i[t] = sigmoid(${gate(0)}); f[t] = sigmoid(${gate(1)}); ` +
        `g[t] = tanh(${gate(2)}); o[t] = sigmoid(${gate(3)}); `,
      backward:
        'd(a)[t] = concat(d(c)[t] .* g[t] .* i[t] .* (1 - i[t]), d(c)[t] .* c[t - 1] .* f[t] .* (1 - f[t]), ' +
        `d(c)[t] .* i[t] .* (1 - g[t]^2), d(h)[t] .* tanh(c[t]) .* o[t] .* (1 - o[t]))${real('t')}; ` +
        `d(c)[t] = o[t] .* (1 - tanh(c[t])^2) .* d(h)[t]${real('t')} + ` +
        `f[t + 1] .* d(c)[t + 1]${real('t + 1')}${skipped('c')}${skips('c')}`,
      carried: '',
    }));
  },
  options: z.strictObject(recurrentOptions(['input', 'forget', 'cell', 'output'])).check(checkOptions(GATES.length)),
  outputRange: () => [-1, 1],
  ...members,
});
