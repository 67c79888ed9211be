// What a schedule of learning rates is: a pure function of the place in the run, so that going back needs no state.
// Names and formulas are those of torch.optim.lr_scheduler in their closed forms.
import type * as z from 'zod/mini';

/** Counted in epochs or in steps, as the spec says. */
export interface SchedulePlace {
  /** Counted from 0. */
  readonly at: number;
  /** How many there are in the whole run. */
  readonly total: number;
}

export interface ScheduleDefinition<Kind extends string = string, Options = unknown> {
  readonly kind: Kind;
  readonly summary: string;
  readonly options: z.ZodMiniType<Options>;
  /** Whether the rates depend on how long the run is. */
  spansRun?(options: Options): boolean;
  /** @param base the optimizer's `lr`, or what it was set to by hand. */
  rate(base: number, place: SchedulePlace, options: Options): number;
}

export const defineSchedule = <const Kind extends string, Options>(
  definition: ScheduleDefinition<Kind, Options>,
): ScheduleDefinition<Kind, Options> => definition;
