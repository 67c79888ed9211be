// Offsets into a text as lines and columns, and how they move when the text around them is edited.
import type { Problem } from '../../protocol/problem';

/** Line and column, counted from 1, of every offset, found in one pass over the text. Offsets may be in any order. */
export function positionsAt(
  text: string,
  offsets: readonly number[],
): { readonly line: number; readonly column: number }[] {
  const sorted = offsets.map((offset, i) => ({ offset, i })).sort((a, b) => a.offset - b.offset);
  const positions = new Array<{ line: number; column: number }>(offsets.length);
  let line = 1;
  let start = 0;
  for (const { offset, i } of sorted) {
    for (let end = text.indexOf('\n', start); end >= 0 && end < offset; end = text.indexOf('\n', start)) {
      line++;
      start = end + 1;
    }
    positions[i] = { line, column: offset - start + 1 };
  }
  return positions;
}

export interface TextChange {
  readonly offset: number;
  /** UTF-16 units replaced. */
  readonly length: number;
  readonly text: string;
}

/** @returns the problems at their new ranges, without those whose own text was edited. */
export function shiftProblems(problems: readonly Problem[], changes: readonly TextChange[]): readonly Problem[] {
  return changes.reduce(shiftByChange, problems);
}

function shiftByChange(problems: readonly Problem[], { offset, length, text }: TextChange): readonly Problem[] {
  const delta = text.length - length;
  return problems.flatMap((problem) => {
    if (problem.end <= offset) return [problem];
    if (problem.start < offset + length || problem.start < offset) return [];
    return [{ ...problem, start: problem.start + delta, end: problem.end + delta }];
  });
}
