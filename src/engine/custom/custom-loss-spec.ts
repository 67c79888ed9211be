// How a spec refers to a custom loss. Its module has the code; see custom-loss.ts.
import * as z from 'zod/mini';

export const customLossSpec = {
  kind: 'custom',
  summary:
    'A custom loss: a TypeScript or JavaScript file with a forward pass and, optionally, a backward pass. See custom-losses.md.',
  options: z.strictObject({
    module: z
      .string()
      .check(z.minLength(1), z.describe('The file of the loss, relative to the spec, such as "./focal.loss.ts".')),
    options: z._default(
      z.record(z.string(), z.unknown()).check(z.describe('Passed to the functions of the loss as `options`.')),
      {},
    ),
  }),
} as const;

export type CustomLossOptions = z.output<typeof customLossSpec.options>;
