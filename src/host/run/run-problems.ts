// All problems of a run's spec: those of its text, of the attempt to open it, of faults of custom layers while it runs,
// and of the last gradient check. The Problems view and the panel show what this class publishes.

import type { CustomLayerErrorDetails, Problem } from '../../protocol/problem';
import { type SpecFingerprint, fingerprintSpec, type Spec } from '../../model-spec';
import { problemsOfFault } from '../custom-layers/layer-files';
import { problemsOfCheck } from './check-problems';
import { type TextChange, shiftProblems } from '../model-spec/text-positions';
import type { RunControllerOptions, SpecAnalysis } from './run-options';
import type { RunViewModel } from './run-view-model';

/** An attempt to open a spec, and the problems that it found. */
export interface OpenAttempt {
  readonly fingerprint: SpecFingerprint;
  readonly problems: readonly Problem[];
}

export class RunProblems {
  /** The spec of the current run. */
  opened: OpenAttempt | null = null;
  /** The spec that was tried last, if it could not run. */
  rejected: OpenAttempt | null = null;
  /** The latest fault of a custom layer. */
  #fault: CustomLayerErrorDetails | null = null;
  readonly #view: RunViewModel;
  readonly #onOpenProblems: RunControllerOptions['onOpenProblems'];

  constructor(view: RunViewModel, found: RunControllerOptions['onOpenProblems']) {
    this.#view = view;
    this.#onOpenProblems = found;
  }

  /** A spec, or new code of its layers, was tried. @param succeeded if not, the previous run continues. */
  recordAttempt(opened: OpenAttempt, succeeded: boolean): void {
    this.rejected = succeeded ? null : opened;
    if (succeeded) this.opened = opened;
    this.#fault = null;
  }

  setFault(fault: CustomLayerErrorDetails | null, analysis: SpecAnalysis): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    this.publish(analysis);
  }

  /** The text is being edited; the problems move with it until it is analyzed again. */
  applyTextChanges(changes: readonly TextChange[]): void {
    const shift = (opened: OpenAttempt | null): OpenAttempt | null =>
      opened && { ...opened, problems: shiftProblems(opened.problems, changes) };
    this.opened = shift(this.opened);
    this.rejected = shift(this.rejected);
  }

  publish({ text, spec, problems }: SpecAnalysis): void {
    // Opening a spec finds again what its text shows.
    const inText = new Set(problems.map(({ code, message }) => `${code} ${message}`));
    const opened = (this.#attemptFor(spec)?.problems ?? []).filter(
      ({ code, message }) => !inText.has(`${code} ${message}`),
    );
    const openProblems = [
      ...opened,
      ...problemsOfFault(spec, this.#fault),
      ...problemsOfCheck(spec, this.#view.checkReport),
    ];
    this.#onOpenProblems(openProblems);
    this.#view.setProblems(text, [...problems, ...openProblems]);
  }

  /** The attempt to open this spec, if there was one. */
  #attemptFor(spec: Spec | undefined): OpenAttempt | null {
    if (!spec) return null;
    const { full } = fingerprintSpec(spec);
    return [this.rejected, this.opened].find((opened) => opened?.fingerprint.full === full) ?? null;
  }
}
