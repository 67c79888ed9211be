// The learning rate of every step: what the schedule makes of a base rate, and the changes to the base by hand.
import { learningRate } from '../engine/schedules/learning-rate';
import type { CompiledRun } from '../spec/compiled';
import type { LearningRateChange } from './record';

export class LearningRates {
  #changes: LearningRateChange[] = [];

  constructor(
    readonly run: Pick<CompiledRun, 'optimizer' | 'schedule' | 'epochs'>,
    readonly batchesPerEpoch: number,
  ) {}

  /** In the order of their steps. */
  get changes(): readonly LearningRateChange[] {
    return this.#changes;
  }

  set changes(changes: readonly LearningRateChange[]) {
    this.#changes = [...changes];
  }

  /** Rate of the update of step `step`, counted from 0. */
  at(step: number): number {
    const { batchesPerEpoch, run } = this;
    return learningRate(run.schedule, this.baseAt(step), step, { batchesPerEpoch, epochs: run.epochs });
  }

  /** What the schedule starts from there: the optimizer's `lr`, or what it was set to since. */
  baseAt(step: number): number {
    let { lr } = this.run.optimizer.options;
    for (const change of this.#changes) if (change.step <= step) lr = change.lr;
    return lr;
  }

  /** Sets the base from `step` on, in place of later changes. @returns whether anything changed. */
  setBase(lr: number, step: number): boolean {
    if (!Number.isFinite(lr) || lr < 0) throw new RangeError(`a learning rate is a number from 0 up, not ${lr}`);
    if (lr === this.baseAt(step) && !this.#changes.some((change) => change.step > step)) return false;
    this.#changes = this.#changes.filter((change) => change.step < step);
    if (lr !== this.baseAt(step)) this.#changes.push({ step, lr });
    return true;
  }
}
