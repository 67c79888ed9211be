// Pinned steps, and the one that tensors are compared with. Part of the panel's state.
import type { Context, Settings } from '../context';

const ID = 'pins';
/** More could not be distinguished on the timeline. */
export const MAX_PINS = 12;

export interface Pins {
  /** In ascending order. */
  readonly steps: readonly number[];
  /** The step that tensors are compared with; null for no comparison. */
  readonly since: number | null;
  /** Which of the two tensors, or their difference, is drawn. */
  readonly show: 'now' | 'then' | 'difference';
}

const isStep = (step: unknown): step is number => typeof step === 'number' && Number.isSafeInteger(step) && step >= 0;

export function getPins({ viewState }: Settings): Pins {
  const from = (viewState[ID] ?? {}) as Partial<Record<keyof Pins, unknown>>;
  const steps = Array.isArray(from.steps)
    ? [...new Set(from.steps.filter(isStep))].sort((a, b) => a - b).slice(0, MAX_PINS)
    : [];
  const since = isStep(from.since) && steps.includes(from.since) ? from.since : null;
  const show = from.show === 'now' || from.show === 'then' ? from.show : 'difference';
  return { steps, since, show };
}

export const updatePins = ({ settings, setViewState }: Context, change: Partial<Pins>): void =>
  setViewState(ID, { ...getPins(settings), ...change });

/** Pins or unpins a step. */
export function togglePin(context: Context, step: number): void {
  const { steps } = getPins(context.settings);
  if (steps.includes(step)) updatePins(context, { steps: steps.filter((other) => other !== step) });
  else if (steps.length < MAX_PINS) updatePins(context, { steps: [...steps, step] });
  else context.notify('warning', `At most ${MAX_PINS} steps can be pinned. Unpin one first.`);
}
