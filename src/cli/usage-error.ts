/** The call cannot be executed as typed. The message says what is wrong, the remedy what to type instead. */
export class UsageError extends Error {
  override name = 'UsageError';

  constructor(
    /** Stable across rewordings; part of the JSON answer. */
    readonly code: UsageErrorCode,
    message: string,
    readonly remedy: string,
  ) {
    super(message);
  }
}

export type UsageErrorCode =
  | 'unknown-command'
  | 'missing-command'
  | 'missing-spec'
  | 'too-many-specs'
  | 'unexpected-spec'
  | 'unknown-option'
  | 'missing-option'
  | 'missing-value'
  | 'unexpected-value'
  | 'invalid-value'
  | 'no-such-sample'
  | 'conflicting-options'
  | 'file-not-found'
  | 'file-is-a-folder'
  | 'file-not-utf8'
  | 'file-not-readable'
  | 'file-not-writable'
  | 'step-out-of-range'
  | 'fork-not-possible'
  | 'invalid-query'
  | 'invalid-entry'
  | 'no-explanation'
  | 'no-output-map'
  | 'no-sweep'
  | 'invalid-sweep-option'
  | 'results-not-readable';
