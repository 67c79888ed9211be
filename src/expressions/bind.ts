// Binds an expression to the tensors of a scope: resolves names, checks types and shapes, and bounds the work.
import { closestMatch } from '../engine/closest-match';
import { formatShape, type TensorData } from '../engine/kernels/tensor';
import { type BinaryOperator, type CallNode, type Expression, ExpressionError, type IndexNode } from './ast';
import {
  type Bound,
  broadcastShapes,
  constant,
  type EntryType,
  mapEntries,
  readNumber,
  scalar,
  stored,
  subTensor,
  type TensorReductions,
  zipEntries,
} from './bound';
import { type ChangeFunction, changeFunctions, functions } from './functions';
import { AT, countOf, IS_ZERO_FOR, LAST, pastUseOf } from './past';

/** What is asked of a name: `x`, `grad(x)` or `update(x)`. */
export type Aspect = 'value' | 'gradient' | 'update';

export type Operand =
  | { readonly kind: 'number'; readonly read: () => number }
  | {
      readonly kind: 'tensor';
      readonly shape: readonly number[];
      readonly data: TensorData;
      /** By kernels, if they can read the data. */
      readonly reductions?: TensorReductions;
    };

export interface Scope {
  /** The operand, or why there is none, as a sentence. */
  resolve(name: string, aspect: Aspect): Operand | string;
  /**
   * What a call reads of other steps, the value of `PastUse.of` at that step, or why there is none. Absent where only
   * one step is known.
   */
  readonly past?: (call: CallNode) => Bound | string;
  /** The value of a part of an expression, if it is known without its own parts. */
  readonly known?: (node: Expression) => Bound | undefined;
}

/** Operations of one evaluation: about a second. */
export const MAX_WORK = 5e8;

const ARITHMETIC: Partial<Record<BinaryOperator, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '**': (a, b) => a ** b,
};
const COMPARISONS: Partial<Record<BinaryOperator, (a: number, b: number) => number>> = {
  '<': (a, b) => Number(a < b),
  '<=': (a, b) => Number(a <= b),
  '>': (a, b) => Number(a > b),
  '>=': (a, b) => Number(a >= b),
  '==': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
};

/** @throws ExpressionError */
export function bindExpression(expression: Expression, scope: Scope): Bound {
  const bound = bind(expression, scope);
  if (bound.work + bound.size * bound.workPerEntry > MAX_WORK)
    fail('The expression reads too many numbers. Take a slice of its tensors.', expression);
  return bound;
}

function fail(message: string, { start, end }: Pick<Expression, 'start' | 'end'>): never {
  throw new ExpressionError(message, start, end);
}

const describeType = ({ type, shape }: Bound): string =>
  shape.length === 0
    ? type === 'boolean'
      ? 'true or false'
      : 'a number'
    : `a tensor of ${type === 'boolean' ? 'true and false' : 'numbers'}`;

function bind(node: Expression, scope: Scope): Bound {
  const known = scope.known?.(node);
  if (known) return known;
  switch (node.type) {
    case 'number':
    case 'boolean':
      return constant(node.type, node.value);
    case 'name':
      return bindName(node.name, 'value', node, scope);
    case 'index':
      return bindIndex(node, bind(node.object, scope));
    case 'call':
      return bindCall(node, scope);
    case 'unary': {
      const operand = bind(node.operand, scope);
      const wanted: EntryType = node.operator === 'not' ? 'boolean' : 'number';
      assertType(operand, wanted, node.operator, node.operand);
      return mapEntries(operand, wanted, node.operator === 'not' ? (value) => Number(value === 0) : (value) => -value);
    }
    case 'binary':
      return bindBinary(node, bind(node.left, scope), bind(node.right, scope));
  }
}

function bindName(name: string, aspect: Aspect, node: Expression, scope: Scope): Bound {
  const operand = scope.resolve(name, aspect);
  if (typeof operand === 'string') return fail(operand, node);
  return operand.kind === 'number' ? readNumber(operand.read) : stored(operand.shape, operand.data, operand.reductions);
}

function assertType(operand: Bound, wanted: EntryType, what: string, node: Expression): void {
  if (operand.type === wanted) return;
  fail(
    wanted === 'boolean'
      ? `"${what}" takes true or false, not ${describeType(operand)}. Compare it with a number first.`
      : `"${what}" takes numbers, not ${describeType(operand)}. frac(x) is the share of entries that are true.`,
    node,
  );
}

function bindBinary(node: Expression & { readonly type: 'binary' }, left: Bound, right: Bound): Bound {
  const { operator } = node;
  const isLogical = operator === 'and' || operator === 'or';
  const isEquality = operator === '==' || operator === '!=';
  if (isEquality && left.type !== right.type)
    fail(
      `Both sides of "${operator}" must be numbers, or both true or false: they are ${describeType(left)} and ${describeType(right)}.`,
      node,
    );
  if (!isEquality) {
    assertType(left, isLogical ? 'boolean' : 'number', operator, node.left);
    assertType(right, isLogical ? 'boolean' : 'number', operator, node.right);
  }
  const shape = broadcastShapes(left.shape, right.shape);
  if (!shape)
    return fail(
      `The shapes of both sides of "${operator}" do not fit: ${formatShape(left.shape)} and ${formatShape(right.shape)}.`,
      node,
    );
  if (isLogical && shape.length === 0) return shortCircuit(operator, left, right);
  const logical = operator === 'and' ? Math.min : Math.max;
  const arithmetic = ARITHMETIC[operator];
  return arithmetic
    ? zipEntries(left, right, shape, 'number', arithmetic)
    : zipEntries(left, right, shape, 'boolean', COMPARISONS[operator] ?? logical);
}

const shortCircuit = (operator: 'and' | 'or', left: Bound, right: Bound): Bound =>
  scalar('boolean', left.work + right.work + 1, () => {
    left.prepare();
    const first = left.at(0);
    if ((first !== 0) === (operator === 'or')) return first;
    right.prepare();
    return right.at(0);
  });

function bindCall(node: CallNode, scope: Scope): Bound {
  const { name, args } = node;
  if (name === AT || name === LAST) return bindPast(node, scope);
  if (name === 'grad' || name === 'update') return bindAspect(node, name === 'grad' ? 'gradient' : 'update', scope);
  const change = changeFunctions.get(name);
  if (change) return bindChange(node, change, scope);
  const definition = functions.get(name);
  if (!definition) {
    const match = closestMatch(name, [
      ...functions.keys(),
      ...changeFunctions.keys(),
      AT,
      LAST,
      IS_ZERO_FOR,
      'grad',
      'update',
    ]);
    return fail(`There is no function ${name}.${match === undefined ? '' : ` Did you mean ${match}?`}`, node);
  }
  if (args.length !== definition.arity)
    fail(`${name} takes ${definition.arity === 1 ? 'one argument' : 'two arguments'}, not ${args.length}.`, node);
  const [first, ...rest] = args.map((argument) => bind(argument, scope)) as [Bound, ...Bound[]];
  if (definition.takes) assertType(first, definition.takes, name, args[0]!);
  rest.forEach((bound, i) => {
    if (bound.shape.length > 0 || bound.type !== 'number')
      fail(`This argument of ${name} is one number.`, args[i + 1]!);
  });
  return definition.bind([first, ...rest]);
}

/** What a call reads of other steps. */
function bindPast(node: CallNode, scope: Scope): Bound {
  const use = pastUseOf(node)!;
  const value = scope.past?.(node);
  if (typeof value === 'string') return fail(value, node);
  if (value) return value;
  // Its own errors say more than that it cannot be read.
  bind(use.of, scope);
  return fail(`${node.name} reads other steps, which are not known here.`, node);
}

function bindChange(node: CallNode, change: ChangeFunction, scope: Scope): Bound {
  const { name, args } = node;
  const { limits, didChange } = change;
  if (args.length !== limits && args.length !== limits + 1)
    fail(`${name} takes ${limits === 1 ? 'a value and a number' : 'one value'}, not ${countOf(args)}.`, node);
  if (args.length > limits) return bindChangeOf(node, change, scope);
  const [value, previous] = ['value', 'previous'].map((each) => scope.resolve(each, 'value'));
  if (
    typeof value !== 'object' ||
    typeof previous !== 'object' ||
    value.kind !== 'number' ||
    previous.kind !== 'number'
  )
    return fail(
      `${name} without a value belongs in the condition of a data breakpoint. Elsewhere, give the value first: ${name}(${limits === 1 ? 'loss, 0.5' : 'loss'}).`,
      node,
    );
  const limit = bindLimit(node, args[0], scope);
  return scalar('boolean', limit.work + 1, () => {
    limit.prepare();
    return Number(didChange(value.read(), previous.read(), limit.at(0)));
  });
}

function bindLimit(node: CallNode, limitNode: Expression | undefined, scope: Scope): Bound {
  const limit = limitNode ? bind(limitNode, scope) : constant('number', 0);
  if (limit.shape.length > 0 || limit.type !== 'number')
    fail(`The limit of ${node.name} must be one number.`, limitNode ?? node);
  return limit;
}

/** `changes(x)`: compares each entry with that of the step before. */
function bindChangeOf(node: CallNode, { didChange }: ChangeFunction, scope: Scope): Bound {
  const [of, limitNode] = node.args;
  const value = bind(of!, scope);
  assertType(value, 'number', node.name, of!);
  const limit = bindLimit(node, limitNode, scope);
  const previous = bindPast(node, scope);
  if (formatShape(previous.shape) !== formatShape(value.shape))
    fail(
      `The value has shape ${formatShape(value.shape)}, and in the step before ${formatShape(previous.shape)}.`,
      node,
    );
  const compared = zipEntries(value, previous, value.shape, 'boolean', (now, before) =>
    Number(didChange(now, before, limit.at(0))),
  );
  const prepare = (): void => {
    limit.prepare();
    compared.prepare();
  };
  return { ...compared, prepare, work: compared.work + limit.work };
}

/** `grad(x)`, and `grad(x[0])`, which is `grad(x)[0]`. */
function bindAspect(node: CallNode, aspect: Aspect, scope: Scope): Bound {
  const [argument, ...rest] = node.args;
  if (argument && rest.length === 0) {
    if (argument.type === 'name') return bindName(argument.name, aspect, argument, scope);
    if (argument.type === 'index')
      return bindIndex(argument, bindAspect({ ...node, args: [argument.object] }, aspect, scope));
  }
  return fail(`${node.name} takes the name of one tensor: ${node.name}(hidden.weight).`, argument ?? node);
}

function bindIndex(node: IndexNode, tensor: Bound): Bound {
  const { shape } = tensor;
  const { parts } = node;
  if (parts.length > shape.length)
    fail(
      shape.length === 0
        ? 'A single value has no indices.'
        : `A tensor of shape ${formatShape(shape)} has ${shape.length} ${shape.length === 1 ? 'index' : 'indices'}, not ${parts.length}.`,
      node,
    );
  const strides: number[] = [];
  shape.reduceRight((stride, n, axis) => {
    strides[axis] = stride;
    return stride * n;
  }, 1);
  let offset = 0;
  const axes: { size: number; stride: number }[] = [];
  shape.forEach((n, axis) => {
    const stride = strides[axis]!;
    const part = parts[axis];
    if (typeof part === 'number') {
      const index = part < 0 ? part + n : part;
      if (index < 0 || index >= n)
        fail(`Index ${part} is out of range: dimension ${axis} of ${formatShape(shape)} has ${n}.`, node);
      offset += index * stride;
      return;
    }
    const step = part?.step ?? 1;
    const clamp = (bound: number): number => Math.min(n, Math.max(0, bound < 0 ? bound + n : bound));
    const start = clamp(part?.start ?? 0);
    const size = Math.ceil((clamp(part?.stop ?? n) - start) / step);
    if (size < 1) fail(`The slice of dimension ${axis} of ${formatShape(shape)} is empty.`, node);
    offset += start * stride;
    axes.push({ size, stride: stride * step });
  });
  return subTensor(tensor, offset, axes);
}
