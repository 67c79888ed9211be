// z = x W, with a weight of shape inputs × outputs and no bias. The spec may name the weight.
import type { Layer } from './nablascope.d.ts';

interface Options {
  readonly out_features: number;
  /** By default `W`. */
  readonly weight?: string;
}

export default {
  parameters: ([inputs], { out_features, weight = 'W' }) => ({
    [weight]: { shape: [inputs, out_features], init: { type: 'normal', std: 2 } },
  }),

  outputShape: (_input, { out_features }) => [out_features],

  forward: ({ x, parameters, options: { weight = 'W' }, ops }) => ops.matmul(x, parameters[weight]),
} satisfies Layer<Options>;
