// The learning rate of every step: the schedule applied to a base rate, which the user may have changed.
import { learningRate } from '../engine/schedules/learning-rate';
import type { CompiledRun } from '../model-spec';
import type { ManualOverrides } from './manual-overrides';

export class LearningRates {
  constructor(
    readonly run: Pick<CompiledRun, 'schedule' | 'epochs'>,
    readonly overrides: ManualOverrides,
    readonly batchesPerEpoch: number,
  ) {}

  /** The rate of step `step`, counted from 0. */
  at(step: number): number {
    const { batchesPerEpoch, overrides, run } = this;
    return learningRate(run.schedule, overrides.lrAt(step), step, { batchesPerEpoch, epochs: run.epochs });
  }
}
