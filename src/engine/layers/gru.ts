// Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation", 2014. As
// in PyTorch, the reset gate multiplies the weighted hidden state, not the hidden state.
import * as z from 'zod/mini';
import { defineLayer } from './layer';
import { checkOptions, recurrentMembers, recurrentOptions, type RecurrentOptions } from './recurrent';
import { recurrentFormulas } from './recurrent-formulas';

const members = recurrentMembers<RecurrentOptions>({
  inputSums: ['reset_gate_sum', 'update_gate_sum', 'new_gate_sum'],
  hiddenSums: ['reset_gate_sum', 'update_gate_sum', 'hidden_sum'],
  internals: ['reset_gate', 'update_gate', 'hidden_sum', 'new_gate'],
  scratch: ['reset_gate_sum', 'update_gate_sum', 'new_gate_sum', 'difference'],
  forward(kernels, steps, t, [hiddenBefore]) {
    const [r, z, n] = [steps.reset_gate![t]!, steps.update_gate![t]!, steps.new_gate![t]!];
    const [difference, hidden] = [steps.difference![t]!, steps.hidden_state![t]!];
    kernels.sigmoid(r, steps.reset_gate_sum![t]!);
    kernels.sigmoid(z, steps.update_gate_sum![t]!);
    kernels.multiply(n, r, steps.hidden_sum![t]!);
    kernels.axpby(n, steps.new_gate_sum![t]!, 1, 1);
    kernels.tanh(n, n);
    // (1 - z) n + z h = n + z (h - n)
    kernels.subtract(difference, hiddenBefore!, n);
    kernels.multiply(hidden, z, difference);
    kernels.axpby(hidden, n, 1, 1);
  },
  backward(kernels, steps, gradients, t, _before, [gradHiddenBefore]) {
    const [r, z, n] = [steps.reset_gate![t]!, steps.update_gate![t]!, steps.new_gate![t]!];
    const [dr, dz, dn] = [gradients.reset_gate![t]!, gradients.update_gate![t]!, gradients.new_gate![t]!];
    const [dHidden, direct] = [gradients.hidden_state![t]!, gradients.difference![t]!];
    const dNewSum = gradients.new_gate_sum![t]!;
    kernels.multiply(direct, dHidden, z);
    kernels.axpby(gradHiddenBefore!, direct, 1, 1);
    kernels.multiply(dz, dHidden, steps.difference![t]!);
    kernels.sigmoidBackward(gradients.update_gate_sum![t]!, dz, z);
    kernels.subtract(dn, dHidden, direct);
    kernels.tanhBackward(dNewSum, dn, n);
    kernels.multiply(gradients.hidden_sum![t]!, dNewSum, r);
    kernels.multiply(dr, dNewSum, steps.hidden_sum![t]!);
    kernels.sigmoidBackward(gradients.reset_gate_sum![t]!, dr, r);
  },
});

/** x [batch, time, inputs]; y [batch, hidden], or [batch, time, hidden] with all states. */
export const gru = defineLayer({
  kind: 'gru',
  aliases: ['gated_recurrent_unit'],
  summary:
    'A gated recurrent unit, a recurrent layer on sequences: h = (1 - z) · n + z · h₋, where n = tanh(W_in x + b_in + r · (W_hn h₋ + b_hn)) ' +
    'and the gates r and z are sigmoids of x and h₋. y is the last h, or all of them.',
  formulas(context) {
    const n = context.options.hidden_size;
    const [reset, update, fresh] = [0, 1, 2].map((part) => `[${part * n}:${(part + 1) * n}]`);
    return recurrentFormulas(context, ({ real }) => ({
      gradientOfSums: 'd(a)',
      gradientOfHiddenSums: 'd(m)',
      hidden: '(1 - z[t]) .* n[t] + z[t] .* h[t - 1]',
      forward:
        `r[t] = sigmoid(a[t]${reset} + m[t]${reset}); z[t] = sigmoid(a[t]${update} + m[t]${update}); ` +
        `n[t] = tanh(a[t]${fresh} + r[t] .* m[t]${fresh}); `,
      backward:
        'd(a)[t] = concat(d(r)[t], d(z)[t], d(n)[t]); d(m)[t] = concat(d(r)[t], d(z)[t], d(n)[t] .* r[t]); ' +
        `d(n)[t] = d(h)[t] .* (1 - z[t]) .* (1 - n[t]^2)${real('t')}; ` +
        `d(z)[t] = d(h)[t] .* (h[t - 1] - n[t]) .* z[t] .* (1 - z[t])${real('t')}; ` +
        `d(r)[t] = d(n)[t] .* m[t]${fresh} .* r[t] .* (1 - r[t])`,
      carried: ` + z[t + 1] .* d(h)[t + 1]${real('t + 1')}`,
    }));
  },
  options: z.strictObject(recurrentOptions(['reset', 'update', 'new'])).check(checkOptions(3)),
  outputRange: () => [-1, 1],
  ...members,
});
