// The learning rate of every step: what the schedule makes of a base rate, which may have been changed by hand.
import { learningRate } from '../engine/schedules/learning-rate';
import type { CompiledRun } from '../spec/compiled';
import type { Changes } from './changes';

export class LearningRates {
  constructor(
    readonly run: Pick<CompiledRun, 'schedule' | 'epochs'>,
    readonly changes: Changes,
    readonly batchesPerEpoch: number,
  ) {}

  /** Rate of the update of step `step`, counted from 0. */
  at(step: number): number {
    const { batchesPerEpoch, changes, run } = this;
    return learningRate(run.schedule, changes.lrAt(step), step, { batchesPerEpoch, epochs: run.epochs });
  }
}
