// y = tanh x. Only the way forward is written.
import type { Layer } from './nablascope.d.ts';

export default {
  forward: ({ x, ops }) => ops.tanh(x),
} satisfies Layer;
