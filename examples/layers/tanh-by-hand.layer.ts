// y = tanh x, with forward and backward as loops over plain arrays: dx = dy (1 - y²).
import type { Layer } from './nablascope.d.ts';

export default {
  forward({ x, ops }) {
    return ops.tensor(x.shape, x.data.map(Math.tanh));
  },

  formulas: ['y = tanh(x)', 'dx = dy .* (1 - y^2)'],

  backward({ y, dy, ops }) {
    return {
      dx: ops.tensor(
        y.shape,
        dy.data.map((up, i) => up * (1 - y.data[i] ** 2)),
      ),
    };
  },
} satisfies Layer;
