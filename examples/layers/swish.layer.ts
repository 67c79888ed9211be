// Swish (Ramachandran, Zoph, Le, 2017): y = x · sigmoid(βx), with a β for each feature that is learned.
// Only the way forward is written; the gradients follow from the operations.
import type { Layer } from './nablascope.d.ts';

export default {
  parameters: ([features]) => ({ beta: { shape: [features], init: { type: 'constant', val: 1 } } }),

  forward({ x, parameters, ops }) {
    return ops.multiply(x, ops.sigmoid(ops.multiply(x, parameters.beta)));
  },
} satisfies Layer;
