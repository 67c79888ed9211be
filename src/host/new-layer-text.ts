// What a new layer's file says: small, complete, and right.

/** @param typescript else JavaScript, for versions of Node that read no TypeScript. */
export const newLayerText = (file: string, typescript: boolean): string => `// A layer of your own: y = scale · tanh(x), with a scale for every number of x that is learned. In a spec:
//   { "type": "custom", "module": "./layers/${file}" }
// When this file is saved, its code takes over at once: the weights stay, and the step that is shown is done again.
${typescript ? "import type { Layer } from './nablascope.d.ts';\n\nexport default {" : "\n/** @type {import('./nablascope.d.ts').Layer} */\nexport default {"}
  // What is learned, by name. The shape is that of one sample: of a batch [16, 8] it is [8].
  parameters: (shape) => ({ scale: { shape, init: { type: 'constant', val: 1 } } }),

  // Computed with the operations in ops, it needs no backward: the gradients follow from it.
  // Set a breakpoint here, then run "Nablascope: Debug This Layer".
  forward({ x, parameters, ops }) {
    return ops.multiply(parameters.scale, ops.tanh(x));
  },

  // Where there is a backward it is used instead, and "Nablascope: Check Gradients" compares both:
  //
  // backward({ x, dy, parameters, ops }) {
  //   const y = ops.tanh(x);
  //   const slope = ops.subtract(1, ops.multiply(y, y));
  //   return {
  //     dx: ops.multiply(dy, ops.multiply(parameters.scale, slope)),
  //     parameters: { scale: ops.sum(ops.multiply(dy, y), 0) },
  //   };
  // },
}${typescript ? ' satisfies Layer' : ''};
`;
