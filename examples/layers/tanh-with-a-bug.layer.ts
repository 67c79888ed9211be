// Wrong on purpose: the derivative of tanh is 1 - y², and the backward pass below forgets the square. It hardly learns.
// "Check Gradients" names the layer.
import type { Layer } from './nablascope.d.ts';

export default {
  forward: ({ x, ops }) => ops.tanh(x),

  backward({ y, dy, ops }) {
    const slope = ops.subtract(1, y); // Should be: ops.subtract(1, ops.multiply(y, y))
    return { dx: ops.multiply(dy, slope) };
  },
} satisfies Layer;
