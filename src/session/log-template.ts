// Log messages of breakpoints: text with expressions in braces.
import { bindExpression, ExpressionError, parseExpression, type Scope } from '../expressions';

export type LogTemplate = (scope: Scope) => string;

/** Entries of a tensor that are printed. */
const MAX_ENTRIES = 8;

/** @throws ExpressionError */
export function logTemplateOf(message: string): LogTemplate {
  const parts = message.split(/\{([^{}]*)\}/);
  // Texts and expressions alternate.
  const rendered = parts.map((part, i) => {
    if (i % 2 === 0) return () => part;
    const expression = parseExpression(part);
    return (scope: Scope): string => {
      try {
        const { type, shape, size, prepare, at } = bindExpression(expression, scope);
        prepare();
        const format = (value: number): string => (type === 'boolean' ? String(value !== 0) : String(value));
        if (shape.length === 0) return format(at(0));
        const entries = Array.from({ length: Math.min(size, MAX_ENTRIES) }, (_, k) => format(at(k)));
        return `[${entries.join(', ')}${size > MAX_ENTRIES ? ', …' : ''}]`;
      } catch (error) {
        if (error instanceof ExpressionError) return `{${error.message}}`;
        throw error;
      }
    };
  });
  return (scope) => rendered.map((render) => render(scope)).join('');
}
