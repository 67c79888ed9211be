// From text to the tree of an expression. jsep reads it; what it accepts beyond the language is rejected here, and what
// it lacks is added: positions, slices, and the precedence of Python for `not` and a minus before a power.
import jsep from 'jsep';
import {
  type BinaryOperator,
  type CallNode,
  type Expression,
  ExpressionError,
  type NameNode,
  type Slice,
  type UnaryOperator,
} from './ast';
import { expandIsZeroFor, IS_ZERO_FOR } from './past';

/** UTF-16 units. */
export const MAX_LENGTH = 1000;
const MAX_DEPTH = 60;

/** Separators, which have no value: `where` in a query, `,` between arguments and indices, `:` in a slice. */
type Separator = 'where' | ',' | ':';

/** Higher binds tighter. */
const PRECEDENCE: Readonly<Record<BinaryOperator | Separator, number>> = {
  where: 0.125,
  ',': 0.25,
  ':': 0.5,
  or: 1,
  and: 2,
  '==': 6,
  '!=': 6,
  '<': 6,
  '<=': 6,
  '>': 6,
  '>=': 6,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '**': 12,
};
/** As in Python: `not a > b` is `not (a > b)`, and `-x ** 2` is `-(x ** 2)`. */
const UNARY_PRECEDENCE: Readonly<Record<UnaryOperator, number>> = { not: 3, '-': 11 };

/** A node of jsep with its place. */
export interface RawNode extends jsep.Expression {
  start?: number;
  end?: number;
  inParentheses?: boolean;
}

/** What the hooks use of jsep's parser. */
interface Parser {
  readonly expr: string;
  readonly code: number;
  index: number;
  isNested?: boolean;
  /** Where a part of a slice was left out last. It consumes nothing, so it is found once at each place. */
  omittedAt?: number;
  gobbleToken(): RawNode | false;
}

const OMITTED = 'Omitted';

function configure(): void {
  jsep.removeAllBinaryOps();
  jsep.removeAllUnaryOps();
  jsep.removeAllLiterals();
  for (const [operator, precedence] of Object.entries(PRECEDENCE))
    jsep.addBinaryOp(operator, precedence, operator === '**');
  for (const operator of Object.keys(UNARY_PRECEDENCE)) jsep.addUnaryOp(operator);
  for (const [name, value] of Object.entries({ true: true, false: false, True: true, False: false }))
    jsep.addLiteral(name, value);
  jsep.hooks.add('gobble-token', function (this: unknown, env: { node?: jsep.Expression }) {
    const parser = this as Parser;
    // The second call, for the same token, reads it.
    if (parser.isNested) {
      parser.isNested = false;
      return;
    }
    const { expr, index: start } = parser;
    if (parser.omittedAt !== start && isOmitted(expr, start)) {
      parser.omittedAt = start;
      env.node = { type: OMITTED, start, end: start };
      return;
    }
    parser.isNested = true;
    const node = parser.gobbleToken();
    parser.isNested = false;
    if (!node) return;
    if (expr[start] === '(') node.inParentheses = true;
    node.start ??= start;
    node.end = start + expr.slice(start, parser.index).trimEnd().length;
    env.node = node;
  });
}

/** Whether a part of a slice is left out where a token could begin: `[:2]`, `[1:]`, `[::2]`. */
const isOmitted = (text: string, index: number): boolean =>
  text[index] === ':' || (/:\s*$/.test(text.slice(0, index)) && (text[index] === ']' || text[index] === ','));

configure();

/** @throws ExpressionError */
export const parseExpression = (text: string): Expression => toExpression(parseTree(text), text);

/** @throws ExpressionError */
export const toExpression = (node: RawNode, text: string): Expression => convert(node, text, 0);

/** The tree of an expression, or of a query. @throws ExpressionError */
export function parseTree(text: string): RawNode {
  if (text.length > MAX_LENGTH)
    throw new ExpressionError(`An expression has at most ${MAX_LENGTH} characters.`, MAX_LENGTH, text.length);
  if (text.trim() === '') throw new ExpressionError('The expression is empty.', 0, text.length);
  assertDepth(text);
  // The parser takes these for the end of an empty statement.
  const separator = /^\s*[,;]|;\s*$/.exec(text);
  if (separator) {
    const at = separator.index + separator[0].search(/[,;]/);
    throw new ExpressionError(`Nothing can be separated here by ${text[at]}.`, at, at + 1);
  }
  try {
    return jsep(text);
  } catch (error) {
    throw fromParserError(error, text);
  }
}

function fromParserError(error: unknown, text: string): ExpressionError {
  const { index, description } = error as { readonly index?: number; readonly description?: string };
  const start = Math.min(index ?? 0, text.length);
  const reason = description ?? 'Not an expression';
  return start < text.length
    ? new ExpressionError(`${reason}.`, start, start + 1)
    : new ExpressionError(`The expression ends too early. ${reason}.`, start, start);
}

/** The parser recurses, so nesting is bounded first. */
function assertDepth(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if ('(['.includes(character)) depth++;
    if (')]'.includes(character)) depth--;
    if (depth > MAX_DEPTH) throw new ExpressionError('The expression is nested too deeply.', i, i + 1);
  }
}

/** The place of a node: its own, or from its first part to its last. */
export function placeOf(node: RawNode): { readonly start: number; readonly end: number } {
  const first = (node.left ?? node.object ?? node.callee) as RawNode | undefined;
  const last = (node.right ?? node.argument) as RawNode | undefined;
  const start = node.start ?? (first ? placeOf(first).start : 0);
  return { start, end: Math.max(start, node.end ?? (last ? placeOf(last).end : start)) };
}

function convert(node: RawNode, text: string, depth: number): Expression {
  const at = placeOf(node);
  const fail = (message: string, place = at): never => {
    throw new ExpressionError(message, place.start, place.end);
  };
  if (depth > MAX_DEPTH) fail('The expression is nested too deeply.');
  const inner = (child: unknown, by = 1): Expression => convert(withPlace(child as RawNode, at), text, depth + by);
  switch (node.type) {
    case 'Literal': {
      const { value, raw } = node as unknown as jsep.Literal;
      if (typeof value === 'boolean') return { type: 'boolean', value: Number(value), ...at };
      if (typeof value === 'number') return { type: 'number', value, ...at };
      return fail(`Strings are not allowed in expressions: ${raw}.`);
    }
    case 'Identifier':
    case 'MemberExpression': {
      if (node.type === 'MemberExpression' && node.computed === true)
        return {
          type: 'index',
          object: inner(node.object),
          parts: split(node.property as RawNode, ',').map((part) => toIndex(withPlace(part, at), text)),
          ...at,
        };
      return toName(node, at) ?? fail('A name has letters, digits and dots: hidden.weight.');
    }
    case 'CallExpression': {
      const callee = node.callee as RawNode;
      if (callee.type !== 'Identifier') return fail('Only functions can be called.');
      const args = (node.arguments as RawNode[]).flatMap((argument) => split(argument, ','));
      const call: CallNode = { type: 'call', name: callee.name as string, args: args.map(inner), ...at };
      return call.name === IS_ZERO_FOR ? expandIsZeroFor(call) : call;
    }
    case 'UnaryExpression':
      return { type: 'unary', operator: node.operator as UnaryOperator, operand: inner(node.argument), ...at };
    case 'BinaryExpression': {
      const operator = node.operator as BinaryOperator | Separator;
      if (operator === 'where') return fail('"where" belongs in a query, once: step, loss where loss > 2.');
      if (operator === ',') return fail('A comma separates the arguments of a function or indices.');
      if (operator === ':') return fail('A slice belongs in brackets: hidden.weight[0:2].');
      const unary = leadingUnary(node.left as RawNode);
      if (!unary || PRECEDENCE[operator] <= UNARY_PRECEDENCE[unary.operator as UnaryOperator])
        return {
          type: 'binary',
          operator,
          left: inner(node.left, chained(node.left)),
          right: inner(node.right),
          ...at,
        };
      return {
        type: 'unary',
        operator: unary.operator as UnaryOperator,
        operand: inner(withoutUnary(node, unary)),
        ...at,
      };
    }
    case 'Compound': {
      const second = (node.body as RawNode[])[1];
      return fail('An operator is missing between two parts.', second ? placeOf(second) : at);
    }
    default:
      return fail(`This is not part of the language: ${text.slice(at.start, at.end)}.`);
  }
}

/** How much deeper the left side of an operator is: a chain such as `a + b + c` is flat, however long it is. */
const chained = (left: unknown): number => {
  const { type, inParentheses } = left as RawNode;
  return type === 'BinaryExpression' && inParentheses !== true ? 0 : 1;
};

/** A part of a name or of brackets has no place of its own: it is that of the whole. */
const withPlace = (node: RawNode, { start, end }: { readonly start: number; readonly end: number }): RawNode =>
  node.start === undefined && node.left === undefined ? { ...node, start, end } : node;

function toName(node: RawNode, at: { readonly start: number; readonly end: number }): NameNode | undefined {
  if (node.type === 'Identifier') return { type: 'name', name: node.name as string, ...at };
  if (node.type === 'CallExpression') return toQuotedLayer(node, at);
  if (node.type !== 'MemberExpression' || node.computed === true || node.optional === true) return undefined;
  const object = toName(node.object as RawNode, at);
  return object && { type: 'name', name: `${object.name}.${(node.property as RawNode).name as string}`, ...at };
}

/** `layer("my layer")` stands for the name of a layer that is not an identifier. */
function toQuotedLayer(node: RawNode, at: { readonly start: number; readonly end: number }): NameNode | undefined {
  const callee = node.callee as RawNode;
  const [argument, ...rest] = node.arguments as RawNode[];
  const isLayer = callee.type === 'Identifier' && callee.name === 'layer' && rest.length === 0;
  return isLayer && argument?.type === 'Literal' && typeof argument.value === 'string'
    ? { type: 'name', name: argument.value, ...at }
    : undefined;
}

/** The unary operator that a chain of operators begins with, outside of parentheses; jsep binds it to one operand. */
function leadingUnary(node: RawNode): RawNode | null {
  if (node.inParentheses === true) return null;
  if (node.type === 'UnaryExpression') return node;
  return node.type === 'BinaryExpression' ? leadingUnary(node.left as RawNode) : null;
}

function withoutUnary(node: RawNode, unary: RawNode): RawNode {
  const operand = unary.argument as RawNode;
  return node === unary
    ? operand
    : { ...node, left: withoutUnary(node.left as RawNode, unary), start: placeOf(operand).start };
}

/** The operands of a chain of one operator, in order. */
export function split(node: RawNode, operator: Separator): RawNode[] {
  return node.type === 'BinaryExpression' && node.operator === operator && node.inParentheses !== true
    ? [...split(node.left as RawNode, operator), node.right as RawNode]
    : [node];
}

function toIndex(node: RawNode, text: string): number | Slice {
  const parts = split(node, ':').map((part) => toInteger(withPlace(part, placeOf(node)), text));
  const [start = null, stop = null, step = null] = parts;
  const place = placeOf(node);
  if (parts.length === 1) {
    if (start !== null) return start;
    throw new ExpressionError('An index is missing.', place.start, place.end);
  }
  if (parts.length > 3 || (step !== null && step < 1))
    throw new ExpressionError('A slice is start:stop:step with a step of at least 1.', place.start, place.end);
  return { start, stop, step };
}

/** Null if it is left out. */
function toInteger(node: RawNode, text: string): number | null {
  if (node.type === OMITTED) return null;
  const { start, end } = placeOf(node);
  const isNegative = node.type === 'UnaryExpression' && node.operator === '-';
  const { value } = (isNegative ? node.argument : node) as RawNode;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return isNegative ? -value : value;
  throw new ExpressionError(`An index is a whole number, not ${text.slice(start, end)}.`, start, end);
}
