// The definition of a learning-rate schedule: a pure function of the position in the run, so that seeking needs no
// state. Names and formulas are those of torch.optim.lr_scheduler, in closed form.
import type * as z from 'zod/mini';

/** In epochs or steps, as the spec says. */
export interface SchedulePosition {
  /** Counted from 0. */
  readonly at: number;
  /** The length of the run. */
  readonly total: number;
}

export interface ScheduleDefinition<Kind extends string = string, Options = unknown> {
  readonly kind: Kind;
  /** Names that other libraries use, for "Did you mean …?". */
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly options: z.ZodMiniType<Options>;
  /** Whether the rate never changes. */
  readonly isConstant?: true;
  /** Whether the rates depend on the length of the run. */
  spansRun?(options: Options): boolean;
  /** @param base the optimizer's `lr`, or the rate that the user set */
  rate(base: number, place: SchedulePosition, options: Options): number;
}

export const defineSchedule = <const Kind extends string, Options>(
  definition: ScheduleDefinition<Kind, Options>,
): ScheduleDefinition<Kind, Options> => definition;
