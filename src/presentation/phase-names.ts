// The names of phases in files: `zero_grad`, `forward hidden`, `loss`, `loss_backward`, `backward hidden`, `update`.
import type { Phase, Position } from '../protocol/position';

export const phaseName = (layers: readonly string[], phase: Phase): string =>
  phase.kind === 'forward' || phase.kind === 'backward' ? `${phase.kind} ${layers[phase.layer] ?? ''}` : phase.kind;

/** The phases of a step of a network with these layers, in order. */
export const phaseNames = (layers: readonly string[]): string[] => [
  'zero_grad',
  ...layers.map((name) => `forward ${name}`),
  'loss',
  'loss_backward',
  ...layers.map((name) => `backward ${name}`).reverse(),
  'update',
];

/** Where the run is, as the panel says it: the step that is shown, and its last phase unless the step is done. */
export interface NamedPosition {
  /** From 1; 0 before the first step. */
  readonly step: number;
  /** Null at the end of the step. */
  readonly phase: string | null;
}

export const namePosition = (layers: readonly string[], { step, phase }: Position): NamedPosition =>
  phase > 0 ? { step: step + 1, phase: phaseNames(layers)[phase - 1] ?? null } : { step, phase: null };

/** @returns null if there is no such phase, or no step before step 1 that could have one */
export function positionOf(layers: readonly string[], { step, phase }: NamedPosition): Position | null {
  if (phase === null) return { step, phase: 0 };
  const names = phaseNames(layers);
  const done = names.indexOf(phase) + 1;
  if (done === 0 || step < 1) return null;
  // After the last phase, the step is done.
  return done === names.length ? { step, phase: 0 } : { step: step - 1, phase: done };
}
