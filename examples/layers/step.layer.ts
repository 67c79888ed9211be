// y = 1 where x > 0, else 0. Its derivative is 0 everywhere except at 0, where it has none.
import type { Layer } from './nablascope.d.ts';

export default {
  formulas: ['y = when(x > 0)', 'dx = 0 * dy'],

  forward({ x, ops }) {
    return ops.tensor(
      x.shape,
      x.data.map((value) => (value > 0 ? 1 : 0)),
    );
  },

  backward: ({ x, ops }) => ({ dx: ops.tensor(x.shape) }),
} satisfies Layer;
