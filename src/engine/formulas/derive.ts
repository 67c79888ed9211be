// The formulas of a custom layer from the operations of its forward pass: its output from the leaves, and the gradients
// by the chain rule. What has no formula here is written as the product with the derivative of the output.
import type { TapeNode } from '../autograd/tape';
import { numel, type Tensor } from '../kernels/tensor';
import type { LayerFormulas } from './definition';
import type { Value } from './evaluate';

interface Recording {
  readonly nodes: readonly TapeNode[];
  /** By their names in formulas. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly parameters: Readonly<Record<string, Tensor>>;
  readonly output: Tensor;
}

/** A longer formula is not readable. */
const MAX_LENGTH = 400;

type Rule = readonly [value: string, ...gradients: readonly string[]];

/** a and b stand for the operands, y for the result, g for its gradient. */
const RULES: Readonly<Record<string, Rule>> = {
  add: ['a + b', 'g', 'g'],
  subtract: ['a - b', 'g', '-g'],
  multiply: ['a .* b', 'g .* b', 'g .* a'],
  divide: ['a / b', 'g / b', '-g .* a / b^2'],
  negate: ['-a', '-g'],
  exp: ['exp(a)', 'g .* y'],
  log: ['log(a)', 'g / a'],
  sqrt: ['sqrt(a)', 'g / (2 * y)'],
  tanh: ['tanh(a)', 'g .* (1 - y^2)'],
  sigmoid: ['sigmoid(a)', 'g .* y .* (1 - y)'],
  relu: ['max(0, a)', 'g .* when(a > 0)'],
  abs: ['abs(a)', 'g .* sign(a)'],
  maximum: ['max(a, b)', 'g .* (when(a > b) + when(a == b) / 2)', 'g .* (when(b > a) + when(a == b) / 2)'],
  minimum: ['min(a, b)', 'g .* (when(a < b) + when(a == b) / 2)', 'g .* (when(b < a) + when(a == b) / 2)'],
  matmul: ['a @ b', 'g @ T(b)', 'T(a) @ g'],
  transpose: ['T(a)', 'T(g)'],
};

const isAtom = (text: string): boolean => /^[\p{L}\p{N}_.]+$/u.test(text) || /^[\p{L}]+\([^()]*\)$/u.test(text);
const fill = (rule: string, by: Readonly<Record<string, string>>): string =>
  rule.replace(/\b[abgy]\b/g, (name) => (isAtom(by[name]!) || rule === name ? by[name]! : `(${by[name]})`));

export interface DerivedFormulas extends LayerFormulas {
  /** Constants of the layer's code. */
  readonly constants: Readonly<Record<string, Value>>;
}

/** Null where an operation has no rule here. */
export function deriveFormulas(recording: Recording): DerivedFormulas | null {
  const { nodes, inputs, parameters, output } = recording;
  const areMatrices = Object.values(inputs).every(({ shape }) => shape.length === 2) && output.shape.length === 2;
  const texts = new Map<Tensor, string>([
    ...Object.entries(inputs).map(([name, tensor]) => [tensor, name] as const),
    ...Object.entries(parameters).map(([name, tensor]) => [tensor, name] as const),
  ]);
  const constants: Record<string, Value> = {};
  const textOf = (tensor: Tensor): string => {
    const known = texts.get(tensor);
    if (known !== undefined) return known;
    if (tensor.data.length === 1) return String(tensor.data[0]);
    const name = `k${Object.keys(constants).length + 1}`;
    constants[name] = { shape: tensor.shape, data: tensor.data };
    texts.set(tensor, name);
    return name;
  };
  const values = new Map<TapeNode, string>();
  for (const node of nodes) {
    const rule = RULES[node.operation];
    if (!rule || (!areMatrices && (node.operation === 'matmul' || node.operation === 'transpose'))) return null;
    const [a, b] = node.inputs.map(textOf) as [string, string?];
    const value = fill(rule[0], { a, b: b ?? '' });
    values.set(node, value);
    texts.set(node.output, node.output === output ? 'y' : value);
  }
  const last = nodes.findLast((node) => node.output === output);
  if (!last) return null;
  const gradients = new Map<Tensor, string[]>([[output, ['dy']]]);
  for (const node of nodes.toReversed()) {
    const own = gradients.get(node.output);
    if (!own) continue;
    const g = own.join(' + ');
    const [a, b] = node.inputs.map(textOf) as [string, string?];
    for (const [i, input] of node.inputs.entries()) {
      const isNeeded = texts.has(input) && !Object.hasOwn(constants, texts.get(input)!);
      if (!isNeeded) continue;
      const share = fill(RULES[node.operation]![1 + i]!, { a, b: b ?? '', y: texts.get(node.output)!, g });
      const summed = unbroadcast(share, node, input, areMatrices);
      if (summed === null) return null;
      gradients.set(input, [...(gradients.get(input) ?? []), summed]);
    }
  }
  const equations = [
    `y = ${values.get(last)}`,
    ...Object.entries({ ...inputs, ...parameters }).map(
      ([name, tensor]) => `d(${name}) = ${gradients.get(tensor)?.join(' + ') ?? '0'}`,
    ),
  ];
  if (equations.some(({ length }) => length > MAX_LENGTH)) return null;
  return {
    reading: areMatrices ? 'rows' : 'sample',
    equations,
    constants,
    ...(Object.keys(constants).length > 0 && {
      symbols: Object.fromEntries(Object.keys(constants).map((name) => [name, "a constant of the layer's code"])),
    }),
  };
}

/** The sum over what an operand was broadcast to; null where the formula would be unclear. */
function unbroadcast(
  gradient: string,
  { operation, output }: TapeNode,
  { shape }: Tensor,
  areMatrices: boolean,
): string | null {
  if (operation === 'matmul' || operation === 'transpose') return gradient;
  if (shape.join() === output.shape.join()) return gradient;
  if (!areMatrices) return null;
  if (shape.length === 1 && shape[0] === output.shape.at(-1)) return `sum(samples: ${gradient})`;
  return numel(shape) === 1 ? `total(${gradient})` : null;
}

/** The chain rule in general, for a layer whose operations have no formulas here. */
export const chainRule = (inputs: readonly string[], parameters: readonly string[]): LayerFormulas => ({
  equations: [...inputs, ...parameters].map((name) => `d(${name}) = dy @ jacobian(${name})`),
});
