// If a custom layer's forward uses `ops`, autograd knows its graph. This file explains a wrong manual backward by one
// change to the backward pass of that graph, such as an omitted branch, that turns the right gradients into the
// layer's.
import { formatLocation } from '../../engine/custom/custom-layer-error';
import { operations } from '../../engine/autograd/operations';
import { OperationError, Tape, type TapeNode } from '../../engine/autograd/tape';
import { numel, type Shape, type Tensor, type TensorData } from '../../engine/kernels/tensor';
import type { OperationGraph } from '../../engine/layers/layer';
import type { Cause } from '../../protocol/check-report';

export interface GraphFault {
  readonly cause: Cause;
  /** A sentence without its period: "The contribution of tanh (mine.ts:9) to the gradient of … is missing". */
  readonly description: string;
  /** The tensors that it explains: `input`, or parameters by short name. */
  readonly tensors: readonly string[];
  /** Whether it explains every wrong tensor and keeps the right ones right. */
  readonly explainsAll: boolean;
}

export interface GradientPair {
  /** `input`, or the short name of a parameter. */
  readonly tensor: string;
  readonly analytic: Float64Array;
  readonly isWrong: boolean;
}

/** Two gradients are equal if they differ by less than this share of the largest value. */
const TOLERANCE = 1e-6;
/** Limits: nodes that are tried one by one, and pairs of operations whose gradients are swapped. */
const MAX_SINGLE_NODES = 80;
const MAX_SWAPS = 600;

/** Nodes that come from one operation in the code, such as one per loop iteration. */
interface Role {
  readonly name: string;
  readonly nodes: readonly number[];
}

/** Replaces the gradient that a node passes to one of its inputs; null keeps it. */
type ShareRule = (node: number, input: number, share: TensorData, gradient: TensorData) => TensorData | null;

interface Change {
  readonly cause: Cause;
  readonly description: string;
  readonly rule: ShareRule;
  /** Output gradients to use for some nodes instead of those that autograd computes. */
  readonly adjoints?: ReadonlyMap<number, TensorData>;
}

/** Tries changes from simple to complex, one at a time; null if none explains a wrong gradient. */
export function* findGraphFault(
  graph: OperationGraph,
  upstream: Float64Array,
  pairs: readonly GradientPair[],
): Generator<undefined, GraphFault | null> {
  const search = new GraphSearch(graph, upstream);
  const original = search.gradients();
  let best: GraphFault | null = null;
  for (const change of search.changes()) {
    yield;
    const changed = search.gradients(change);
    const explained: string[] = [];
    let explainsAll = true;
    for (const { tensor, analytic, isWrong } of pairs) {
      const candidate = changed.get(tensor);
      const matches = candidate !== undefined && isSame(candidate, analytic);
      if (isWrong && matches && !isSame(candidate, original.get(tensor) ?? candidate)) explained.push(tensor);
      else if (!matches) explainsAll = false;
    }
    if (explained.length === 0) continue;
    const fault = { cause: change.cause, description: change.description, tensors: explained, explainsAll };
    if (explainsAll) return fault;
    if (explained.length > (best?.tensors.length ?? 0)) best = fault;
  }
  return best;
}

/** Whether autograd's gradients match the numeric ones, so that the graph contains the whole forward pass. */
export function graphGradients(graph: OperationGraph, upstream: Float64Array): ReadonlyMap<string, Float64Array> {
  return new GraphSearch(graph, upstream).gradients();
}

function isSame(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  let scale = 0;
  for (let i = 0; i < a.length; i++) scale = Math.max(scale, Math.abs(b[i]!));
  for (let i = 0; i < a.length; i++) if (!(Math.abs(a[i]! - b[i]!) <= TOLERANCE * scale)) return false;
  return true;
}

class GraphSearch {
  readonly #graph: OperationGraph;
  readonly #upstream: Float64Array;
  readonly #nodes: readonly TapeNode[];
  /** Short names by tensor: `input` and the parameters. */
  readonly #leaves: ReadonlyMap<Tensor, string>;
  readonly #producers: ReadonlyMap<Tensor, number>;

  constructor(graph: OperationGraph, upstream: Float64Array) {
    this.#graph = graph;
    this.#upstream = upstream;
    this.#nodes = graph.nodes;
    this.#leaves = new Map([
      [graph.input, 'input'],
      ...Object.entries(graph.parameters).map(([name, tensor]) => [tensor, name] as const),
    ]);
    this.#producers = new Map(graph.nodes.map(({ output }, i) => [output, i]));
  }

  gradients(change?: Change): Map<string, Float64Array> {
    const sums = this.#adjoints(change);
    return new Map(
      [...this.#leaves].map(([tensor, name]) => [
        name,
        Float64Array.from(sums.get(tensor) ?? new Float64Array(tensor.data.length)),
      ]),
    );
  }

  #adjoints(change?: Change): Map<Tensor, TensorData> {
    const sums = new Map<Tensor, TensorData>([[this.#graph.output, this.#upstream.slice()]]);
    for (let i = this.#nodes.length - 1; i >= 0; i--) {
      const node = this.#nodes[i]!;
      const gradient = change?.adjoints?.get(i) ?? sums.get(node.output);
      if (!gradient) continue;
      node.backward(gradient).forEach((share, at) => {
        const input = node.inputs[at]!;
        if (!share || (!this.#leaves.has(input) && !this.#producers.has(input))) return;
        const passed = change?.rule(i, at, share, gradient) ?? share;
        if (passed.length !== share.length) return;
        const sum = sums.get(input);
        if (!sum) sums.set(input, passed.slice());
        else for (let j = 0; j < sum.length; j++) sum[j]! += passed[j]!;
      });
    }
    return sums;
  }

  /** From simple to complex. */
  *changes(): Iterable<Change> {
    const roles = this.#roles();
    yield* this.#scalings(roles, [
      [0, 'contribution_missing', 'is missing'],
      [2, 'contribution_twice', 'is counted twice'],
      [-1, 'contribution_sign', 'has the wrong sign'],
    ]);
    yield* this.#localDerivatives(roles);
    yield* this.#reductions(roles);
    yield* this.#turnsOfLoops(roles);
    yield* this.#operands(roles);
    yield* this.#partsOfSums(roles);
    yield* this.#swaps(roles);
    yield* this.#scalings(roles, [[0.5, 'contribution_halved', 'is halved']]);
  }

  /**
   * The nodes of each operation in the code. If a loop calls it several times per iteration, each call is its own role.
   */
  #roles(): Role[] {
    const sites = new Map<string, number[]>();
    this.#nodes.forEach((node, i) => {
      const location = this.#graph.locate(node);
      const key = `${node.operation} ${location?.line ?? ''}:${location?.column ?? ''}`;
      sites.set(key, [...(sites.get(key) ?? []), i]);
    });
    const counts = [...sites.values()].map(({ length }) => length).filter((length) => length > 1);
    const turns = counts.reduce((a, b) => greatestCommonDivisor(a, b), counts[0] ?? 1);
    const roles: Role[] = [];
    for (const nodes of sites.values()) {
      roles.push({ name: this.#nameOf(nodes), nodes });
      const streams = nodes.length / turns;
      if (turns > 1 && streams > 1)
        for (let r = 0; r < streams; r++) {
          const stream = nodes.filter((_, i) => i % streams === r);
          roles.push({ name: this.#nameOf(stream), nodes: stream });
        }
    }
    if (this.#nodes.length <= MAX_SINGLE_NODES)
      for (const nodes of sites.values())
        if (nodes.length > 1)
          nodes.forEach((node, call) =>
            roles.push({ name: `${this.#nameOf([node])}, call ${call + 1} of ${nodes.length},`, nodes: [node] }),
          );
    return roles;
  }

  /** `tanh (mine.ts:9:5)`, with the parameters that it uses. */
  #nameOf(nodes: readonly number[]): string {
    const node = this.#nodes[nodes[0]!]!;
    const location = this.#graph.locate(node);
    const names = this.#nearbyParameters(nodes[0]!);
    const of = names.length > 0 ? ` of ${names.join(' and ')}` : '';
    return `${node.operation}${of}${location ? ` (${formatLocation(location)})` : ''}`;
  }

  /** Parameters at most three operations before a node. */
  #nearbyParameters(start: number): string[] {
    const names = new Set<string>();
    const visit = (tensor: Tensor, depth: number): void => {
      const name = this.#leaves.get(tensor);
      if (name !== undefined && name !== 'input') names.add(name);
      const producer = this.#producers.get(tensor);
      if (producer !== undefined && depth > 0)
        this.#nodes[producer]!.inputs.forEach((input) => {
          visit(input, depth - 1);
        });
    };
    for (const input of this.#nodes[start]!.inputs) visit(input, 2);
    return [...names];
  }

  /** The name of a node's input. */
  #inputName(node: number, at: number): string {
    const { inputs } = this.#nodes[node]!;
    const leaf = this.#leaves.get(inputs[at]!);
    if (leaf !== undefined) return leaf;
    const producer = this.#producers.get(inputs[at]!);
    const what = producer === undefined ? '' : ` (${this.#nodes[producer]!.operation})`;
    return inputs.length === 1 ? `its input${what}` : `its ${ORDINALS[at] ?? `${at + 1}th`} operand${what}`;
  }

  *#edges(roles: readonly Role[]): Iterable<Role & { readonly at: number; readonly edge: string }> {
    for (const role of roles) {
      const first = role.nodes[0]!;
      const { inputs } = this.#nodes[first]!;
      for (let at = 0; at < inputs.length; at++) {
        if (!role.nodes.some((n) => this.#isTracked(this.#nodes[n]!.inputs[at]!))) continue;
        yield { ...role, at, edge: `${role.name} to the gradient of ${this.#inputName(first, at)}` };
      }
    }
  }

  #isTracked(tensor: Tensor): boolean {
    return this.#leaves.has(tensor) || this.#producers.has(tensor);
  }

  *#scalings(
    roles: readonly Role[],
    factors: readonly (readonly [factor: number, cause: Cause, what: string])[],
  ): Iterable<Change> {
    const reductions = this.#nodes.flatMap(({ operation }, i) => (isReduction(operation) ? [i] : []));
    for (const [factor, cause, what] of factors) {
      for (const { nodes, at, edge } of this.#edges(roles))
        yield {
          cause,
          description: `The contribution of ${edge} ${what}`,
          rule: onEdge(nodes, at, (share) => share.map((value) => factor * value)),
        };
      if (factor !== 0 || reductions.length < 2) continue;
      const names = [...new Set(reductions.map((n) => this.#nameOf([n])))];
      yield {
        cause: 'statistics_constant',
        description: `What passes through ${names.join(' and ')} is missing: these statistics are treated as constants`,
        rule: onEdge(reductions, 0, (share) => share.map(() => 0)),
      };
    }
  }

  /** Element-wise operations: the derivative omitted or replaced by another. */
  *#localDerivatives(roles: readonly Role[]): Iterable<Change> {
    for (const { name, nodes } of roles) {
      const first = nodes[0]!;
      const { operation, inputs, output } = this.#nodes[first]!;
      const change = (
        cause: Cause,
        what: string,
        value: (g: number, x: number, y: number, share: number) => number,
      ): Change => ({
        cause,
        description: `In the backward of ${name}, ${what}`,
        rule: onEdge(nodes, 0, (share, gradient, node) => {
          const x = this.#nodes[node]!.inputs[0]!.data;
          const y = this.#nodes[node]!.output.data;
          return share.map((each, i) => value(gradient[i]!, x[i]!, y[i]!, each));
        }),
      });
      if (inputs.length !== 1 || inputs[0]!.data.length !== output.data.length) continue;
      if (operation === 'softmax')
        for (const [axis, size] of output.shape.entries()) {
          if (size < 2) continue;
          yield {
            cause: 'axes_wrong',
            description: `In the backward of ${name}, the sum in the derivative runs along axis ${axis}`,
            rule: onEdge(nodes, 0, (_share, gradient, node) => {
              const { data, shape } = this.#nodes[node]!.output;
              const sums = sumAlong(
                data.map((value, i) => value * gradient[i]!),
                shape,
                axis,
              );
              return data.map((value, i) => value * (gradient[i]! - sums[i]!));
            }),
          };
        }
      const derivatives = DERIVATIVES[operation];
      if (!derivatives) continue;
      yield change('derivative_missing', 'the derivative is missing: the gradient passes unchanged', (g) => g);
      // Of its derivative, that is the first of two terms.
      if (operation === 'softmax')
        yield change(
          'contribution_missing',
          'only the product with the result is used: the term with the sum over all entries is missing',
          (g, _x, y) => g * y,
        );
      yield change('value_for_derivative', 'the value is used instead of the derivative', (g, _x, y) => g * y);
      yield change('derivative_twice', 'the derivative is applied twice', (g, _x, _y, share) =>
        g === 0 ? 0 : (share * share) / g,
      );
      yield change('derivative_inverted', 'the gradient is divided by the derivative', (g, _x, _y, share) =>
        share === 0 ? 0 : (g * g) / share,
      );
      yield change('upstream_ignored', 'the output gradient is ignored', (g, _x, _y, share) =>
        g === 0 ? 0 : share / g,
      );
      for (const [what, value, cause = 'wrong_place'] of derivatives)
        yield change(cause, what, (g, x, y) => g * value(x, y));
    }
  }

  /** Sums and means: the number of entries used wrongly. */
  *#reductions(roles: readonly Role[]): Iterable<Change> {
    for (const { name, nodes } of roles) {
      const { operation, inputs, output } = this.#nodes[nodes[0]!]!;
      if (!isReduction(operation)) continue;
      const count = inputs[0]!.data.length / output.data.length;
      const scaled = (factor: number, what: string): Change => ({
        cause: 'wrong_count',
        description: `In the backward of ${name}, ${what}`,
        rule: onEdge(nodes, 0, (share) => share.map((value) => factor * value)),
      });
      if (operation === 'mean') yield scaled(count, `the division by ${count} is missing`);
      yield scaled(1 / count, `there is one division by ${count} too many`);
      if (count > 2) yield scaled(count / (count - 1), `${count - 1} is used instead of ${count}`);
    }
  }

  /** Parameters: of all positions along an axis of a result, such as tokens, only one counts, or one is omitted. */
  *#partsOfSums(roles: readonly Role[]): Iterable<Change> {
    for (const { nodes, at, edge } of this.#edges(roles)) {
      const { inputs, output } = this.#nodes[nodes[0]!]!;
      const leaf = this.#leaves.get(inputs[at]!);
      if (leaf === undefined || leaf === 'input') continue;
      for (const [axis, size] of output.shape.entries()) {
        if (size < 2) continue;
        const inner = numel(output.shape.slice(axis + 1));
        const isBatch = axis === 0 && size === this.#graph.input.shape[0];
        const restricted = (cause: Cause, description: string, keeps: (position: number) => boolean): Change => ({
          cause,
          description,
          rule: onEdge(nodes, at, (share, gradient, node) => {
            const kept = gradient.map((value, i) => (keeps(Math.floor(i / inner) % size) ? value : 0));
            return this.#nodes[node]!.backward(kept)[at] ?? share;
          }),
        });
        for (const [which, position] of [
          ['last', size - 1],
          ['first', 0],
        ] as const) {
          const where = isBatch ? `the ${which} sample` : `the ${which} of ${size} positions along axis ${axis}`;
          yield restricted(
            isBatch ? 'one_sample' : 'share_missing',
            `The contribution of ${edge} comes from ${where} alone`,
            (each) => each === position,
          );
          if (size > 2)
            yield restricted(
              isBatch ? 'sample_missing' : 'share_missing',
              `The contribution of ${edge} lacks ${where}`,
              (each) => each !== position,
            );
        }
      }
    }
  }

  /** Operations in a loop: only one iteration counts, or one is omitted. */
  *#turnsOfLoops(roles: readonly Role[]): Iterable<Change> {
    for (const { nodes, at, edge } of this.#edges(roles)) {
      if (nodes.length < 2) continue;
      const turns: readonly (readonly [number, string])[] = [
        [nodes.length - 1, 'last'],
        [0, 'first'],
      ];
      for (const [turn, which] of turns) {
        yield {
          cause: 'turns_missing',
          description: `The contribution of ${edge} comes from the ${which} of ${nodes.length} calls only: the others are missing`,
          rule: onEdge(
            nodes.filter((_, i) => i !== turn),
            at,
            (share) => share.map(() => 0),
          ),
        };
        if (nodes.length > 2)
          yield {
            cause: 'turns_missing',
            description: `The contribution of ${edge} lacks the ${which} of ${nodes.length} calls`,
            rule: onEdge([nodes[turn]!], at, (share) => share.map(() => 0)),
          };
      }
    }
  }

  /** Products: another tensor in place of an operand. */
  *#operands(roles: readonly Role[]): Iterable<Change> {
    const matching = (shape: Tensor, count: number): readonly (readonly [string, readonly Tensor[]])[] =>
      roles.flatMap(({ name, nodes }) =>
        nodes.length === count && sameShape(this.#nodes[nodes[0]!]!.output, shape)
          ? [[`the result of ${name}`, nodes.map((n) => this.#nodes[n]!.output)] as const]
          : [],
      );
    for (const { nodes, at, edge } of this.#edges(roles)) {
      const { operation, inputs } = this.#nodes[nodes[0]!]!;
      if ((operation !== 'matmul' && operation !== 'multiply') || inputs.length !== 2) continue;
      const other = 1 - at;
      const own = nodes.map((n) => this.#nodes[n]!.inputs[other]!);
      const substitute = (cause: Cause, what: string, by: readonly Tensor[]): Change => ({
        cause,
        description: `The contribution of ${edge} uses ${what}`,
        rule: onEdge(nodes, at, (share, gradient, node) => {
          const turn = nodes.indexOf(node);
          const operands = this.#nodes[node]!.inputs.map((tensor, i) => (i === other ? by[turn]! : tensor));
          return recompute(operation, operands, at, gradient) ?? share;
        }),
      });
      const ownName = this.#inputName(nodes[0]!, other);
      if (operation === 'multiply') {
        const ones = own.map(({ shape, data }) => ({ shape, data: new Float64Array(data.length).fill(1) }));
        yield substitute('scale_missing', `1 instead of ${ownName}`, ones);
      }
      if (operation === 'matmul' && own[0]!.shape.at(-1) === own[0]!.shape.at(-2)) {
        const transposed = own.map((tensor) => operations.transpose(new Tape(tensor.data), tensor));
        yield substitute('not_transposed', `${ownName} transposed the wrong way`, transposed);
      }
      const zeros = own.map(({ shape, data }) => ({ shape, data: new Float64Array(data.length) }));
      if (nodes.length > 1) {
        const next = own.map((_, i) => own[i + 1] ?? zeros[i]!);
        const previous = own.map((_, i) => own[i - 1] ?? zeros[i]!);
        yield substitute('wrong_turn', `${ownName} of the next iteration`, next);
        yield substitute('wrong_turn', `${ownName} of the previous iteration`, previous);
      }
      for (const [name, tensors] of matching(own[0]!, nodes.length)) {
        if (tensors.every((tensor, i) => tensor === own[i])) continue;
        // In a loop: the same result, one iteration later or earlier.
        const isShifted = own.slice(1).every((tensor, i) => tensor === tensors[i]) && nodes.length > 1;
        yield isShifted
          ? substitute('wrong_turn', `${name} of the same iteration instead of the previous one`, tensors)
          : substitute('wrong_operand', `${name} instead of ${ownName}`, tensors);
      }
      for (const [leaf, name] of this.#leaves)
        if (sameShape(leaf, own[0]!) && leaf !== own[0])
          yield substitute(
            'wrong_operand',
            `${name} instead of ${ownName}`,
            own.map(() => leaf),
          );
      // A factor of the operand is left out: one operand of the product stands in the product's place.
      const products = own.map((tensor) => this.#nodes[this.#producers.get(tensor) ?? -1]);
      if (products.every((product) => product?.operation === 'multiply' || product?.operation === 'divide'))
        for (const k of [0, 1]) {
          const factors = products.map((product) => product!.inputs[k]!);
          if (factors.every((factor, i) => sameShape(factor, own[i]!)))
            yield substitute('scale_missing', `${ownName} without its ${ORDINALS[1 - k]!} operand`, factors);
        }
    }
  }

  /** Whether the result of a node was computed from that of another one. */
  #dependsOn(node: number, other: number): boolean {
    const pending = [node];
    const seen = new Set(pending);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (next === other) return true;
      for (const input of this.#nodes[next]!.inputs) {
        const producer = this.#producers.get(input);
        if (producer === undefined || seen.has(producer)) continue;
        seen.add(producer);
        pending.push(producer);
      }
    }
    return false;
  }

  /** Swaps the output gradients of two results of the same shape, neither of which was computed from the other. */
  *#swaps(roles: readonly Role[]): Iterable<Change> {
    const adjoints = this.#adjoints();
    const adjointOf = (node: number): TensorData => adjoints.get(this.#nodes[node]!.output) ?? new Float64Array(0);
    let swaps = 0;
    for (const [i, a] of roles.entries())
      for (const b of roles.slice(i + 1)) {
        if (a.nodes.length !== b.nodes.length || a.nodes[0] === b.nodes[0]) continue;
        if (!sameShape(this.#nodes[a.nodes[0]!]!.output, this.#nodes[b.nodes[0]!]!.output)) continue;
        if (this.#dependsOn(b.nodes.at(-1)!, a.nodes[0]!) || this.#dependsOn(a.nodes.at(-1)!, b.nodes[0]!)) continue;
        if (++swaps > MAX_SWAPS) return;
        yield {
          cause: 'swapped',
          description: `The gradients of the results of ${a.name} and ${b.name} are swapped`,
          rule: () => null,
          adjoints: new Map([
            ...a.nodes.map((n, k) => [n, adjointOf(b.nodes[k]!)] as const),
            ...b.nodes.map((n, k) => [n, adjointOf(a.nodes[k]!)] as const),
          ]),
        };
      }
  }
}

const ORDINALS = ['first', 'second', 'third'];

const isReduction = (operation: string): boolean => operation === 'sum' || operation === 'mean';

const sameShape = (a: Tensor, b: Tensor): boolean =>
  a.shape.length === b.shape.length && a.shape.every((size, axis) => size === b.shape[axis]);

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/** By entry: the sum over the entries that differ from it along one axis only. */
function sumAlong(values: TensorData, shape: Shape, axis: number): TensorData {
  const inner = numel(shape.slice(axis + 1));
  const size = shape[axis]!;
  return values.map((_, i) => {
    const start = i - (Math.floor(i / inner) % size) * inner;
    let sum = 0;
    for (let k = 0; k < size; k++) sum += values[start + k * inner]!;
    return sum;
  });
}

function onEdge(
  nodes: readonly number[],
  at: number,
  replace: (share: TensorData, gradient: TensorData, node: number) => TensorData,
): ShareRule {
  const chosen = new Set(nodes);
  return (node, input, share, gradient) => (chosen.has(node) && input === at ? replace(share, gradient, node) : null);
}

/** The gradient that the operation would pass to operand `at` with these operands; null if shapes do not match. */
function recompute(
  operation: 'matmul' | 'multiply',
  operands: readonly Tensor[],
  at: number,
  gradient: TensorData,
): TensorData | null {
  const tape = new Tape(gradient);
  for (const operand of operands) tape.watch(operand);
  try {
    const output = operations[operation](tape, operands[0]!, operands[1]!);
    return output.data.length === gradient.length ? (tape.nodes[0]!.backward(gradient)[at] ?? null) : null;
  } catch (error) {
    if (error instanceof OperationError) return null;
    throw error;
  }
}

type Derivative = readonly [what: string, value: (x: number, y: number) => number, cause?: Cause];

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Derivatives that are often confused with the right one, by operation. */
const DERIVATIVES: Readonly<Record<string, readonly Derivative[]>> = {
  tanh: [
    ['1 - x² is used instead of 1 - y²: the derivative takes the input where it needs the output', (x) => 1 - x * x],
    ['1 - tanh(y)² is used instead of 1 - y²: tanh is applied to the output again', (_x, y) => 1 - Math.tanh(y) ** 2],
    ['1 - y is used instead of 1 - y²', (_x, y) => 1 - y],
    ['y (1 - y), the derivative of sigmoid, is used instead of 1 - y²', (_x, y) => y * (1 - y)],
  ],
  sigmoid: [
    [
      'x (1 - x) is used instead of y (1 - y): the derivative takes the input where it needs the output',
      (x) => x * (1 - x),
    ],
    ['sigmoid is applied to the output again: its derivative is y (1 - y)', (_x, y) => sigmoid(y) * (1 - sigmoid(y))],
    ['1 - y is used instead of y (1 - y)', (_x, y) => 1 - y],
    ['1 - y², the derivative of tanh, is used instead of y (1 - y)', (_x, y) => 1 - y * y],
  ],
  exp: [['the input is used instead of exp(x)', (x) => x]],
  log: [
    ['log(x) is used instead of 1 / x', (_x, y) => y],
    ['1 / y is used instead of 1 / x', (_x, y) => 1 / y],
  ],
  sqrt: [
    ['1 / (2 x) is used instead of 1 / (2 √x)', (x) => 0.5 / x],
    ['1 / √x is used instead of 1 / (2 √x)', (_x, y) => 1 / y],
    ['2 √x is used instead of 1 / (2 √x)', (_x, y) => 2 * y],
  ],
  relu: [['the mask is inverted: it passes where the input is negative', (x) => (x > 0 ? 0 : 1)]],
  abs: [['the sign of x is missing', () => 1]],
  negate: [],
  softmax: [['only the diagonal y (1 - y) of the Jacobian is used', (_x, y) => y * (1 - y), 'diagonal_only']],
  logSoftmax: [['exp(y) is used instead of the whole Jacobian', (_x, y) => Math.exp(y)]],
};
