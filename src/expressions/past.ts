// What an expression reads of other steps: `at(step, x)`, `last(x)` and `changes(x)`. Only what is said here can be
// evaluated while a run is replayed forward once, with few values kept.
import { type BinaryOperator, type CallNode, type Expression, ExpressionError } from './ast';
import { changeFunctions } from './functions';

export const AT = 'at';
export const LAST = 'last';

/** `is_zero_for(x, n)`: whether x is 0, and was at the ends of the n - 1 steps before. */
export const IS_ZERO_FOR = 'is_zero_for';

/** Its meaning: x == 0 and step >= n and not last(x != 0) > step - n. @throws ExpressionError */
export function expandIsZeroFor(call: CallNode): Expression {
  const [value, steps, ...rest] = call.args;
  if (!value || !steps || rest.length > 0)
    return fail(`${IS_ZERO_FOR} takes a value and a number of steps: ${IS_ZERO_FOR}(hidden.weight[0, 0], 5).`, call);
  const at = placeOf(call);
  const binary = (left: Expression, operator: BinaryOperator, right: Expression): Expression => ({
    type: 'binary',
    operator,
    left,
    right,
    ...at,
  });
  const zero: Expression = { type: 'number', value: 0, ...placeOf(value) };
  const step: Expression = { type: 'name', name: 'step', ...at };
  const lastOther: Expression = { type: 'call', name: LAST, args: [binary(value, '!=', zero)], ...at };
  const isRecent = binary(lastOther, '>', binary(step, '-', steps));
  return binary(binary(binary(value, '==', zero), 'and', binary(step, '>=', steps)), 'and', {
    type: 'unary',
    operator: 'not',
    operand: isRecent,
    ...at,
  });
}

/** The step of `at`: a fixed one, or one that is this many steps back. */
export type StepReference = { readonly step: number } | { readonly stepsBack: number };

/** A call that reads other steps. */
export type PastUse =
  /** The value of an expression at the end of a step. */
  | { readonly kind: 'at'; readonly call: CallNode; readonly of: Expression; readonly at: StepReference }
  /** The last step before this one at which a condition held, or a number changed. */
  | { readonly kind: 'last'; readonly call: CallNode; readonly of: Expression };

const fail = (message: string, { start, end }: Pick<Expression, 'start' | 'end'>): never => {
  throw new ExpressionError(message, start, end);
};

export const countOf = (args: readonly unknown[]): string =>
  args.length === 1 ? 'one argument' : `${args.length} arguments`;

/** What a call reads of other steps; null if it reads none. @throws ExpressionError if it is not a valid one */
export function pastUseOf(call: CallNode): PastUse | null {
  const { name, args } = call;
  if (name === AT) {
    const [step, of] = args;
    if (!step || !of || args.length > 2)
      return fail(`at takes a step and a value, not ${countOf(args)}: at(100, loss).`, call);
    for (const inner of pastUsesIn(of)) fail('The value of at cannot read other steps itself.', inner.call);
    return { kind: 'at', call, of, at: stepReferenceOf(step) };
  }
  if (name === LAST) {
    const [of] = args;
    if (!of || args.length > 1) return fail(`last takes one condition or value, not ${countOf(args)}.`, call);
    for (const inner of pastUsesIn(of)) if (inner.kind === 'last') fail('last cannot be used within last.', inner.call);
    return { kind: 'last', call, of };
  }
  // Without a value, they are those of a data breakpoint.
  const change = changeFunctions.get(name);
  const [of] = args;
  if (!change || !of || args.length !== change.limits + 1) return null;
  for (const inner of pastUsesIn(of)) fail(`The value of ${name} cannot read other steps itself.`, inner.call);
  return { kind: 'at', call, of, at: { stepsBack: 1 } };
}

/** Of an expression and all of its parts. @throws ExpressionError */
export function pastUsesIn(expression: Expression): PastUse[] {
  switch (expression.type) {
    case 'number':
    case 'boolean':
    case 'name':
      return [];
    case 'index':
      return pastUsesIn(expression.object);
    case 'unary':
      return pastUsesIn(expression.operand);
    case 'binary':
      return [...pastUsesIn(expression.left), ...pastUsesIn(expression.right)];
    case 'call': {
      const use = pastUseOf(expression);
      return [...(use ? [use] : []), ...expression.args.flatMap(pastUsesIn)];
    }
  }
}

/** Of an expression, without those within `last`. @throws ExpressionError */
export function outerPastUsesIn(expression: Expression): PastUse[] {
  const all = pastUsesIn(expression);
  const isWithin = (inner: CallNode, outer: CallNode): boolean =>
    inner !== outer && outer.start <= inner.start && inner.end <= outer.end;
  return all.filter(({ call }) => !all.some((other) => other.kind === 'last' && isWithin(call, other.call)));
}

const changing = new WeakMap<Expression, Expression>();

/** A condition: the expression itself, or for a number that it changes in some entry. Always the same tree for it. */
export function toCondition(expression: Expression, type: 'number' | 'boolean'): Expression {
  if (type === 'boolean') return expression;
  const call = (name: string, of: Expression): Expression => ({ ...placeOf(of), type: 'call', name, args: [of] });
  let condition = changing.get(expression);
  if (!condition) changing.set(expression, (condition = call('any', call('changes', expression))));
  return condition;
}

const placeOf = ({ start, end }: Expression) => ({ start, end });

function stepReferenceOf(expression: Expression): StepReference {
  const wrong = 'The step of at is a number, or step minus a number: at(100, loss), at(step - 1, loss).';
  const term = linear(expression);
  if (!term || !Number.isSafeInteger(term.offset)) return fail(wrong, expression);
  if (term.ofStep === 0) return term.offset >= 0 ? { step: term.offset } : fail('Steps count from 0.', expression);
  if (term.ofStep !== 1) return fail(wrong, expression);
  if (term.offset > 0) return fail('at looks back from the step: at(step - 1, loss).', expression);
  return { stepsBack: -term.offset };
}

/** An expression as a multiple of `step` plus a number; null if it is not. */
function linear(expression: Expression): { readonly ofStep: number; readonly offset: number } | null {
  if (expression.type === 'number') return { ofStep: 0, offset: expression.value };
  if (expression.type === 'name') return expression.name === 'step' ? { ofStep: 1, offset: 0 } : null;
  if (expression.type === 'unary') {
    const operand = expression.operator === '-' ? linear(expression.operand) : null;
    return operand && { ofStep: -operand.ofStep, offset: -operand.offset };
  }
  if (expression.type !== 'binary') return null;
  const [left, right] = [linear(expression.left), linear(expression.right)];
  const sign = { '+': 1, '-': -1 }[expression.operator as string];
  if (!left || !right || sign === undefined) return null;
  return { ofStep: left.ofStep + sign * right.ofStep, offset: left.offset + sign * right.offset };
}
