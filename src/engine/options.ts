// Small pieces of option schemas that several units share. Descriptions become hover texts and docs.
import * as z from 'zod/mini';

/** A whole number of units, samples, … from 1 up. */
export const count = (description: string) =>
  z.int().check(z.gte(1, 'must be 1 or more'), z.describe(description));

/** Any finite number. */
export const number = (description: string) => z.number().check(z.describe(description));

/** A number above zero. */
export const positive = (description: string) =>
  z.number().check(z.gt(0, 'must be above 0'), z.describe(description));

/** Zero or a number above it. */
export const nonNegative = (description: string) =>
  z.number().check(z.gte(0, 'must be 0 or more'), z.describe(description));

/** The schema of a unit that has no options; typed so that it can be joined with others. */
export const noOptions = z.strictObject({}) as unknown as z.ZodMiniType<object>;
