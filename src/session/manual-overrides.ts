// Manual changes of a run, each at its step. A run is a function of its spec and of these alone, so it can be rewound,
// replayed and restored bit for bit.
import type { ManualOverride, WeightOverride } from '../protocol/run-record';
import type { Parameter } from '../engine/network-model';

/** @throws RangeError if there is no such weight, or the value is invalid */
export function assertValidWeights(
  weights: readonly Omit<WeightOverride, 'step'>[],
  parameters: readonly Parameter[],
): void {
  for (const { parameter, index, value } of weights) {
    const count = parameters.find(({ name }) => name === parameter)?.value.data.length ?? 0;
    if (!Number.isInteger(index) || index < 0 || index >= count)
      throw new RangeError(`there is no weight ${index} of ${parameter}`);
    if (!Number.isFinite(value)) throw new RangeError(`a weight must be a finite number, not ${value}`);
  }
}

/** A weight that was set manually, with its previous value. */
export interface WeightEdit {
  readonly parameter: string;
  readonly index: number;
  readonly before: number;
}

export class ManualOverrides {
  #all: readonly ManualOverride[] = [];

  /** @param initial the values in the spec */
  constructor(readonly initial: { readonly lr: number; readonly seed: number }) {}

  /** Sorted by step; at the same step, the oldest first. */
  get all(): readonly ManualOverride[] {
    return this.#all;
  }

  set all(changes: readonly ManualOverride[]) {
    this.#all = [...changes];
  }

  /** The base rate of the schedule at a step, counted from 0: the optimizer's `lr`, or the rate set last. */
  lrAt(step: number): number {
    let { lr } = this.initial;
    for (const change of this.#all) if ('lr' in change && change.step <= step) lr = change.lr;
    return lr;
  }

  /** The seed of a step, counted from 0, for the order of samples and the draws of layers and augmentations. */
  seedAt(step: number): number {
    let { seed } = this.initial;
    for (const change of this.#all) if ('seed' in change && change.step <= step) seed = change.seed;
    return seed;
  }

  /** Weights that were set after `step` updates. */
  weightsAt(step: number): readonly WeightOverride[] {
    if (this.#all.length === 0) return [];
    return this.#all.filter((change): change is WeightOverride => 'parameter' in change && change.step === step);
  }

  /** The first step after this one with a change; Infinity if there is none. */
  nextStepAfter(step: number): number {
    let next = Infinity;
    for (const change of this.#all) if (change.step > step) next = Math.min(next, change.step);
    return next;
  }

  /** The changes that affect what a run computes up to `step` updates. */
  affectingSteps(step: number): readonly ManualOverride[] {
    return this.#all.filter((change) => change.step < step || ('parameter' in change && change.step === step));
  }

  /** Sets the rate from `step` on, and discards later changes. @returns whether anything changed */
  setLr(lr: number, step: number): boolean {
    if (!Number.isFinite(lr) || lr < 0)
      throw new RangeError(`a learning rate must be a number of at least 0, not ${lr}`);
    return this.#set({ step, lr }, lr === this.lrAt(step));
  }

  /** Sets the seed from `step` on, and discards later changes. @returns whether anything changed */
  setSeed(seed: number, step: number): boolean {
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new RangeError(`a seed must be an integer of at least 0, not ${seed}`);
    return this.#set({ step, seed }, seed === this.seedAt(step));
  }

  /** Sets weights after `step` updates, and discards later changes. */
  setWeights(weights: readonly Omit<WeightOverride, 'step'>[], step: number): void {
    this.#all = [
      ...this.#all.filter((change) => change.step <= step),
      ...weights.map((weight) => ({ step, ...weight })),
    ];
  }

  #set(change: ManualOverride, same: boolean): boolean {
    const { step } = change;
    const kind = 'lr' in change ? 'lr' : 'seed';
    if (same && !this.#all.some((other) => kind in other && other.step > step)) return false;
    const kept = this.#all.filter((other) => other.step < step || (other.step === step && !(kind in other)));
    this.#all = kept;
    const before = kind === 'lr' ? this.lrAt(step) : this.seedAt(step);
    const now = 'lr' in change ? change.lr : 'seed' in change ? change.seed : before;
    if (now !== before) this.#all = [...kept, change];
    return true;
  }
}
