// How a spec names a layer of the user's own. What the layer does is in its module; see custom-layer.ts.
import * as z from 'zod/mini';

export const custom = {
  kind: 'custom',
  summary: 'A layer of your own: a TypeScript or JavaScript file that says how it goes forward and, if wanted, back. See custom-layers.md.',
  options: z.strictObject({
    module: z
      .string()
      .check(z.minLength(1), z.describe('Its file, from the folder of the spec on, such as "./swish.layer.ts".')),
    options: z._default(
      z.record(z.string(), z.unknown()).check(z.describe('What the functions of the layer get as `options`.')),
      {},
    ),
  }),
} as const;

export type CustomOptions = z.output<typeof custom.options>;
