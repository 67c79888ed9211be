// Sentences of a run for the user.
import { l10n } from 'vscode';

/** Why a command is not available, by the state of the run. */
export const UNAVAILABLE_REASON = {
  problems: l10n.t('The spec has problems. Fix them first.'),
  loading: l10n.t('The run is still loading.'),
  run: l10n.t('The engine has stopped.'),
  code: l10n.t('Custom layers need permission to run.'),
  stopped: l10n.t('The engine has stopped. Restore the run, or start over.'),
} as const;

/** @param step that the run continues from. */
export const simd256DisabledMessage = (step: number): string =>
  l10n.t(
    '256-bit SIMD, an experiment of the JavaScript engine, was in use. The run continues from step {0} without it.',
    step,
  );

export const toErrorMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));
