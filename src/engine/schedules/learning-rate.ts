// The learning rate of a step: the schedule, after its warm-up.
import type { ScheduleDefinition } from './schedule';

export interface Schedule {
  readonly definition: ScheduleDefinition;
  readonly options: unknown;
  /** Whether the schedule counts epochs or steps. */
  readonly per: 'epoch' | 'step';
  /** Length of the warm-up: in its i-th epoch or step, from 1, the rate is i / (warmup + 1) of the base rate. */
  readonly warmup: number;
}

export interface RunLength {
  readonly epochs: number;
  readonly batchesPerEpoch: number;
}

/** @param step counted from 0 */
export function learningRate(
  { definition, options, per, warmup }: Schedule,
  base: number,
  step: number,
  run: RunLength,
): number {
  const at = per === 'step' ? step : Math.floor(step / run.batchesPerEpoch);
  if (at < warmup) return (base * (at + 1)) / (warmup + 1);
  const total = per === 'step' ? run.epochs * run.batchesPerEpoch : run.epochs;
  return definition.rate(base, { at: at - warmup, total: Math.max(1, total - warmup) }, options);
}
