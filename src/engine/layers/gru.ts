// Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation", 2014. As
// in PyTorch, the reset gate multiplies the weighted hidden state, not the hidden state.
import * as z from 'zod/mini';
import { defineLayer } from './layer';
import { checkExactValues, recurrentMembers, recurrentOptions, type RecurrentOptions } from './recurrent';

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
  math: {
    forward: String.raw`\begin{aligned} (r, z)_t &= \sigma(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh}) \\ n_t &= \tanh\big(W_{in} x_t + b_{in} + r_t \odot (W_{hn} h_{t-1} + b_{hn})\big) \\ h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}, \quad y = h \end{aligned}`,
    input: String.raw`\d{x_t} = W_{ih}^\top \d{a_t}, \quad \d{h_{t-1}} \mathrel{+}= z_t \odot \d{h_t} + W_{hh}^\top \d{m_t}, \quad a, m \text{: the sums of inputs and of hidden states}`,
    parameters: {
      weight_ih: String.raw`\d{W_{ih}} = \sum_{\text{samples}, t} \d{a_t} \, x_t^\top`,
      weight_hh: String.raw`\d{W_{hh}} = \sum_{\text{samples}, t} \d{m_t} \, h_{t-1}^\top`,
      bias_ih: String.raw`\d{b_{ih}} = \sum_{\text{samples}, t} \d{a_t}`,
      bias_hh: String.raw`\d{b_{hh}} = \sum_{\text{samples}, t} \d{m_t}`,
    },
  },
  options: z.strictObject(recurrentOptions('reset, update, new')).check(checkExactValues(3)),
  outputRange: () => [-1, 1],
  ...members,
});
