// What the rules found in the numbers of a run, with the steps at which it held.
import type { QuickFix } from './problem';

export interface RunFinding {
  /** The code of its rule; stable, in kebab case. */
  readonly code: string;
  /** The layer at fault; null where it is the whole run. */
  readonly layer: number | null;
  /** The first step at which it held. */
  readonly since: number;
  /** The step at which it was first reported: some hold for a while before. Absent in records of earlier versions. */
  readonly reported?: number;
  /** The last step at which it held; null while it does. */
  readonly until: number | null;
  /** The run has failed to learn regardless of the cause. */
  readonly isFailure?: true;
  readonly observation: string;
  readonly remedy: string;
  /** Where one change of the spec is the likely remedy. */
  readonly fix?: QuickFix;
}

/** Whether a finding holds at a step. */
export const holdsAt = ({ since, until }: RunFinding, step: number): boolean =>
  since <= step && (until === null || until >= step);
