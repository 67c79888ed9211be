// A parameter in parts that fit into a processor's cache, for work that goes through its tensors several times.
import type { Tensor } from './kernels/tensor';
import type { Parameter } from './network-model';

/** Elements of a part. Its four to six tensors take at most 200 kB. */
const PART_SIZE = 8192;

const parts = new WeakMap<Parameter, readonly Parameter[]>();

/** Parameters for consecutive elements, as vectors; the parameter itself if it is small. */
export function partsOf(parameter: Parameter): readonly Parameter[] {
  let found = parts.get(parameter);
  if (!found) parts.set(parameter, (found = split(parameter)));
  return found;
}

function split(parameter: Parameter): readonly Parameter[] {
  const { length } = parameter.value.data;
  if (length <= PART_SIZE) return [parameter];
  return Array.from({ length: Math.ceil(length / PART_SIZE) }, (_, i) => {
    const from = i * PART_SIZE;
    const to = Math.min(length, from + PART_SIZE);
    const part = ({ data }: Tensor): Tensor => ({ shape: [to - from], data: data.subarray(from, to) });
    const { value, gradient, previous, optimizerState, scratch } = parameter;
    return {
      ...parameter,
      value: part(value),
      gradient: part(gradient),
      previous: part(previous),
      optimizerState: optimizerState.map(part),
      scratch: part(scratch),
    };
  });
}
