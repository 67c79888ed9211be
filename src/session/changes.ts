// What was changed by hand in a run, each thing at its step. A run is a function of its spec and of these alone, so that
// it can be gone back in, replayed and restored to the bit.
import type { Parameter } from '../engine/network';
import type { RunChange, WeightChange } from './record';

/** @throws RangeError where there is no such weight, or it cannot be what it is set to. */
export function assertWeights(weights: readonly Omit<WeightChange, 'step'>[], parameters: readonly Parameter[]): void {
  for (const { parameter, index, value } of weights) {
    const count = parameters.find(({ name }) => name === parameter)?.value.data.length ?? 0;
    if (!Number.isInteger(index) || index < 0 || index >= count) throw new RangeError(`there is no weight ${index} of ${parameter}`);
    if (!Number.isFinite(value)) throw new RangeError(`a weight is a finite number, not ${value}`);
  }
}

export class Changes {
  #all: readonly RunChange[] = [];

  /** @param start what the spec says. */
  constructor(readonly start: { readonly lr: number; readonly seed: number }) {}

  /** By rising step; at the same step in the order in which they were made. */
  get all(): readonly RunChange[] {
    return this.#all;
  }

  set all(changes: readonly RunChange[]) {
    this.#all = [...changes];
  }

  /** What the schedule starts from at a step, counted from 0: the optimizer's `lr`, or what it was set to since. */
  lrAt(step: number): number {
    let { lr } = this.start;
    for (const change of this.#all) if ('lr' in change && change.step <= step) lr = change.lr;
    return lr;
  }

  /** What a step, counted from 0, draws from: the order of its samples, and what its layers and augmentations draw. */
  seedAt(step: number): number {
    let { seed } = this.start;
    for (const change of this.#all) if ('seed' in change && change.step <= step) seed = change.seed;
    return seed;
  }

  /** Weights that were set once `step` updates were done. */
  weightsAt(step: number): readonly WeightChange[] {
    if (this.#all.length === 0) return [];
    return this.#all.filter((change): change is WeightChange => 'parameter' in change && change.step === step);
  }

  /** The first step after this one at which anything was changed; Infinity where there is none. */
  nextAfter(step: number): number {
    let next = Infinity;
    for (const change of this.#all) if (change.step > step) next = Math.min(next, change.step);
    return next;
  }

  /** Those that play a part in what a run computes up to `step` updates. */
  upTo(step: number): readonly RunChange[] {
    return this.#all.filter((change) => change.step < step || ('parameter' in change && change.step === step));
  }

  /** Sets the rate from `step` on; later changes no longer hold. @returns whether anything changed. */
  setLr(lr: number, step: number): boolean {
    if (!Number.isFinite(lr) || lr < 0) throw new RangeError(`a learning rate is a number from 0 up, not ${lr}`);
    return this.#set({ step, lr }, lr === this.lrAt(step));
  }

  /** Sets the seed from `step` on; later changes no longer hold. @returns whether anything changed. */
  setSeed(seed: number, step: number): boolean {
    if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`a seed is a whole number from 0 up, not ${seed}`);
    return this.#set({ step, seed }, seed === this.seedAt(step));
  }

  /** Sets weights once `step` updates are done; later changes no longer hold. */
  setWeights(weights: readonly Omit<WeightChange, 'step'>[], step: number): void {
    this.#all = [...this.#all.filter((change) => change.step <= step), ...weights.map((weight) => ({ step, ...weight }))];
  }

  #set(change: RunChange, same: boolean): boolean {
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
