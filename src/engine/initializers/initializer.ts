// What an initializer is: how the starting values of a parameter are drawn. Names and formulas are
// those of torch.nn.init; fan_in and fan_out count the weights into and out of a unit.
import type * as z from 'zod/mini';
import type { Random } from '../random';

export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

export interface InitializerDefinition<Kind extends string = string, Options = unknown> {
  readonly kind: Kind;
  readonly summary: string;
  readonly options: z.ZodMiniType<Options>;
  /** One draw. */
  draw(random: Random, fans: Fans, options: Options): number;
}

export const defineInitializer = <const Kind extends string, Options>(
  definition: InitializerDefinition<Kind, Options>,
): InitializerDefinition<Kind, Options> => definition;
