// y = k x with a single learned k, which controls how sharp a softmax after it is.
import type { Layer } from './nablascope.d.ts';

interface Options {
  readonly start: number;
}

export default {
  parameters: (_input, { start }) => ({ k: { shape: [1], values: [start] } }),

  forward: ({ x, parameters: { k }, ops }) => ops.multiply(x, k),
} satisfies Layer<Options>;
