// The texts of new files: small, complete and correct.

/** A spec that trains as it is. */
export const newSpecTemplate = `{
  // Two rings of points: which ring does a point belong to?
  "name": "circles",
  "data": "circles",
  "layers": [
    { "type": "linear", "out_features": 16 },
    "tanh",
    { "type": "linear", "out_features": 2 }
  ],
  "loss": "cross_entropy",
  "optimizer": { "type": "sgd", "lr": 0.1, "momentum": 0.9 },
  "batch_size": 16,
  "epochs": 100
}
`;

/** The same as a snippet: Tab goes from one choice to the next. */
export const newSpecSnippet = newSpecTemplate
  .replace('"name": "circles"', '"name": "${1:circles}"')
  .replace('"data": "circles"', '"data": "${2|circles,moons,spirals,xor|}"')
  .replace('"out_features": 16', '"out_features": ${3:16}')
  .replace('"tanh"', '"${4|tanh,relu,gelu,sigmoid|}"')
  .replace('"lr": 0.1', '"lr": ${5:0.1}')
  .replace('"epochs": 100', '"epochs": ${6:100}');

/** @param typescript false for JavaScript, for versions of Node that cannot load TypeScript. */
export const newLayerTemplate = (
  file: string,
  typescript: boolean,
): string => `// A custom layer: y = scale · tanh(x), with one learned scale for each element of x. To use it in a spec:
//   { "type": "custom", "module": "./layers/${file}" }
// When you save this file, Nablascope reloads it: the weights stay, and the current step is repeated with the new code.
${typescript ? "import type { Layer } from './nablascope.d.ts';\n\nexport default {" : "\n/** @type {import('./nablascope.d.ts').Layer} */\nexport default {"}
  // The learned parameters by name. The shape is that of one sample: for a batch [16, 8] it is [8].
  parameters: (shape) => ({ scale: { shape, init: { type: 'constant', val: 1 } } }),

  // The operations in ops record themselves, so the backward pass follows by autograd.
  // Set a breakpoint here, then run "Nablascope: Debug Custom Layer".
  forward({ x, parameters, ops }) {
    return ops.multiply(parameters.scale, ops.tanh(x));
  },

  // A manual backward replaces autograd, and "Nablascope: Check Gradients" compares the two:
  //
  // backward({ x, dy, parameters, ops }) {
  //   const y = ops.tanh(x);
  //   const derivative = ops.subtract(1, ops.multiply(y, y));
  //   return {
  //     dx: ops.multiply(dy, ops.multiply(parameters.scale, derivative)),
  //     parameters: { scale: ops.sum(ops.multiply(dy, y), 0) },
  //   };
  // },
}${typescript ? ' satisfies Layer' : ''};
`;

const typesOf = (name: string, typescript: boolean): { readonly head: string; readonly tail: string } => ({
  head: typescript
    ? `import type { ${name} } from './nablascope.d.ts';\n\nexport default {`
    : `\n/** @type {import('./nablascope.d.ts').${name}} */\nexport default {`,
  tail: `}${typescript ? ` satisfies ${name}` : ''};`,
});

/** @param typescript as in newLayerTemplate */
export function newLossTemplate(file: string, typescript: boolean): string {
  const { head, tail } = typesOf('Loss', typescript);
  return `// A custom loss: the mean of (output - target)² over the batch and the outputs. To use it in a spec:
//   "loss": { "type": "custom", "module": "./losses/${file}" }
// When you save this file, Nablascope reloads it: the weights stay, and the current step is repeated with the new code.
${head}
  // The operations in ops record themselves, so the backward pass follows by autograd. Return one number for the batch.
  forward({ outputs, targets, ops }) {
    const error = ops.subtract(outputs, targets);
    return ops.mean(ops.multiply(error, error));
  },

  // A network with one output and two classes: an output above this is class 1.
  threshold: 0.5,

  // A manual backward replaces autograd, and "Nablascope: Check Gradients" compares the two:
  //
  // backward({ outputs, targets, ops }) {
  //   const error = ops.subtract(outputs, targets);
  //   return { dOutputs: ops.multiply(2 / outputs.data.length, error) };
  // },
${tail}
`;
}

/** @param typescript as in newLayerTemplate */
export function newPenaltyTemplate(file: string, typescript: boolean): string {
  const { head, tail } = typesOf('Penalty', typescript);
  return `// A custom penalty, added to the training loss: strength · Σ w² over all weights, without biases. To use it in a spec:
//   "penalty": { "module": "./losses/${file}", "options": { "strength": 0.001 } }
// When you save this file, Nablascope reloads it: the weights stay, and the current step is repeated with the new code.
${head}
  // All parameters of the network, by name, such as parameters["linear1.weight"].
  forward({ parameters, options, ops }) {
    const weights = Object.values(parameters).filter(({ shape }) => shape.length > 1);
    const sums = weights.map((weight) => ops.sum(ops.multiply(weight, weight)));
    const strength = Number(options.strength ?? 0.001);
    return ops.multiply(strength, ops.sum(ops.stack(sums)));
  },

  // A manual backward replaces autograd, and "Nablascope: Check Gradients" compares the two:
  //
  // backward({ parameters, options, ops }) {
  //   const strength = Number(options.strength ?? 0.001);
  //   const weights = Object.entries(parameters).filter(([, { shape }]) => shape.length > 1);
  //   return {
  //     parameters: Object.fromEntries(weights.map(([name, weight]) => [name, ops.multiply(2 * strength, weight)])),
  //   };
  // },
${tail}
`;
}
