// The definition of an initializer: how to draw the initial values of a parameter. Names and formulas are those of
// torch.nn.init; fan_in and fan_out are the numbers of weights into and out of a unit.
import type * as z from 'zod/mini';
import { type Shape, numel } from '../kernels/tensor';
import type { Random } from '../random';

export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

interface InitializerBase<Kind extends string, Options> {
  readonly kind: Kind;
  /** Names that other libraries use, for "Did you mean …?". */
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly options: z.ZodMiniType<Options>;
  /** Whether all entries get the same value. */
  readonly isConstant?: true;
  /** The mean of the entries; 0 by default. */
  mean?(options: Options): number;
  /** The standard deviation of the entries, for an initializer that does not adapt it to the size of the layer. */
  std?(options: Options): number;
  /** The factor of what it adapts to the size of the layer. */
  gain?(options: Options): number;
}

/** Draws every entry independently. */
export interface EntryInitializer<Kind extends string = string, Options = unknown> extends InitializerBase<
  Kind,
  Options
> {
  /** One draw. */
  draw(random: Random, fans: Fans, options: Options): number;
}

/** Draws a tensor whose entries depend on each other. */
export interface TensorInitializer<Kind extends string = string, Options = unknown> extends InitializerBase<
  Kind,
  Options
> {
  /** Fills `out`, row-major in this shape. */
  fill(out: Float64Array, random: Random, shape: Shape, options: Options): void;
}

export type InitializerDefinition<Kind extends string = string, Options = unknown> =
  EntryInitializer<Kind, Options> | TensorInitializer<Kind, Options>;

/** Initial values of a tensor, row-major. */
export function initialValues(
  definition: InitializerDefinition,
  random: Random,
  shape: Shape,
  fans: Fans,
  options: unknown,
): Float64Array {
  const values = new Float64Array(numel(shape));
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
