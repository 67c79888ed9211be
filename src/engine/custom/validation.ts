// Validates what the functions of a custom layer return. Each check returns what is wrong, as a text that continues the
// function's name, or null.
import { closestMatch } from '../closest-match';
import { pluralize } from '../format-count';
import { initializerOption } from '../initializers/initializer-option';
import { formatShape, type Shape, numel, type Tensor } from '../kernels/tensor';
import type { ParameterDeclaration } from '../layers/layer';
import type { InputCount } from '../layers/layer';
import type { Gradients, InputGradients, Parameter } from './contract';
import { describeValue } from './foreign-value';

/** What is wrong, and what to do. */
export interface ContractViolation {
  readonly message: string;
  readonly remedy: string;
}

const DEFAULT_INITIALIZER = { type: 'fan_in_uniform' } as const;
const initializerSchema = initializerOption('');
const MAX_PARAMETERS = 64;

export const violation = (message: string, remedy: string): ContractViolation => ({ message, remedy });

/** The limit of NumPy before version 2. */
export const MAX_DIMENSIONS = 32;
const MAX_NAME_CHARS = 100;
const MAX_SHOWN_SIZES = 8;

export const isShape = (value: unknown): value is Shape =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= MAX_DIMENSIONS &&
  value.every((n) => Number.isSafeInteger(n) && n >= 1);

export function checkShape(value: unknown): ContractViolation | null {
  if (isShape(value)) return null;
  const message = Array.isArray(value)
    ? `returned [${value.slice(0, MAX_SHOWN_SIZES).map(String).join(', ')}${value.length > MAX_SHOWN_SIZES ? ', …' : ''}], which is not a shape`
    : `returned ${describeValue(value)}, which is not a shape`;
  return violation(message, 'Return a list of positive integers without the batch, such as [16].');
}

/** What is wrong with a tensor of the expected shape. */
export function checkTensor(value: unknown, name: string, shape: Shape): ContractViolation | null {
  const remedy = `Return a tensor of the shape ${formatShape(shape)}, such as ops.tensor([${shape.join(', ')}]).`;
  if (typeof value !== 'object' || value === null || !('data' in value) || !('shape' in value))
    return violation(`returned ${describeValue(value)} instead of ${name}`, remedyForNoTensor(value) ?? remedy);
  const { shape: given, data } = value as Tensor;
  if (!Array.isArray(given) || given.length !== shape.length || given.some((n, i) => n !== shape[i])) {
    const is = Array.isArray(given) ? `the shape ${formatShape(given as Shape)}` : 'no shape';
    return violation(`returned ${name} with ${is} instead of ${formatShape(shape)}`, remedy);
  }
  if (!(data instanceof Float32Array || data instanceof Float64Array) || data.length !== numel(shape)) {
    const is =
      ArrayBuffer.isView(data) || Array.isArray(data)
        ? pluralize((data as unknown as ArrayLike<number>).length, 'number')
        : 'no numbers';
    return violation(`returned ${name} with ${is} for the shape ${formatShape(shape)}`, remedy);
  }
  return null;
}

/** How to return a tensor instead of such a value; null if there is no special hint. */
export function remedyForNoTensor(value: unknown): string | null {
  if (value === undefined) return 'Is a "return" missing?';
  if (describeValue(value) === 'a promise') return 'Write the function without "async".';
  if (typeof value === 'number')
    return 'A tensor is no number: compute with ops, such as ops.exp(x), or loop over x.data.';
  return null;
}

/** Checks the names in the result of `backward`: { dx, parameters: { name: gradient } }. */
export function findMisnamedGradient(returned: object, names: readonly string[]): ContractViolation | null {
  const { dx, parameters, ...others } = returned as Partial<Gradients>;
  const result = names.length > 0 ? `{ dx, parameters: { ${names.join(', ')} } }` : '{ dx }';
  if (dx === undefined) {
    const keys = Object.keys(others);
    const instead = keys.length === 1 ? `, but "${keys[0]}"` : '';
    return violation(`returned no "dx", the gradient with respect to x${instead}`, `Return ${result}.`);
  }
  const given: Readonly<Record<string, unknown>> = parameters ?? {};
  const missing = names.filter((name) => given[name] === undefined);
  const beside = missing.find((name) => name in others);
  if (beside !== undefined)
    return violation(
      `returned the gradient of "${beside}" next to "dx"`,
      `Put it into "parameters": return ${result}.`,
    );
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown === undefined)
    return missing.length > 0 ? violation(`returned no gradient of "${missing[0]}"`, `Return ${result}.`) : null;
  const meant = closestMatch(unknown, missing) ?? (missing.length === 1 ? missing[0] : undefined);
  return meant === undefined
    ? violation(`returned a gradient of "${unknown}", which is not a parameter`, `Return ${result}.`)
    : violation(
        `returned a gradient of "${unknown}", which is not a parameter, and none of "${meant}"`,
        `Use the name of the parameter: return ${result}.`,
      );
}

/** Checks the gradients that the backward pass of a layer with several inputs returns, without the parameters. */
export function checkInputGradients(returned: object, inputs: readonly Tensor[]): ContractViolation | null {
  const { dInputs } = returned as Partial<InputGradients>;
  const remedy = 'Return { dInputs: [ … ], parameters: { … } }, with one gradient for each input, in their order.';
  if (!Array.isArray(dInputs))
    return violation(`returned no "dInputs", the gradients with respect to its ${inputs.length} inputs`, remedy);
  if (dInputs.length !== inputs.length)
    return violation(`returned ${dInputs.length} gradients for ${inputs.length} inputs`, remedy);
  for (const [i, { shape }] of inputs.entries()) {
    const found = checkTensor(dInputs[i], `"dInputs[${i}]"`, shape);
    if (found) return found;
  }
  return null;
}

/** The number of inputs that a layer declares; undefined if that is not one. */
export function parseInputCount(declared: unknown): InputCount | undefined {
  const { min, max } = (
    typeof declared === 'object' && declared !== null ? declared : { min: declared, max: declared }
  ) as {
    min: unknown;
    max: unknown;
  };
  const isCount = (value: unknown): value is number => value === Infinity || Number.isSafeInteger(value);
  return isCount(min) && isCount(max) && min >= 1 && min <= max && min !== Infinity ? { min, max } : undefined;
}

/** What is wrong with the gradient of a parameter, if its shape reveals the mistake. */
export function checkParameterGradient(
  value: unknown,
  name: string,
  shape: Shape,
  batchSize: number,
): ContractViolation | null {
  const found = checkTensor(value, `a gradient of "${name}"`, shape);
  const given = (value as Partial<Tensor> | null | undefined)?.shape;
  if (!found || !isShape(given)) return found;
  const remedy = remedyForGradient(given, shape, batchSize);
  return remedy === null ? found : { ...found, remedy };
}

function remedyForGradient(given: Shape, shape: Shape, batchSize: number): string | null {
  const isSame = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, axis) => size === b[axis]);
  const withoutOnes = (sizes: Shape): Shape => sizes.filter((size) => size !== 1);
  if (isSame(given, shape)) return null;
  if (isSame(given, [batchSize, ...shape]))
    return `Its first axis is the batch of ${batchSize}: sum over it, such as ops.sum(gradient, 0).`;
  if (isSame(withoutOnes(given), withoutOnes(shape)))
    return `Its numbers are in the right order: return ops.reshape(gradient, [${shape.join(', ')}]).`;
  // A bias of one number a channel, not summed over places: [batch, channel, ...places].
  for (const from of [1, given.length - shape.length]) {
    if (given.length <= shape.length || !isSame(given.slice(from, from + shape.length), shape)) continue;
    const axes = [...given.keys()].filter((axis) => axis < from || axis >= from + shape.length);
    return `Sum over the axes that the parameter does not have: ops.sum(gradient, [${axes.join(', ')}]).`;
  }
  if (isSame(given, [...shape].reverse())) return 'It is transposed: return ops.transpose(gradient).';
  return null;
}

/** The first non-finite number of a tensor and its index; null if all are finite. */
export function findNonFinite({ shape, data }: Tensor): string | null {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    const index = shape.map((n, axis) => Math.floor(i / numel(shape.slice(axis + 1))) % n);
    return `${data[i]} at [${index.join(', ')}]`;
  }
  return null;
}

/** Whether two arrays are equal, with NaN equal to NaN. */
export function equalValues(a: Tensor['data'], b: Tensor['data']): boolean {
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i] && !(Number.isNaN(a[i]) && Number.isNaN(b[i]))) return false;
  return true;
}

/** The parameter declarations, or what is wrong with them. */
export function parseParameterDeclarations(
  value: unknown,
): { readonly parameters: readonly ParameterDeclaration[] } | ContractViolation {
  if (
    typeof value !== 'object' ||
    value === null ||
    Array.isArray(value) ||
    typeof (value as { then?: unknown }).then === 'function'
  ) {
    return violation(
      `returned ${describeValue(value)} instead of parameters`,
      'Return an object with a shape for each name, such as { weight: [4, 2] }.',
    );
  }
  const entries = Object.entries(value as Record<string, Parameter>);
  if (entries.length > MAX_PARAMETERS)
    return violation(`returned ${entries.length} parameters`, `Return at most ${MAX_PARAMETERS}.`);
  const parameters: ParameterDeclaration[] = [];
  for (const [name, given] of entries) {
    const declared = parseParameterDeclaration(name, given);
    if ('message' in declared) return declared;
    parameters.push(declared);
  }
  return { parameters };
}

function parseParameterDeclaration(name: string, given: unknown): ParameterDeclaration | ContractViolation {
  if (name.length > MAX_NAME_CHARS)
    return violation(
      `returned a parameter with a name of ${name.length} characters`,
      `Use at most ${MAX_NAME_CHARS} characters.`,
    );
  const { shape, init, values } = (isShape(given) ? { shape: given } : (given ?? {})) as {
    shape?: unknown;
    init?: unknown;
    values?: unknown;
  };
  if (!isShape(shape)) {
    return violation(
      `returned the parameter "${name}" without a shape`,
      `Return a list of positive integers for it: { ${name}: [4, 2] }.`,
    );
  }
  if (values !== undefined) {
    const list: unknown =
      Array.isArray(values) || values instanceof Float64Array || values instanceof Float32Array
        ? Array.from(values)
        : null;
    if (Array.isArray(list) && list.length === numel(shape) && list.every((n) => Number.isFinite(n))) {
      return { name, shape, init: { values: list as number[] } };
    }
    return violation(
      `returned values for the parameter "${name}" that do not fill ${formatShape(shape)}`,
      `Give ${pluralize(numel(shape), 'finite number')}.`,
    );
  }
  if (init === undefined) return { name, shape, init: { initializer: DEFAULT_INITIALIZER } };
  const parsed = initializerSchema.safeParse(init);
  if (parsed.success) return { name, shape, init: { initializer: parsed.data } };
  return violation(
    `returned an unknown "init" for the parameter "${name}"`,
    'Use an initializer of spec.md, such as "xavier_uniform" or { type: "normal", std: 0.1 }.',
  );
}
