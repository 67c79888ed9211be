// Problems of a spec, or of a custom layer that it uses.

/** A position in the code of a custom layer. */
export interface SourceLocation {
  /** Absolute path. */
  readonly file: string;
  /** Line and column count from 1, the column in UTF-16 units; null if only the file is known. */
  readonly line: number | null;
  readonly column: number | null;
}

/** A change of a spec, by path. */
export interface SpecChange {
  /** Keys and indexes: `layers`, 2, `init`. */
  readonly path: readonly (string | number)[];
  /** Undefined removes the value at the path. */
  readonly value?: unknown;
  /** Inserts into a list at the path's index instead of replacing. */
  readonly insert?: true;
}

/** A change of the spec that removes the cause of a problem. */
export interface QuickFix {
  /** Verb and object: "Set lr to 0.01". */
  readonly title: string;
  /** In order, each on the result of those before. */
  readonly changes: readonly SpecChange[];
}

/** For each rule id: `off`, or a threshold that replaces the default. */
export type RuleSettings = Readonly<Record<string, 'off' | number>>;

export interface Problem {
  /** Stable, in kebab case: `unknown-layer`, `shape-mismatch`. */
  readonly code: string;
  /** An error prevents the run; a warning does not; information says what was decided and needs no action. */
  readonly severity: 'error' | 'warning' | 'information';
  /** UTF-16 offsets into the spec's text; start <= end. */
  readonly start: number;
  readonly end: number;
  /** One sentence: what is wrong. */
  readonly message: string;
  /** One sentence: what to do. */
  readonly remedy: string;
  /** JSON text to replace the range with, if one correction is likely. */
  readonly replacement?: string;
  /** Where one change of the spec is the likely remedy. */
  readonly fix?: QuickFix;
  /** In the file of a custom layer; the range is then that of the layer in the spec. */
  readonly place?: SourceLocation;
}

/**
 * The code of a custom layer that ran: the loading of its file, one of its functions, or (`async`) what these started
 * in a timer or promise.
 */
export type LayerCall = 'load' | 'parameters' | 'outputShape' | 'forward' | 'backward' | 'async';

/** An error that a custom layer threw or caused. */
export interface CustomLayerErrorDetails {
  /** The layer's name in the spec. */
  readonly layer: string;
  readonly call: LayerCall;
  /** One sentence that names the layer and the function. */
  readonly message: string;
  readonly remedy: string;
  readonly place: SourceLocation;
  /** The stack trace of an exception. */
  readonly stack: string | null;
}
