// The hit condition of a breakpoint: which of its hits stop the run.
import { ExpressionError } from '../expressions';

/** @param count of this hit, from 1 */
export type HitCondition = (count: number) => boolean;

const PATTERN = /^(>=|<=|==|=|>|<|%)?\s*(\d{1,9})$/;

/**
 * `5` or `== 5` is the fifth hit, `>= 5` the fifth and later ones, `% 5` every fifth. Null for none.
 * @throws ExpressionError
 */
export function hitConditionOf(text: string): HitCondition | null {
  if (text.trim() === '') return null;
  const [, operator = '==', digits] = PATTERN.exec(text.trim()) ?? [];
  const number = Number(digits);
  if (digits === undefined || (operator === '%' && number === 0))
    throw new ExpressionError('A hit count is a number, such as 5, >= 5 or % 5.', 0, text.length);
  switch (operator) {
    case '>=':
      return (count) => count >= number;
    case '<=':
      return (count) => count <= number;
    case '>':
      return (count) => count > number;
    case '<':
      return (count) => count < number;
    case '%':
      return (count) => count % number === 0;
    default:
      return (count) => count === number;
  }
}
