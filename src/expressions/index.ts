// The language of watches, hovers, conditions, log messages and queries: docs/expressions.md.
export { type CallNode, type Expression, ExpressionError, type IndexNode } from './ast';
export { type Aspect, bindExpression, type Operand, type Scope } from './bind';
export { type Bound, type EntryType, readNumber, type TensorReductions } from './bound';
export { changeFunctions, functions } from './functions';
export { namesIn } from './names-in';
export { MAX_LENGTH, parseExpression } from './parse';
export { AT, IS_ZERO_FOR, LAST, outerPastUsesIn, type PastUse, pastUsesIn, toCondition } from './past';
export {
  isRunQuery,
  parseRunQuery,
  parseTextParts,
  type QueryColumn,
  type RunQueryText,
  type Search,
  SEARCHES,
  type TextParts,
} from './run-query';
export { usesChange } from './uses-change';
