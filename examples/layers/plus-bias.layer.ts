// z = x + b, with one number b per feature.
import type { Layer } from './nablascope.d.ts';

export default {
  parameters: ([features]) => ({ b: { shape: [features], init: { type: 'normal', std: 1 } } }),

  forward: ({ x, parameters: { b }, ops }) => ops.add(x, b),
} satisfies Layer;
