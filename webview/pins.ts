// Steps that the user marked to compare with, and which of them the tensors are seen beside. Kept in the panel's state.
import type { Context, Settings } from './context';

const ID = 'pins';
/** More could not be told apart in the strip. */
export const MOST_PINS = 12;

export interface Pins {
  /** Rising. */
  readonly steps: readonly number[];
  /** The step that tensors are compared with; null where they are shown as they are. */
  readonly since: number | null;
  /** Which of the two, or their difference, is drawn. */
  readonly show: 'now' | 'then' | 'difference';
}

const isStep = (step: unknown): step is number => typeof step === 'number' && Number.isSafeInteger(step) && step >= 0;

export function pinsOf({ kept }: Settings): Pins {
  const from = (kept[ID] ?? {}) as Partial<Record<keyof Pins, unknown>>;
  const steps = Array.isArray(from.steps) ? [...new Set(from.steps.filter(isStep))].sort((a, b) => a - b).slice(0, MOST_PINS) : [];
  const since = isStep(from.since) && steps.includes(from.since) ? from.since : null;
  const show = from.show === 'now' || from.show === 'then' ? from.show : 'difference';
  return { steps, since, show };
}

export const keepPins = ({ settings, keep }: Context, change: Partial<Pins>): void => keep(ID, { ...pinsOf(settings), ...change });

/** Pins a step, or takes the pin off. */
export function togglePin(context: Context, step: number): void {
  const { steps } = pinsOf(context.settings);
  if (steps.includes(step)) keepPins(context, { steps: steps.filter((other) => other !== step) });
  else if (steps.length < MOST_PINS) keepPins(context, { steps: [...steps, step] });
  else context.notify('warning', `At most ${MOST_PINS} steps can be pinned; take one off first.`);
}
