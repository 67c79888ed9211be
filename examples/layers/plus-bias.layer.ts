// z = x + b, with one number b per feature. The spec may name the bias.
import type { Layer } from './nablascope.d.ts';

interface Options {
  /** By default `b`. */
  readonly bias?: string;
}

export default {
  parameters: ([features], { bias = 'b' }) => ({
    [bias]: { shape: [features], init: { type: 'normal', std: 1 } },
  }),

  forward: ({ x, parameters, options: { bias = 'b' }, ops }) => ops.add(x, parameters[bias]),
} satisfies Layer<Options>;
