// The language of watches, hovers, conditions and log messages: docs/expressions.md.
export { type Expression, ExpressionError } from './ast';
export { type Aspect, bindExpression, type Operand, type Scope } from './bind';
export type { Bound, EntryType } from './bound';
export { changeFunctions, functions } from './functions';
export { namesIn } from './names-in';
export { MAX_LENGTH, parseExpression } from './parse';
