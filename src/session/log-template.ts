// Log messages of breakpoints and queries: text with expressions in braces.
import {
  bindExpression,
  type Expression,
  ExpressionError,
  parseTextParts,
  type Scope,
  type TextParts,
} from '../expressions';

export interface LogTemplate {
  /** What it reads. */
  readonly expressions: readonly Expression[];
  readonly render: (scope: Scope) => string;
}

/** Entries of a tensor that are printed. */
const MAX_ENTRIES = 8;

/** @throws ExpressionError */
export function logTemplateOf(message: string): LogTemplate {
  const parts = parseTextParts(message);
  return {
    expressions: parts.filter((part) => typeof part !== 'string'),
    render: (scope) => renderText(parts, scope),
  };
}

/** What cannot be evaluated is printed as the reason, in braces. */
export const renderText = (parts: TextParts, scope: Scope): string =>
  parts
    .map((part) => {
      if (typeof part === 'string') return part;
      try {
        const { type, shape, size, prepare, at } = bindExpression(part, scope);
        prepare();
        const format = (value: number): string => (type === 'boolean' ? String(value !== 0) : String(value));
        if (shape.length === 0) return format(at(0));
        const entries = Array.from({ length: Math.min(size, MAX_ENTRIES) }, (_, k) => format(at(k)));
        return `[${entries.join(', ')}${size > MAX_ENTRIES ? ', …' : ''}]`;
      } catch (error) {
        if (error instanceof ExpressionError) return `{${error.message}}`;
        throw error;
      }
    })
    .join('');
