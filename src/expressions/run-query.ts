// The text of a query over a run: `step, norm(grad(hidden.weight)) where loss > 2`, or a search for a step:
// `last changes_sign(hidden.weight[0, 1])`.
import { type Expression, ExpressionError } from './ast';
import { parseExpression, parseTree, placeOf, type RawNode, split, toExpression } from './parse';

/**
 * - `last`: the last step at which the condition holds, or the number changes.
 * - `first`: the first one.
 * - `bisect`: by bisection, a step at which the condition begins to hold.
 */
export const SEARCHES = ['last', 'first', 'bisect'] as const;
export type Search = (typeof SEARCHES)[number];

/** Text with expressions. */
export type TextParts = readonly (string | Expression)[];

export interface QueryColumn {
  /** As it is written; without the quotes of a text. */
  readonly label: string;
  readonly content: Expression | TextParts;
  readonly start: number;
  readonly end: number;
}

export type RunQueryText =
  | { readonly kind: 'rows'; readonly columns: readonly QueryColumn[]; readonly where: Expression | null }
  | { readonly kind: Search; readonly condition: Expression };

const SEARCH = new RegExp(`^\\s*(${SEARCHES.join('|')})(?=\\s)`);

/** Whether a text can only be a query, and not an expression: it has several columns, a condition, or is a search. */
export function isRunQuery(text: string): boolean {
  try {
    const query = parseRunQuery(text);
    return query.kind !== 'rows' || query.where !== null || query.columns.length > 1;
  } catch {
    return SEARCH.test(text) || /\swhere\s/.test(text);
  }
}

/** @throws ExpressionError */
export function parseRunQuery(text: string): RunQueryText {
  const word = SEARCH.exec(text);
  if (word) {
    // Blanks keep every place.
    const rest = ' '.repeat(word[0].length) + text.slice(word[0].length);
    return { kind: word[1] as Search, condition: parseExpression(rest) };
  }
  const [selection, ...conditions] = split(parseTree(text), 'where');
  const [where = null, second] = conditions.map((node) => toExpression(node, text));
  if (second) throw new ExpressionError('A query has one "where". Join conditions with and.', second.start, second.end);
  return { kind: 'rows', columns: split(selection!, ',').map((node) => toColumn(node, text)), where };
}

function toColumn(node: RawNode, text: string): QueryColumn {
  const { start, end } = placeOf(node);
  if (node.type !== 'Literal' || typeof node.value !== 'string')
    return { label: text.slice(start, end), content: toExpression(node, text), start, end };
  const { value, raw } = node as unknown as { readonly value: string; readonly raw: string };
  // Without escapes, every character of the text has its place.
  const offset = raw.slice(1, -1) === value ? start + 1 : null;
  return { label: value, content: parseTextParts(value, offset, { start, end }), start, end };
}

/**
 * Text with expressions in braces.
 * @param offset of the text in the one that errors refer to; null if they refer to `place`
 * @throws ExpressionError
 */
export function parseTextParts(
  text: string,
  offset: number | null = 0,
  place: { readonly start: number; readonly end: number } = { start: 0, end: text.length },
): TextParts {
  let index = 0;
  // Texts and expressions alternate.
  return text.split(/\{([^{}]*)\}/).map((part, i) => {
    const start = index;
    index += part.length + 1;
    if (i % 2 === 0) return part;
    try {
      return shift(parseExpression(part), (offset ?? 0) + start);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      if (offset === null) throw new ExpressionError(error.message, place.start, place.end);
      throw new ExpressionError(error.message, offset + start + error.start, offset + start + error.end);
    }
  });
}

/** The same expression at another place. */
function shift(expression: Expression, by: number): Expression {
  const at = { start: expression.start + by, end: expression.end + by };
  switch (expression.type) {
    case 'number':
    case 'boolean':
    case 'name':
      return { ...expression, ...at };
    case 'index':
      return { ...expression, ...at, object: shift(expression.object, by) };
    case 'unary':
      return { ...expression, ...at, operand: shift(expression.operand, by) };
    case 'binary':
      return { ...expression, ...at, left: shift(expression.left, by), right: shift(expression.right, by) };
    case 'call':
      return { ...expression, ...at, args: expression.args.map((argument) => shift(argument, by)) };
  }
}
