// Problems of a spec as people and editors read them: file:line:column, what is wrong, what to do.
import { describePlace } from '../engine/custom/fault';
import type { Problem } from '../spec';

export interface PlacedProblem {
  readonly severity: Problem['severity'];
  readonly code: string;
  readonly file: string;
  /** Line and column count from 1, columns in UTF-16 units; the end is the first place after the range. */
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly message: string;
  readonly remedy: string;
  /** Of a layer of the user's own: where in its file. */
  readonly place?: Problem['place'];
}

function place(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/);
  return { line: before.length, column: before[before.length - 1].length + 1 };
}

export function placeProblems(file: string, text: string, problems: readonly Problem[]): PlacedProblem[] {
  return problems.map(({ severity, code, start, end, message, remedy, place: at }) => {
    const from = place(text, start);
    const to = place(text, end);
    return { severity, code, file, line: from.line, column: from.column, endLine: to.line, endColumn: to.column, message, remedy, ...(at && { place: at }) };
  });
}

export const problemText = ({ file, line, column, severity, message, remedy, code, place: at }: PlacedProblem): string =>
  `${file}:${line}:${column}: ${severity}: ${message}${at ? ` (${describePlace(at)})` : ''} ${remedy} [${code}]`;
