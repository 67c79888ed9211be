// Wrong on purpose: the output is divided by the number of classes, the gradient is not.
import type { Layer } from './nablascope.d.ts';

export default {
  forward({ x, ops }) {
    const [, classes] = x.shape;
    return ops.divide(ops.log(x), classes);
  },

  // Should be divided by the number of classes too.
  backward: ({ x, dy, ops }) => ({ dx: ops.divide(dy, x) }),
} satisfies Layer;
