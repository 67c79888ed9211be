// Sentences of a run for the user.

/** Why a command is not available, by the state of the run. */
export const UNAVAILABLE_REASON = {
  problems: 'The spec has problems. Fix them first.',
  loading: 'The run is still loading.',
  run: 'The engine has stopped.',
  code: 'Custom layers need permission to run.',
  stopped: 'The engine has stopped. Restore the run, or start over.',
} as const;

/** @param step that the run continues from. */
export const simd256DisabledMessage = (step: number): string =>
  `256-bit SIMD, an experiment of the JavaScript engine, was in use. The run continues from step ${step} without it.`;

export const toErrorMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));
