// A fully connected layer, y = x Wᵀ + b, with only a forward pass.
import type { Layer } from './nablascope.d.ts';

interface Options {
  readonly out_features: number;
}

export default {
  parameters: ([inputs], { out_features }) => ({ weight: [out_features, inputs], bias: [out_features] }),

  outputShape: (_input, { out_features }) => [out_features],

  forward: ({ x, parameters: { weight, bias }, ops }) => ops.add(ops.matmul(x, ops.transpose(weight)), bias),
} satisfies Layer<Options>;
