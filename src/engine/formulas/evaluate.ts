// The value of a formula, entry by entry and in float64: slow and obvious. An index between or beyond the entries of an
// axis stands for 0, as padding does.
import { numel } from '../kernels/tensor';
import { type Equation, type Expression, FormulaError, isRange, keyOf, type Variable } from './ast';
import { isTensorFunction, scalarFunctions, type TensorFunction } from './functions';

export interface Value {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** How a formula reads its names. */
export type Reading =
  /** Whole matrices, with one row for each sample, or for each position of a sample. */
  | 'rows'
  /** One row. */
  | 'row'
  /** One sample. */
  | 'sample';

export interface Scope {
  readonly reading: Reading;
  /** Tensors with samples in front, by key. */
  readonly tensors: Readonly<Record<string, Value>>;
  /** Parameters and constants, by key. */
  readonly constants: Readonly<Record<string, Value | number>>;
  /** Derivatives of y with respect to a tensor or parameter, [entries of y, its entries], for `jacobian`. */
  jacobian?(of: string): Value;
}

const SAMPLES = 'samples';
const scalar = (value: number): Value => ({ shape: [], data: [value] });

/**
 * @param shape of the result: of a parameter, or of a tensor with samples in front
 * @param perSample whether the result has samples in front
 */
export function evaluate(equation: Equation, scope: Scope, shape: readonly number[], perSample: boolean): Float64Array {
  return new Evaluation(equation, scope).result(shape, perSample);
}

class Evaluation {
  readonly #locals: ReadonlyMap<string, Equation>;
  readonly #tensors: Readonly<Record<string, Value>>;
  readonly #known = new Map<string, Value>();
  readonly #samples: number;
  #sample = 0;
  /** Whether an index lay beyond an axis; a maximum leaves such entries out. */
  #beyond = false;

  constructor(
    readonly equation: Equation,
    readonly scope: Scope,
  ) {
    this.#locals = new Map(equation.where.map((local) => [keyOf(local.target), local]));
    this.#tensors = Object.fromEntries(
      Object.entries(scope.tensors).map(([name, value]) => [name, scope.reading === 'sample' ? value : asRows(value)]),
    );
    this.#samples = Object.values(this.#tensors)[0]?.shape[0] ?? 1;
  }

  result(shape: readonly number[], perSample: boolean): Float64Array {
    const { reading } = this.scope;
    if (!perSample || reading === 'rows') {
      const whole = perSample ? asRows({ shape, data: [] }).shape : shape;
      return this.#fill(whole);
    }
    const one = (reading === 'row' ? asRows({ shape, data: [] }).shape : shape).slice(1);
    const all = new Float64Array(numel(shape));
    for (this.#sample = 0; this.#sample < this.#samples; this.#sample++)
      all.set(this.#fill(one), this.#sample * numel(one));
    return all;
  }

  #fill(shape: readonly number[]): Float64Array {
    const { target, value } = this.equation;
    const out = new Float64Array(numel(shape));
    if (target.indices.length === 0) {
      const all = this.#evaluate(value, {});
      if (numel(all.shape) > out.length) throw new FormulaError(`The value of ${keyOf(target)} is too large.`);
      // A vector may have axes of size 1 that the tensor has not.
      if (numel(all.shape) === out.length) out.set(all.data);
      else fillBroadcast(out, shape, all);
      return out;
    }
    const outer = shape.slice(0, target.indices.length);
    const inner = numel(shape.slice(target.indices.length));
    for (let at = 0; at < numel(outer); at++) {
      const entry = this.#evaluate(value, indicesAt(target.indices, outer, at));
      if (numel(entry.shape) === inner) out.set(entry.data, at * inner);
      else if (numel(entry.shape) === 1) out.fill(entry.data[0]!, at * inner, (at + 1) * inner);
      else throw new FormulaError(`An entry of ${keyOf(target)} has the wrong size.`);
    }
    return out;
  }

  #evaluate(node: Expression, indices: Readonly<Record<string, number>>): Value {
    switch (node.type) {
      case 'number':
        return scalar(node.value);
      case 'name':
        if (Object.hasOwn(indices, node.name)) return scalar(indices[node.name]!);
        return this.#lookUp(node.name);
      case 'gradient':
        return this.#lookUp(`d(${node.name})`);
      case 'index':
        return this.#entry(node, indices);
      case 'negative':
        return map([this.#evaluate(node.operand, indices)], (x) => -x);
      case 'binary': {
        const left = this.#evaluate(node.left, indices);
        // What an entry beyond an axis multiplies may not exist either.
        if (node.operator.endsWith('*') && left.shape.length === 0 && left.data[0] === 0) return left;
        const right = this.#evaluate(node.right, indices);
        return node.operator === '@' ? matmul(left, right) : map([left, right], binaryFunctions[node.operator]!);
      }
      case 'call': {
        if (isTensorFunction(node.name)) return this.#tensorCall(node.name, node.args, indices);
        const { apply } = scalarFunctions[node.name]!;
        return map(
          node.args.map((arg) => this.#evaluate(arg, indices)),
          apply,
        );
      }
      case 'reduce':
        return this.#reduce(node, indices);
    }
  }

  #tensorCall(name: TensorFunction, args: readonly Expression[], indices: Readonly<Record<string, number>>): Value {
    if (name === 'jacobian') {
      const [of] = args;
      if (of?.type !== 'name' || !this.scope.jacobian) throw new FormulaError('The derivatives are not known.');
      return this.scope.jacobian(of.name);
    }
    const values = args.map((arg) => this.#evaluate(arg, indices));
    const [first, second] = values as [Value, Value];
    switch (name) {
      case 'T':
        return transpose(first);
      case 'outer':
        return {
          shape: [numel(first.shape), numel(second.shape)],
          data: Array.from(first.data).flatMap((a) => Array.from(second.data, (b) => a * b)),
        };
      case 'concat':
        return concatenate(values);
      case 'softmax':
        return softmax(first);
      case 'log_softmax':
        return softmax(first, true);
      case 'vec':
      case 'reshape':
        return { shape: [numel(first.shape)], data: first.data };
      case 'total':
        return scalar(Array.from(first.data).reduce((sum, x) => sum + x, 0));
    }
  }

  #reduce(
    { name, over, body }: Extract<Expression, { type: 'reduce' }>,
    indices: Readonly<Record<string, number>>,
  ): Value {
    if (over.length === 1 && over[0]!.name === SAMPLES && this.scope.reading === 'rows') {
      const whole = this.#evaluate(body, indices);
      const [count = 1, ...rest] = whole.shape;
      const sums = new Float64Array(numel(rest));
      for (let i = 0; i < whole.data.length; i++) sums[i % sums.length]! += whole.data[i]!;
      return { shape: rest, data: name === 'mean' ? sums.map((sum) => sum / count) : sums };
    }
    let result: Value | null = null;
    let count = 0;
    let highest = -Infinity;
    const isExtreme = name === 'max' || name === 'argmax';
    const sample = this.#sample;
    const visit = (rest: readonly Variable[], at: Readonly<Record<string, number>>): void => {
      const [variable, ...others] = rest;
      if (!variable) {
        this.#beyond = false;
        const value = this.#evaluate(body, at);
        const place = count++;
        if (isExtreme && this.#beyond) return;
        if (name === 'argmax') {
          if (value.data[0]! > highest) [result, highest] = [scalar(place), value.data[0]!];
        } else result = result === null ? value : map([result, value], name === 'max' ? Math.max : (a, b) => a + b);
        return;
      }
      const size = variable.name === SAMPLES ? this.#samples : this.#size(variable, body, at);
      for (let i = 0; i < size; i++) {
        if (variable.name === SAMPLES) this.#sample = i;
        visit(others, { ...at, [variable.name]: i });
      }
    };
    visit(over, indices);
    this.#sample = sample;
    const found = (result as Value | null) ?? scalar(0);
    return name === 'mean' ? map([found], (x) => x / count) : found;
  }

  #size({ name, bound }: Variable, body: Expression, indices: Readonly<Record<string, number>>): number {
    if (bound) return this.#evaluate(bound, indices).data[0]!;
    const size = this.#axisSize(name, body, new Set());
    if (size === null) throw new FormulaError(`How far ${name} goes is not known.`);
    return size;
  }

  /** The size of an axis that a variable indexes on its own. */
  #axisSize(variable: string, node: Expression, visited: Set<string>): number | null {
    for (const child of children(node)) {
      const found = this.#axisSize(variable, child, visited);
      if (found !== null) return found;
    }
    if (node.type !== 'index' || (node.object.type !== 'name' && node.object.type !== 'gradient')) return null;
    const key = keyOf({ name: node.object.name, isGradient: node.object.type === 'gradient' });
    for (const [axis, part] of node.parts.entries()) {
      if (isRange(part) || part.type !== 'name' || part.name !== variable) continue;
      const local = this.#locals.get(key);
      if (!local) return this.#lookUp(key).shape[axis] ?? null;
      const index = local.target.indices[axis];
      if (index === undefined || visited.has(key)) continue;
      const size = this.#axisSize(index, local.value, new Set([...visited, key]));
      if (size !== null) return size;
    }
    return null;
  }

  #entry({ object, parts }: Extract<Expression, { type: 'index' }>, indices: Readonly<Record<string, number>>): Value {
    const key =
      object.type === 'name' || object.type === 'gradient'
        ? keyOf({ name: object.name, isGradient: object.type === 'gradient' })
        : null;
    const local = key === null ? undefined : this.#locals.get(key);
    if (local && local.target.indices.length > 0) {
      const at = parts.map((part) => {
        if (isRange(part)) throw new FormulaError('A range of a definition is not supported.');
        return this.#evaluate(part, indices).data[0]!;
      });
      return this.#local(key!, local, at);
    }
    const tensor = this.#evaluate(object, indices);
    const ranges = parts.map((part, axis): readonly [number, number, boolean] => {
      if (!isRange(part)) {
        const i = this.#evaluate(part, indices).data[0]!;
        return Number.isInteger(i) && i >= 0 && i < tensor.shape[axis]! ? [i, i + 1, false] : [0, 0, false];
      }
      return [this.#evaluate(part.from, indices).data[0]!, this.#evaluate(part.to, indices).data[0]!, true];
    });
    if (ranges.some(([from, to]) => from === to)) {
      this.#beyond = true;
      return scalar(0);
    }
    const [bounds, kept] = [
      tensor.shape.map((size, axis) => ranges[axis] ?? ([0, size, true] as const)),
      tensor.shape.flatMap((size, axis) => {
        const [from, to, isKept] = ranges[axis] ?? [0, size, true];
        return isKept ? [to - from] : [];
      }),
    ];
    const sizes = bounds.map(([from, to]) => to - from);
    const data = Float64Array.from({ length: numel(sizes) }, (_, i) => {
      let [rest, at, stride] = [i, 0, 1];
      for (let axis = sizes.length - 1; axis >= 0; axis--) {
        at += (bounds[axis]![0] + (rest % sizes[axis]!)) * stride;
        rest = Math.floor(rest / sizes[axis]!);
        stride *= tensor.shape[axis]!;
      }
      return tensor.data[at]!;
    });
    return { shape: kept, data };
  }

  #local(key: string, { target, value }: Equation, at: readonly number[]): Value {
    const id = `${key}[${at.join()}]@${this.#sample}`;
    const known = this.#known.get(id);
    if (known) return known;
    const beyond = target.indices.some((name, i) => {
      const size = this.#axisSize(name, value, new Set([key]));
      return at[i]! < 0 || !Number.isInteger(at[i]) || (size !== null && at[i]! >= size);
    });
    const result = beyond
      ? scalar(0)
      : this.#evaluate(value, Object.fromEntries(target.indices.map((name, i) => [name, at[i]!])));
    this.#known.set(id, result);
    return result;
  }

  #lookUp(key: string): Value {
    const local = this.#locals.get(key);
    if (local && local.target.indices.length === 0) return this.#local(key, local, []);
    const tensor = this.#tensors[key];
    if (tensor) {
      if (this.scope.reading === 'rows') return tensor;
      const [, ...shape] = tensor.shape;
      const size = numel(shape);
      return { shape, data: Array.prototype.slice.call(tensor.data, this.#sample * size, (this.#sample + 1) * size) };
    }
    if (key === 'pi') return scalar(Math.PI);
    const constant = this.scope.constants[key];
    if (constant === undefined) throw new FormulaError(`There is no ${key}.`);
    return typeof constant === 'number' ? scalar(constant) : constant;
  }
}

const binaryFunctions: Readonly<Record<string, (...values: readonly number[]) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '.*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '^': (a, b) => a ** b,
  '<': (a, b) => Number(a < b),
  '<=': (a, b) => Number(a <= b),
  '>': (a, b) => Number(a > b),
  '>=': (a, b) => Number(a >= b),
  '==': (a, b) => Number(a === b),
};

function children(node: Expression): readonly Expression[] {
  switch (node.type) {
    case 'index':
      return [node.object, ...node.parts.flatMap((part) => (isRange(part) ? [part.from, part.to] : [part]))];
    case 'negative':
      return [node.operand];
    case 'binary':
      return [node.left, node.right];
    case 'call':
      return node.args;
    case 'reduce':
      return [node.body];
    case 'number':
    case 'name':
    case 'gradient':
      return [];
  }
}

/** [rows, numbers in a row]. */
function asRows({ shape, data }: Value): Value {
  const last = shape.length > 1 ? shape.at(-1)! : 1;
  return { shape: [numel(shape) / last, last], data };
}

function indicesAt(names: readonly string[], sizes: readonly number[], at: number): Record<string, number> {
  const found: Record<string, number> = {};
  for (let axis = sizes.length - 1, rest = at; axis >= 0; axis--) {
    found[names[axis]!] = rest % sizes[axis]!;
    rest = Math.floor(rest / sizes[axis]!);
  }
  return found;
}

function fillBroadcast(out: Float64Array, shape: readonly number[], value: Value): void {
  const all = map([{ shape, data: new Float64Array(out.length) }, value], (_, x) => x);
  out.set(all.data);
}

/** Entry by entry, broadcast as in NumPy. */
function map(values: readonly Value[], f: (...entries: readonly number[]) => number): Value {
  const length = Math.max(...values.map(({ shape }) => shape.length));
  const shape = Array.from({ length }, (_, axis) =>
    values.reduce((size, value) => {
      const own = value.shape[axis - length + value.shape.length] ?? 1;
      if (own !== 1 && size !== 1 && own !== size)
        throw new FormulaError(`The shapes ${values.map((each) => each.shape.join('×')).join(' and ')} do not match.`);
      return own === 1 ? size : own;
    }, 1),
  );
  const data = Float64Array.from({ length: numel(shape) }, (_, i) => {
    const entries = values.map((value) => {
      let [rest, at, stride] = [i, 0, 1];
      for (let axis = length - 1; axis >= 0; axis--) {
        const own = value.shape[axis - length + value.shape.length] ?? 1;
        if (own !== 1) at += (rest % shape[axis]!) * stride;
        stride *= own;
        rest = Math.floor(rest / shape[axis]!);
      }
      return value.data[at]!;
    });
    return f(...entries);
  });
  return { shape, data };
}

/** A vector on the left is a row, one on the right a column. */
function matmul(a: Value, b: Value): Value {
  if (a.shape.length === 0 || b.shape.length === 0) {
    // An entry beyond the axes.
    return scalar(0);
  }
  const [m, k] = a.shape.length === 1 ? [1, a.shape[0]!] : (a.shape.slice(-2) as [number, number]);
  const [rows, n] = b.shape.length === 1 ? [b.shape[0]!, 1] : (b.shape.slice(-2) as [number, number]);
  if (k !== rows || a.shape.length > 2 || b.shape.length > 2)
    throw new FormulaError(`${a.shape.join('×')} and ${b.shape.join('×')} cannot be multiplied.`);
  const data = Float64Array.from({ length: m * n }, (_, i) => {
    let sum = 0;
    for (let l = 0; l < k; l++) sum += a.data[Math.floor(i / n) * k + l]! * b.data[l * n + (i % n)]!;
    return sum;
  });
  return { shape: [...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])], data };
}

function transpose({ shape, data }: Value): Value {
  if (shape.length < 2) return { shape, data };
  const [m, n] = shape as [number, number];
  return {
    shape: [n, m],
    data: Float64Array.from({ length: m * n }, (_, i) => data[(i % m) * n + Math.floor(i / m)]!),
  };
}

/** Along the first axis. */
function concatenate(values: readonly Value[]): Value {
  const first = values[0]!.shape;
  return {
    shape: [values.reduce((sum, { shape }) => sum + (shape[0] ?? 1), 0), ...first.slice(1)],
    data: values.flatMap(({ data }) => Array.from(data)),
  };
}

/** Along the last axis. */
function softmax({ shape, data }: Value, logarithm = false): Value {
  const width = shape.at(-1) ?? 1;
  const out = new Float64Array(data.length);
  for (let from = 0; from < data.length; from += width) {
    const row = Array.prototype.slice.call(data, from, from + width) as number[];
    const high = Math.max(...row);
    const sum = row.reduce((total, x) => total + Math.exp(x - high), 0);
    row.forEach((x, i) => (out[from + i] = logarithm ? x - high - Math.log(sum) : Math.exp(x - high) / sum));
  }
  return { shape, data: out };
}
