// How a spec refers to a custom layer. Its module has the code; see custom-layer.ts.
import * as z from 'zod/mini';

export const customLayerSpec = {
  kind: 'custom',
  summary:
    'A custom layer: a TypeScript or JavaScript file with a forward pass and, optionally, a backward pass. See custom-layers.md.',
  options: z.strictObject({
    module: z
      .string()
      .check(z.minLength(1), z.describe('The file of the layer, relative to the spec, such as "./swish.layer.ts".')),
    options: z._default(
      z.record(z.string(), z.unknown()).check(z.describe('Passed to the functions of the layer as `options`.')),
      {},
    ),
  }),
} as const;

export type CustomOptions = z.output<typeof customLayerSpec.options>;
