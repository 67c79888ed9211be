import type { SpecText } from './run-options';
import type { StoredRun } from './run-store';

/** What to open next. */
export interface Wish {
  readonly source: SpecText;
  /** The text of the editor when this was wished for. */
  readonly asOf: SpecText;
  /** Go on from here. */
  readonly kept: StoredRun | null;
  /** Said when the run has begun. */
  readonly say: string | null;
  /** Set it running then. */
  readonly run: boolean;
}
