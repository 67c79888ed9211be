// What readers of data report: errors, and notes about data that is read anyway.
import { closestMatch } from '../closest-match';
import { escapeControls } from '../../protocol/escape-controls';

/** Path below `data` in the spec, such as ['path'] or ['inputs', 3]. */
export type OptionPath = readonly (string | number)[];

/** What a reader decided or noticed about data that it read. */
export interface DataNote {
  /** Stable, kebab-case. */
  readonly code: string;
  readonly severity: 'warning' | 'information';
  readonly message: string;
  readonly remedy: string;
  /** The option that the note is about. */
  readonly path: OptionPath;
  /** Options of the data that repair it. */
  readonly fix?: { readonly title: string; readonly options: Readonly<Record<string, unknown>> };
}

/** Something is wrong with the data: where (a path into the options), what, and what to do. */
export class DataError extends Error {
  readonly remedy: string;

  /**
   * @param code stable, kebab-case: the kind of mistake
   * @param suggestion the name that was most likely meant where `path` leads
   */
  constructor(
    message: string,
    remedy: string,
    readonly path: OptionPath = [],
    readonly code = 'data',
    readonly suggestion?: string,
  ) {
    // Both texts may quote the contents of a file.
    super(escapeControls(message));
    this.remedy = escapeControls(remedy);
    this.name = 'DataError';
  }
}

/** How many names of a file a message lists. */
const MAX_LISTED = 20;

/** Says that a file has no column, array or tensor of a name, and which was meant or which there are. */
export function unknownNameError(
  file: string,
  kind: 'array' | 'column' | 'tensor',
  name: string,
  names: readonly string[],
  at: OptionPath,
  code?: string,
): DataError {
  const near = closestMatch(name, names);
  const listed = names.slice(0, MAX_LISTED).map((each) => `"${each}"`);
  const rest = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  const remedy =
    near !== undefined
      ? `Did you mean "${near}"?`
      : names.length > 0
        ? `Its ${kind}s are: ${listed.join(', ')}${rest}.`
        : 'Use another file.';
  return new DataError(`${file} has no ${kind} "${name}".`, remedy, at, code, near);
}
