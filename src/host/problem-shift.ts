// Moves problems along with the text around them, until the text is read again.
import type { Problem } from '../spec';

export interface Edit {
  readonly offset: number;
  /** UTF-16 units replaced. */
  readonly length: number;
  readonly text: string;
}

/** @returns the problems at their new places; those whose own text was edited are left out. */
export function shiftProblems(problems: readonly Problem[], edits: readonly Edit[]): readonly Problem[] {
  return edits.reduce(shiftOnce, problems);
}

function shiftOnce(problems: readonly Problem[], { offset, length, text }: Edit): readonly Problem[] {
  const by = text.length - length;
  return problems.flatMap((problem) => {
    if (problem.end <= offset) return [problem];
    if (problem.start < offset + length || problem.start < offset) return [];
    return [{ ...problem, start: problem.start + by, end: problem.end + by }];
  });
}
