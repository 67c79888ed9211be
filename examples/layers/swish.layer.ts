// Swish (Ramachandran, Zoph, Le, 2017): y = x · sigmoid(βx), with one learned β per feature. Only the forward pass is
// written; autograd derives the gradients.
import type { Layer } from './nablascope.d.ts';

export default {
  parameters: ([features]) => ({ beta: { shape: [features], init: { type: 'constant', val: 1 } } }),

  forward({ x, parameters, ops }) {
    return ops.multiply(x, ops.sigmoid(ops.multiply(x, parameters.beta)));
  },
} satisfies Layer;
