// Locates the origin of NaN or infinity in a layer: the operation, the sample, and the value that goes in.
import { formatLocation } from '../custom/custom-layer-error';
import type { TapeNode } from './tape';
import type { Tensor, TensorData } from '../kernels/tensor';
import type { OperationGraph } from '../layers/layer';

const firstNonFinite = (values: ArrayLike<number>): number => {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
};

export const isFinite = (values: ArrayLike<number>): boolean => firstNonFinite(values) < 0;

/** The first operation with finite operands and a result that is not finite; null if there is none. */
export function findNonFiniteForward(graph: OperationGraph, samples: number): string | null {
  for (const node of graph.nodes) {
    const at = firstNonFinite(node.output.data);
    if (at < 0 || !node.inputs.every(({ data }) => isFinite(data))) continue;
    return `${describe(graph, node, at, samples)} is ${node.output.data[at]}`;
  }
  return null;
}

/** The same for autograd's backward pass: the first derivative that is not finite. */
export function findNonFiniteBackward(graph: OperationGraph, upstream: Float64Array, samples: number): string | null {
  const sums = new Map<Tensor, TensorData>([[graph.output, upstream]]);
  for (const node of [...graph.nodes].reverse()) {
    const gradient = sums.get(node.output);
    if (!gradient) continue;
    for (const [k, share] of node.backward(gradient).entries()) {
      if (!share) continue;
      const at = firstNonFinite(share);
      if (at >= 0) return `${describe(graph, node, at, samples, k)} has a derivative that is not finite`;
      const sum = sums.get(node.inputs[k]!);
      if (!sum) sums.set(node.inputs[k]!, share.slice());
      else for (let j = 0; j < sum.length; j++) sum[j]! += share[j]!;
    }
  }
  return null;
}

/** "sqrt of 0 (norm.ts:5:18), in sample 3,": the operand's value at this entry. */
function describe(graph: OperationGraph, node: TapeNode, at: number, samples: number, operand = 0): string {
  const location = graph.locate(node);
  const { data } = node.inputs[operand]!;
  const values = node.inputs.map((input) => (input.data.length === 1 ? input.data[0] : input.data[at]));
  const what =
    data.length > at
      ? values
          .filter((value) => value !== undefined)
          .map(formatShort)
          .join(' and ')
      : '';
  const sample = data.length % samples === 0 ? `, in sample ${Math.floor(at / (data.length / samples))},` : '';
  return `${node.operation}${what === '' ? '' : ` of ${what}`}${location ? ` (${formatLocation(location)})` : ''}${sample}`;
}

const formatShort = (value: number): string => String(Number(value.toPrecision(4)));
