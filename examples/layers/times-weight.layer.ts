// z = x W, with a weight of shape inputs × outputs and no bias.
import type { Layer } from './nablascope.d.ts';

interface Options {
  readonly out_features: number;
}

export default {
  parameters: ([inputs], { out_features }) => ({
    W: { shape: [inputs, out_features], init: { type: 'normal', std: 2 } },
  }),

  outputShape: (_input, { out_features }) => [out_features],

  forward: ({ x, parameters: { W }, ops }) => ops.matmul(x, W),
} satisfies Layer<Options>;
