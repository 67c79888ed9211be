// Wrong on purpose: the logarithm of a clipped number, with the gradient of an unclipped one.
import type { Layer } from './nablascope.d.ts';

const LOWEST = 0.0001;
const HIGHEST = 0.9999;

export default {
  forward: ({ x, ops }) => ops.log(ops.minimum(ops.maximum(x, LOWEST), HIGHEST)),

  // Should be 0 where x is out of bounds.
  backward: ({ x, dy, ops }) => ({ dx: ops.divide(dy, ops.minimum(ops.maximum(x, LOWEST), HIGHEST)) }),
} satisfies Layer;
