// More custom layers with mistakes from public bug reports: those that show for certain inputs alone, and an LSTM.
import type { ForwardCall, Tensor } from '../../../src/engine/custom/contract';
import { features, mistake, normal, size, square, type Template } from './layer-templates';

const GATES = ['forget', 'input', 'candidate', 'output'] as const;
type Gates = Record<(typeof GATES)[number], Tensor>;

/** Long short-term memory over three steps; the state of the last step is the output. */
const lstm: Template = {
  name: 'LSTM',
  isComposition: true,
  input: (random) => [3 * size(random, 2, 3)],
  mistakes: {
    'value of the forget gate in place of its derivative': mistake(
      ['value_for_derivative'],
      'w_forget',
      'b_forget',
      'input',
    ),
    // Through the state, it makes the gradients of all gates wrong.
    'candidate without its derivative': mistake(
      ['derivative_missing'],
      ...GATES.flatMap((gate) => [`w_${gate}`, `b_${gate}`]),
      'input',
    ),
    'memory cut off between steps': mistake(
      ['contribution_missing', 'turns_missing'],
      'w_forget',
      'w_input',
      'w_candidate',
      'b_forget',
      'b_input',
      'b_candidate',
      'input',
    ),
  },
  make(_random, [n], fault) {
    const inputs = n / 3;
    const hidden = 2;
    const run = ({ x, parameters, ops }: ForwardCall) => {
      let h: Tensor = ops.tensor([x.shape[0], hidden]);
      let memory: Tensor = ops.tensor([x.shape[0], hidden]);
      const steps = [];
      for (let t = 0; t < 3; t++) {
        const z = ops.concatenate([ops.slice(x, 1, t * inputs, (t + 1) * inputs), h], 1);
        const linear = (gate: string) => ops.add(ops.matmul(z, parameters[`w_${gate}`]), parameters[`b_${gate}`]);
        const gates: Gates = {
          forget: ops.sigmoid(linear('forget')),
          input: ops.sigmoid(linear('input')),
          candidate: ops.tanh(linear('candidate')),
          output: ops.sigmoid(linear('output')),
        };
        const before = memory;
        memory = ops.add(ops.multiply(gates.forget, before), ops.multiply(gates.input, gates.candidate));
        h = ops.multiply(gates.output, ops.tanh(memory));
        steps.push({ z, gates, before, memory });
      }
      return { h, steps };
    };
    return {
      parameters: () =>
        normal(
          Object.fromEntries(
            GATES.flatMap((gate) => [
              [`w_${gate}`, [inputs + hidden, hidden]],
              [`b_${gate}`, [hidden]],
            ]),
          ),
        ),
      outputShape: () => [hidden],
      forward: (call) => run(call).h,
      backward(call) {
        const { x, dy, parameters, ops } = call;
        const { steps } = run(call);
        const gradients = Object.fromEntries(
          Object.entries(parameters).map(([name, { shape }]) => [name, ops.tensor(shape)]),
        );
        const slope = (y: Tensor): Tensor => ops.multiply(y, ops.subtract(1, y));
        const tanhSlope = (y: Tensor): Tensor => ops.subtract(1, square(ops, y));
        let dh: Tensor = dy;
        let dMemory: Tensor = ops.tensor([x.shape[0], hidden]);
        const dx: Tensor[] = [];
        for (const { z, gates, before, memory } of [...steps].reverse()) {
          const bounded = ops.tanh(memory);
          const dc = ops.add(dMemory, ops.multiply(ops.multiply(dh, gates.output), tanhSlope(bounded)));
          const isForgetWrong = fault === 'value of the forget gate in place of its derivative';
          const through: Gates = {
            forget: ops.multiply(ops.multiply(dc, before), isForgetWrong ? gates.forget : slope(gates.forget)),
            input: ops.multiply(ops.multiply(dc, gates.candidate), slope(gates.input)),
            candidate: ops.multiply(
              ops.multiply(dc, gates.input),
              fault === 'candidate without its derivative' ? 1 : tanhSlope(gates.candidate),
            ),
            output: ops.multiply(ops.multiply(dh, bounded), slope(gates.output)),
          };
          let dz: Tensor = ops.tensor(z.shape);
          for (const gate of GATES) {
            const d = through[gate];
            gradients[`w_${gate}`] = ops.add(gradients[`w_${gate}`], ops.matmul(ops.transpose(z), d));
            gradients[`b_${gate}`] = ops.add(gradients[`b_${gate}`], ops.sum(d, 0));
            dz = ops.add(dz, ops.matmul(d, ops.transpose(parameters[`w_${gate}`])));
          }
          dx.unshift(ops.slice(dz, 1, 0, inputs));
          dh = ops.slice(dz, 1, inputs);
          dMemory = ops.multiply(dc, fault === 'memory cut off between steps' ? 0 : gates.forget);
        }
        return { dx: ops.concatenate(dx, 1), parameters: gradients };
      },
    };
  },
};

/** Layer normalization of [tokens, ...] over the last axis, in loops. */
const tokenNorm: Template = {
  name: 'layer norm of tokens',
  isComposition: true,
  input: (random) => [1 + random.integerBelow(2), 5, 6],
  mistakes: { 'over all axes in the backward pass': mistake(['options_ignored', 'axes_wrong'], 'input') },
  make: (_random, _input, fault) => ({
    forward({ x, ops }) {
      const centered = ops.subtract(x, ops.mean(x, -1, true));
      const std = ops.sqrt(ops.add(ops.mean(square(ops, centered), -1, true), 1e-5));
      return ops.tensor(x.shape, ops.divide(centered, std).data);
    },
    backward({ x, dy, ops }) {
      const axes = fault === null ? -1 : x.shape.slice(1).map((_, axis) => axis + 1);
      const centered = ops.subtract(x, ops.mean(x, axes, true));
      const std = ops.sqrt(ops.add(ops.mean(square(ops, centered), axes, true), 1e-5));
      const hat = ops.divide(centered, std);
      const b = ops.multiply(hat, ops.mean(ops.multiply(dy, hat), axes, true));
      return { dx: ops.divide(ops.subtract(ops.subtract(dy, ops.mean(dy, axes, true)), b), std) };
    },
  }),
};

/** Drops fixed places. The mask is taken from the ratio of output and input, which says nothing where both are 0. */
const dropRatio: Template = {
  name: 'dropout of fixed places',
  isComposition: false,
  input: features,
  mistakes: { 'mask from the ratio': mistake(['wrong_at_zero'], 'input') },
  make(_random, _input, fault) {
    const kept = (i: number): number => (i % 3 === 1 ? 0 : 1.5);
    return {
      forward: ({ x, ops }) =>
        ops.tensor(
          x.shape,
          x.data.map((value, i) => value * kept(i % x.shape[1])),
        ),
      backward: ({ x, y, dy, ops }) => ({
        dx: ops.tensor(
          x.shape,
          dy.data.map((g, i) => {
            if (fault === null) return g * kept(i % x.shape[1]);
            return x.data[i] === 0 ? g : (g * y.data[i]) / x.data[i];
          }),
        ),
      }),
    };
  },
};

/** The maximum of all features. */
const maximum: Template = {
  name: 'maximum',
  isComposition: false,
  input: features,
  mistakes: { 'mask with a tolerance': mistake(['near_ties'], 'input') },
  make(_random, [n], fault) {
    const largest = (x: Tensor): number[] =>
      Array.from({ length: x.shape[0] }, (_, i) => Math.max(...x.data.slice(i * n, (i + 1) * n)));
    return {
      outputShape: () => [1],
      forward: ({ x, ops }) => ops.tensor([x.shape[0], 1], largest(x)),
      backward({ x, dy, ops }) {
        const winners = largest(x);
        const tolerance = fault === null ? 0 : 0.03;
        return {
          dx: ops.tensor(
            x.shape,
            x.data.map((value, i) => {
              const sample = Math.floor(i / n);
              return winners[sample] - value <= tolerance ? dy.data[sample] : 0;
            }),
          ),
        };
      },
    };
  },
};

/** Zeros before and after the features. */
const padding: Template = {
  name: 'padding',
  isComposition: false,
  input: features,
  mistakes: {
    'ones for the arriving gradient': mistake(['upstream_ignored'], 'input'),
    'one place off': mistake(['shifted'], 'input'),
  },
  make: (_random, [n], fault) => ({
    outputShape: () => [n + 2],
    forward: ({ x, ops }) =>
      ops.concatenate([ops.tensor([x.shape[0], 1]), ops.multiply(x, 1), ops.tensor([x.shape[0], 1])], 1),
    backward({ x, dy, ops }) {
      if (fault === 'ones for the arriving gradient') return { dx: ops.tensor(x.shape, 1) };
      const from = fault === 'one place off' ? 0 : 1;
      return { dx: ops.slice(dy, 1, from, from + n) };
    },
  }),
};

export const MORE_TEMPLATES: readonly Template[] = [lstm, tokenNorm, dropRatio, maximum, padding];
