// What an initializer is: how the starting values of a parameter are drawn. Names and formulas are
// those of torch.nn.init; fan_in and fan_out count the weights into and out of a unit.
import type * as z from 'zod/mini';
import { type Shape, sizeOf } from '../kernels/tensor';
import type { Random } from '../random';

export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

interface Common<Kind extends string, Options> {
  readonly kind: Kind;
  readonly summary: string;
  readonly options: z.ZodMiniType<Options>;
}

/** Draws entry by entry, each on its own. */
export interface EntryInitializer<Kind extends string = string, Options = unknown> extends Common<Kind, Options> {
  /** One draw. */
  draw(random: Random, fans: Fans, options: Options): number;
}

/** Draws a tensor as a whole, its entries depending on each other. */
export interface TensorInitializer<Kind extends string = string, Options = unknown> extends Common<Kind, Options> {
  /** Writes all of `out`, row-major in this shape. */
  fill(out: Float64Array, random: Random, shape: Shape, options: Options): void;
}

export type InitializerDefinition<Kind extends string = string, Options = unknown> =
  | EntryInitializer<Kind, Options>
  | TensorInitializer<Kind, Options>;

/** Starting values of a tensor, row-major. */
export function initialValues(
  definition: InitializerDefinition, random: Random, shape: Shape, fans: Fans, options: unknown,
): Float64Array {
  const values = new Float64Array(sizeOf(shape));
  if ('fill' in definition) definition.fill(values, random, shape, options);
  else for (let i = 0; i < values.length; i++) values[i] = definition.draw(random, fans, options);
  return values;
}

export const defineInitializer = <const Kind extends string, Options>(
  definition: EntryInitializer<Kind, Options>,
): EntryInitializer<Kind, Options> => definition;

export const defineTensorInitializer = <const Kind extends string, Options>(
  definition: TensorInitializer<Kind, Options>,
): TensorInitializer<Kind, Options> => definition;
