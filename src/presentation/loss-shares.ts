// What each of several losses adds to the loss.
import type { ModelInfo } from '../protocol/model-info';

export interface LossShare {
  readonly name: string;
  readonly weight: number;
  /** Its value, and that times its weight; null while it is not known. */
  readonly value: number | null;
  readonly share: number | null;
}

/** Empty where there is one loss. @param values of the batch or of a split, in the order of the model */
export const lossShares = ({ losses = [] }: ModelInfo, values: readonly number[] | null | undefined): LossShare[] =>
  losses.map(({ name, weight }, i) => {
    const value = values?.[i] ?? null;
    return { name, weight, value, share: value === null ? null : weight * value };
  });

/** `0.3 · head_loss`. */
export const weightedName = ({ name, weight }: Pick<LossShare, 'name' | 'weight'>): string =>
  weight === 1 ? name : `${weight} · ${name}`;

/** `cross entropy`, or what several losses are together. */
export const lossUnit = ({ loss, losses }: ModelInfo): string =>
  losses ? 'weighted sum' : loss.kind.replaceAll('_', ' ');

/** `cross_entropy`, or `linear2_loss + 0.3 · head_loss`. */
export const formatObjective = ({ loss, losses }: ModelInfo): string =>
  losses ? losses.map(weightedName).join(' + ') : loss.kind;
