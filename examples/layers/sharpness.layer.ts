// y = k x, with one k for all that is learned: how sharply a softmax after it tells the largest from the rest.
import type { Layer } from './nablascope.d.ts';

interface Options {
  readonly start: number;
}

export default {
  parameters: (_input, { start }) => ({ k: { shape: [1], values: [start] } }),

  forward: ({ x, parameters: { k }, ops }) => ops.multiply(x, k),
} satisfies Layer<Options>;
