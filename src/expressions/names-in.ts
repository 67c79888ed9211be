// The names that an expression reads.
import type { Expression } from './ast';
import type { Aspect } from './bind';

export interface NameUse {
  readonly name: string;
  readonly aspect: Aspect;
  readonly start: number;
  readonly end: number;
}

export function namesIn(expression: Expression, aspect: Aspect = 'value'): NameUse[] {
  switch (expression.type) {
    case 'number':
    case 'boolean':
      return [];
    case 'name':
      return [{ name: expression.name, aspect, start: expression.start, end: expression.end }];
    case 'index':
      return namesIn(expression.object, aspect);
    case 'unary':
      return namesIn(expression.operand);
    case 'binary':
      return [...namesIn(expression.left), ...namesIn(expression.right)];
    case 'call': {
      const of = expression.name === 'grad' ? 'gradient' : expression.name === 'update' ? 'update' : 'value';
      return expression.args.flatMap((argument) => namesIn(argument, of));
    }
  }
}
