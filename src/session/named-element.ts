// The entry of a tensor of a step that an expression names, such as `grad(hidden.weight)[0, 1]`, for its explanation.
import { type Expression, ExpressionError } from '../expressions';
import { numel } from '../engine/kernels/tensor';
import { parametersUsedBy } from '../engine/network-model';
import type { ElementRef, NodeId } from '../protocol/queries';
import type { TrainingSession } from './session';
import { StepValues } from './step-values';

export interface NamedElement extends ElementRef {
  /** The row of the batch; null for an entry of a parameter. */
  readonly row: number | null;
}

/** @throws ExpressionError */
export function findElement(session: TrainingSession, expression: Expression): NamedElement {
  const fail = (message: string): never => {
    throw new ExpressionError(message, expression.start, expression.end);
  };
  const { name, aspect, indices } =
    entryOf(expression) ?? fail('An entry is a tensor with an index for each dimension.');
  const scope = new StepValues(session).declaredScope;
  const operand = scope.resolve(name, aspect);
  if (typeof operand === 'string') return fail(operand);
  if (operand.kind === 'number') return fail(`${name} is a number of the whole run.`);
  const { shape } = operand;
  if (indices.length !== shape.length)
    return fail(`${name} has ${shape.length} dimensions: name an index for each of them.`);
  const at = indices.map((index, axis) => (index < 0 ? index + shape[axis]! : index));
  const isBatch = isOfBatch(session, name);
  at.forEach((index, axis) => {
    // A later batch can be smaller or larger than the first.
    if (index < 0 || (index >= shape[axis]! && !(isBatch && axis === 0)))
      fail(`Index ${indices[axis]} is out of range: dimension ${axis} has ${shape[axis]}.`);
  });
  const flatOf = (from: number): number =>
    at.slice(from).reduce((flat, index, i) => flat * shape[from + i]! + index, 0);
  const node =
    nodeOf(session, name, aspect) ?? fail(`${name} cannot be explained: only inputs, outputs and parameters.`);
  return isBatch ? { node, index: flatOf(1), row: at[0]! } : { node, index: flatOf(0), row: null };
}

type Aspect = 'value' | 'gradient' | 'update';

interface Entry {
  readonly name: string;
  readonly aspect: Aspect;
  readonly indices: readonly number[];
}

function entryOf(expression: Expression): Entry | null {
  if (expression.type === 'name') return { name: expression.name, aspect: 'value', indices: [] };
  if (expression.type === 'call') {
    const [argument] = expression.args;
    const aspect = ({ grad: 'gradient', update: 'update' } as const)[expression.name];
    const inner = argument && expression.args.length === 1 ? entryOf(argument) : null;
    return aspect && inner?.aspect === 'value' ? { ...inner, aspect } : null;
  }
  if (expression.type !== 'index') return null;
  const inner = entryOf(expression.object);
  const numbers = expression.parts.filter((part) => typeof part === 'number');
  return inner && numbers.length === expression.parts.length
    ? { ...inner, indices: [...inner.indices, ...numbers] }
    : null;
}

const isOfBatch = (session: TrainingSession, name: string): boolean =>
  name === 'input' ||
  name === 'target' ||
  session.network.model.layers.some((layer) => name === `${layer.name}.output`);

function nodeOf(session: TrainingSession, name: string, aspect: Aspect): NodeId | null {
  if (name === 'input' || name === 'target') return aspect === 'value' ? { of: name } : null;
  const { layers } = session.network.model;
  for (const [layer, model] of layers.entries()) {
    if (name === `${model.name}.output`) {
      if (aspect === 'update') return null;
      return { of: aspect === 'value' ? 'output' : 'output_gradient', layer };
    }
    const found = parametersUsedBy(session.network, layer).find(
      ({ shortName }) => name === `${model.name}.${shortName}`,
    );
    if (!found || numel(found.value.shape) === 0) continue;
    const of = ({ value: 'updated', gradient: 'parameter_gradient', update: 'update' } as const)[aspect];
    return { of, layer, parameter: found.shortName };
  }
  return null;
}
