// Option schemas that several components share. Descriptions become hovers and docs/spec.md.
import * as z from 'zod/mini';

/**
 * How to parse. By default, zod compiles code for every schema of an object that it meets. Most specs are parsed once,
 * so that takes longer than it saves.
 */
export const INTERPRETED = { jitless: true } as const;

/** An integer of 1 or more: units, samples, pixels. */
export const positiveInteger = (description: string) => z.int().check(z.gte(1), z.describe(description));

/** Any finite number. */
export const finiteNumber = (description: string) => z.number().check(z.describe(description));

/** A number above 0. */
export const positiveNumber = (description: string) => z.number().check(z.gt(0), z.describe(description));

/** A number of 0 or more. */
export const nonNegativeNumber = (description: string) => z.number().check(z.gte(0), z.describe(description));

/** Names that other libraries give an option, for "Did you mean …?". */
export const alias = <T>(...aliases: string[]) => z.meta<T>({ aliases });

/** The learning rate of an optimizer. */
export const learningRate = (byDefault: number) =>
  z._default(
    nonNegativeNumber('Learning rate.').check(alias('learning_rate', 'rate', 'eta', 'lrate', 'base_lr', 'initial_lr')),
    byDefault,
  );

/** The schema of a component without options; typed so that it can be joined with others. */
export const noOptions = z.strictObject({}) as unknown as z.ZodMiniType<object>;
