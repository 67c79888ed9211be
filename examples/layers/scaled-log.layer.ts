// This layer is wrong on purpose: what it gives is divided by the number of classes, what it hands back is not.
import type { Layer } from './nablascope.d.ts';

export default {
  forward({ x, ops }) {
    const [, classes] = x.shape;
    return ops.divide(ops.log(x), classes);
  },

  // Should be: divided by the number of classes as well.
  backward: ({ x, dy, ops }) => ({ dx: ops.divide(dy, x) }),
} satisfies Layer;
