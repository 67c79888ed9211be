// What is wrong with the spec of a run: in its text, found by opening it, and done by a layer of the user's own.
import type { Fault } from '../engine/custom/fault';
import { type Meaning, meaningOf, type Problem, type Spec } from '../spec';
import { faultProblems } from './layer-files';
import { type Edit, shiftProblems } from './problem-shift';
import type { RunOptions, SpecText } from './run-options';
import type { RunView } from './run-view';

/** A text that was opened, or tried. */
export interface Opened {
  readonly meaning: Meaning;
  readonly problems: readonly Problem[];
}

export class RunProblems {
  /** The spec of the run that is shown. */
  opened: Opened | null = null;
  /** The spec that was tried last and could not run. */
  refused: Opened | null = null;
  /** What a layer of the user's own did wrong last. */
  #fault: Fault | null = null;
  readonly #view: RunView;
  readonly #found: RunOptions['found'];

  constructor(view: RunView, found: RunOptions['found']) {
    this.#view = view;
    this.#found = found;
  }

  /** A text, or other code of its layers, was tried. @param runs whether it runs now; else what ran before goes on. */
  take(opened: Opened, runs: boolean): void {
    this.refused = runs ? null : opened;
    if (runs) this.opened = opened;
    this.#fault = null;
  }

  setFault(fault: Fault | null, source: SpecText): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    this.show(source);
  }

  /** The text is being edited; what was found in it moves along. */
  edited(edits: readonly Edit[]): void {
    const moved = (opened: Opened | null): Opened | null =>
      opened && { ...opened, problems: shiftProblems(opened.problems, edits) };
    this.opened = moved(this.opened);
    this.refused = moved(this.refused);
  }

  show({ text, spec, problems }: SpecText): void {
    const opened = problems.length > 0 ? null : this.#ofThisText(spec);
    const found = [...(opened?.problems ?? []), ...faultProblems(spec, this.#fault)];
    this.#found(found);
    this.#view.setProblems(text, [...problems, ...found]);
  }

  /** What opening the present text found, if it was opened. */
  #ofThisText(spec: Spec | undefined): Opened | null {
    if (!spec) return null;
    const { whole } = meaningOf(spec);
    return [this.refused, this.opened].find((opened) => opened?.meaning.whole === whole) ?? null;
  }
}
