// y = 1 at the largest x of a sample, else 0. A small change of x changes no y, so the derivative is 0.
import type { Layer } from './nablascope.d.ts';

export default {
  formulas: ['y[n, i] = when(x[n, i] == max(j: x[n, j]))', 'dx = 0 * dy'],

  forward({ x, ops }) {
    const [, size] = x.shape;
    const y = ops.tensor(x.shape);
    for (let from = 0; from < x.data.length; from += size) {
      const sample = [...x.data.slice(from, from + size)];
      y.data[from + sample.indexOf(Math.max(...sample))] = 1;
    }
    return y;
  },

  backward: ({ x, ops }) => ({ dx: ops.tensor(x.shape) }),
} satisfies Layer;
