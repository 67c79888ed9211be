// Wrong on purpose: y = x Wᵀ + b, with a sum over the outputs left over in the gradients of weight and bias, as if
// every output depended on every row of the weight.
import type { Layer } from './nablascope.d.ts';

interface Options {
  readonly out_features: number;
}

export default {
  parameters: ([inputs], { out_features }) => ({ weight: [out_features, inputs], bias: [out_features] }),

  outputShape: (_input, { out_features }) => [out_features],

  forward({ x, parameters: { weight, bias }, ops }) {
    return ops.add(ops.matmul(x, ops.transpose(weight)), bias);
  },

  backward({ x, dy, parameters: { weight, bias }, ops }) {
    const sums = ops.add(ops.multiply(dy, 0), ops.sum(dy, 1, true)); // Should be: dy
    return {
      dx: ops.matmul(dy, weight),
      parameters: {
        weight: ops.matmul(ops.transpose(sums), x),
        bias: ops.reshape(ops.sum(sums, 0), bias.shape),
      },
    };
  },
} satisfies Layer<Options>;
