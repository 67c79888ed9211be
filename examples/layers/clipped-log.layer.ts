// This layer is wrong on purpose: the logarithm of a number kept within bounds, handed back as if there were none.
import type { Layer } from './nablascope.d.ts';

const LOWEST = 0.0001;
const HIGHEST = 0.9999;

export default {
  forward: ({ x, ops }) => ops.log(ops.minimum(ops.maximum(x, LOWEST), HIGHEST)),

  // Should be: 0 where x is beyond the bounds.
  backward: ({ x, dy, ops }) => ({ dx: ops.divide(dy, ops.minimum(ops.maximum(x, LOWEST), HIGHEST)) }),
} satisfies Layer;
