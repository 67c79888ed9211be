// Whether an expression is about a change of a value, which only a data breakpoint knows.
import type { Expression } from './ast';
import { changeFunctions } from './functions';
import { pastUseOf } from './past';

export function usesChange(expression: Expression): boolean {
  switch (expression.type) {
    case 'number':
    case 'boolean':
      return false;
    case 'name':
      return expression.name === 'value' || expression.name === 'previous';
    case 'index':
      return usesChange(expression.object);
    case 'unary':
      return usesChange(expression.operand);
    case 'binary':
      return usesChange(expression.left) || usesChange(expression.right);
    case 'call':
      return (
        (changeFunctions.has(expression.name) && pastUseOf(expression) === null) || expression.args.some(usesChange)
      );
  }
}
