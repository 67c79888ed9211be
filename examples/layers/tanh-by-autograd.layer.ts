// y = tanh x, with only a forward pass.
import type { Layer } from './nablascope.d.ts';

export default {
  forward: ({ x, ops }) => ops.tanh(x),
} satisfies Layer;
