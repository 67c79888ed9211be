// The forward graph of a layer that uses `ops`, number by number: autograd gives the derivatives of each operation.
import { formatLocation } from '../../engine/custom/custom-layer-error';
import type { TapeNode } from '../../engine/autograd/tape';
import type { Tensor } from '../../engine/kernels/tensor';
import type { OperationGraph } from '../../engine/layers/layer';
import { type Edges, ForwardGraph, type GraphSetup, type Leaf } from './forward-graph';
import { STORED, type TraceNode } from './forward-trace';

/** The most numbers and derivatives of a graph. */
const MAX_NODES = 3000;
const MAX_EDGES = 400_000;

/** They only move numbers. */
const MOVING: ReadonlySet<string> = new Set(['reshape', 'transpose', 'concatenate', 'stack', 'split', 'slice', 'take']);

/** Functions of single numbers. */
const FUNCTIONS: Readonly<Record<string, ((x: number) => number) | undefined>> = {
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  relu: (x) => Math.max(0, x),
  abs: Math.abs,
};

/** What a number is made from: numbers of leaves and of nodes, with their derivatives. */
type Origin = readonly (readonly [source: number, weight: number])[];

/** Null if the graph is too large. A cooperative task. */
export function* forwardGraphOf(
  graph: OperationGraph,
  { tensors, context }: GraphSetup,
): Generator<undefined, ForwardGraph | null> {
  const leaves: Leaf[] = [];
  const origins = new Map<Tensor, Origin[]>();
  let count = 0;
  for (const [name, tensor] of tensors) {
    const own = name === 'input' ? graph.input : graph.parameters[name];
    if (!own) return null;
    leaves.push({ name, tensor, first: count, isInput: name === 'input' });
    const first = count;
    origins.set(
      own,
      Array.from(own.data, (_, i) => [[first + i, 1] as const]),
    );
    count += own.data.length;
  }
  const nodes: TraceNode[] = [];
  const edges = Array.from({ length: count }, emptyEdges);
  const places = new Map<string, Error>();
  let slots = 0;
  let total = 0;
  const outgoing: (readonly [source: number, target: number, weight: number])[] = [];
  for (const operation of graph.nodes) {
    yield;
    const { data } = operation.output;
    const made: Origin[] = [];
    const at = sharedPlace(operation, places);
    const apply = FUNCTIONS[operation.operation];
    const location = graph.locate(operation);
    const label = `${operation.operation}${location ? ` (${formatLocation(location)})` : ''}`;
    if (nodes.length + data.length > MAX_NODES) return null;
    for (let i = 0; i < data.length; i++) {
      yield;
      const own = originOf(operation, i, origins);
      if (MOVING.has(operation.operation)) {
        made.push(own);
        continue;
      }
      const x = operation.inputs[0]!.data[i]!;
      const incoming = apply ? (origins.get(operation.inputs[0]!)?.[i] ?? []) : own;
      for (const [source, weight] of incoming) outgoing.push([source, slots, weight]);
      total += incoming.length;
      if (total > MAX_EDGES) return null;
      nodes.push({
        name: apply ? operation.operation : STORED,
        original: apply ?? ((value) => value),
        values: [apply ? x : data[i]!],
        result: data[i]!,
        at,
        label,
      });
      slots++;
      made.push([[count + nodes.length - 1, 1]]);
    }
    origins.set(operation.output, made);
  }
  const output = origins.get(graph.output);
  if (!output) return null;
  output.forEach((own, o) => {
    for (const [source, weight] of own) outgoing.push([source, slots + o, weight]);
  });
  for (let i = 0; i < nodes.length; i++) edges.push(emptyEdges());
  for (const [source, target, weight] of outgoing) {
    edges[source]!.targets.push(target);
    edges[source]!.weights.push(weight);
    edges[source]!.places.push(-1);
  }
  return new ForwardGraph(
    leaves,
    nodes,
    null,
    Float64Array.from(graph.output.data),
    edges,
    context.input.shape[0]!,
    () => null,
    [],
  );
}

const emptyEdges = (): { [name in keyof Edges]: number[] } => ({ targets: [], weights: [], places: [] });

/** What entry `i` of a result is made from. */
function originOf(operation: TapeNode, i: number, origins: ReadonlyMap<Tensor, readonly Origin[]>): Origin {
  const unit = new Float64Array(operation.output.data.length);
  unit[i] = 1;
  const found = new Map<number, number>();
  operation.backward(unit).forEach((share, k) => {
    const own = origins.get(operation.inputs[k]!);
    if (!share || !own) return;
    for (let j = 0; j < share.length; j++) {
      if (share[j] === 0) continue;
      for (const [source, weight] of own[j]!) found.set(source, (found.get(source) ?? 0) + share[j]! * weight);
    }
  });
  return [...found];
}

/** Calls of one place in the code have one error, whose stack is read once. */
function sharedPlace({ call, operation }: TapeNode, places: Map<string, Error>): Error {
  const error = call ?? new Error(operation);
  const key = error.stack ?? '';
  const known = places.get(key);
  if (!known) places.set(key, error);
  return known ?? error;
}
