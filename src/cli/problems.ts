// Problems of a spec in the form that people and editors can read: file:line:column, what is wrong, what to do.
import type { Problem } from '../protocol/problem';
import { escapeControls } from '../protocol/escape-controls';
import { formatLocation } from '../engine/custom/custom-layer-error';
import { positionAt } from '../presentation/text-position';

export interface LocatedProblem {
  readonly severity: Problem['severity'];
  readonly code: string;
  readonly file: string;
  /** Lines and columns count from 1, columns in UTF-16 units; the end is exclusive. */
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly message: string;
  readonly remedy: string;
  /** For a custom layer: the position in its file. */
  readonly place?: Problem['place'];
}

export function locateProblems(file: string, text: string, problems: readonly Problem[]): LocatedProblem[] {
  return problems.map(({ severity, code, start, end, message, remedy, place: at }) => {
    const from = positionAt(text, start);
    const to = positionAt(text, end);
    return {
      severity,
      code,
      file,
      line: from.line,
      column: from.column,
      endLine: to.line,
      endColumn: to.column,
      message,
      remedy,
      ...(at && { place: at }),
    };
  });
}

export const formatProblem = ({
  file,
  line,
  column,
  severity,
  message,
  remedy,
  code,
  place: at,
}: LocatedProblem): string =>
  escapeControls(
    `${file}:${line}:${column}: ${severity}: ${message}${at ? ` (${formatLocation(at)})` : ''} ${remedy} [${code}]`,
  );
