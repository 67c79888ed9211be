// What is wrong with a spec, as data: where, what, and what to do.
import type { CodePlace } from '../engine/custom/fault';

export interface Problem {
  /** Stable, kebab-case: `unknown-layer`, `shape-mismatch`. */
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** UTF-16 offsets into the spec's text; start <= end. */
  readonly start: number;
  readonly end: number;
  /** One sentence: what is wrong. */
  readonly message: string;
  /** One sentence: what to do. */
  readonly remedy: string;
  /** Of a layer of the user's own: where in its file. The range is that of the layer in the spec. */
  readonly place?: CodePlace;
}
