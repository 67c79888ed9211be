// Operations that select by a tensor of positions or conditions, which gets no gradient.
import { formatShape, numel, type Shape, type Tensor } from '../../kernels/tensor';
import { normalizeAxis, withAxisSize } from '../axes';
import { broadcastIndices, broadcastShape, scatterAdd as sumByIndex } from '../broadcast';
import { type Operand, type Operation, requireTensor, toTensor } from '../operation';
import { OperationError } from '../tape';

/**
 * For each element of an index tensor, its flat position in a tensor of `shape`: its own position, but that of the
 * index along the axis.
 * @throws OperationError unless the index has as many axes, is no larger along the others, and is within the shape
 */
function flatPositions(name: string, shape: Shape, axis: number, index: Tensor): Int32Array {
  if (index.shape.length !== shape.length || index.shape.some((size, i) => i !== axis && size > shape[i]!))
    throw new OperationError(
      `${name}: positions of shape ${formatShape(index.shape)} do not fit ${formatShape(shape)} along axis ${axis}.`,
    );
  const strides = shape.map((_, i) => numel(shape.slice(i + 1)));
  return Int32Array.from(index.data, (place, flat) => {
    if (!Number.isInteger(place) || place < 0 || place >= shape[axis]!)
      throw new OperationError(`${name}: there is no place ${place} along axis ${axis}, which has ${shape[axis]!}.`);
    let position = 0;
    for (let i = index.shape.length - 1, rest = flat; i >= 0; i--) {
      const own = rest % index.shape[i]!;
      rest = Math.floor(rest / index.shape[i]!);
      position += strides[i]! * (i === axis ? place : own);
    }
    return position;
  });
}

/** y[i][j] = x[index[i][j]][j] for axis 0, as torch.gather. */
export const gather: Operation<[x: Tensor, axis: number, index: Tensor]> = (tape, value, axis, index) => {
  const x = requireTensor('gather', value);
  const at = normalizeAxis('gather', x.shape, axis);
  const positions = flatPositions('gather', x.shape, at, requireTensor('gather', index));
  const y = tape.allocate(positions.length);
  for (let i = 0; i < y.length; i++) y[i] = x.data[positions[i]!]!;
  return tape.record([x], index.shape, y, (dy) => [sumByIndex(dy, positions, tape.allocate(x.data.length))]);
};

/** y[index[i][j]][j] += x[i][j] for axis 0, from zeros: torch.scatter_add. */
export const scatterAdd: Operation<[x: Tensor, axis: number, index: Tensor, size: number]> = (
  tape,
  value,
  axis,
  index,
  size,
) => {
  const x = requireTensor('scatterAdd', value);
  const at = normalizeAxis('scatterAdd', x.shape, axis);
  if (formatShape(requireTensor('scatterAdd', index).shape) !== formatShape(x.shape))
    throw new OperationError(
      `scatterAdd: positions of shape ${formatShape(index.shape)} are not one for each number of ${formatShape(x.shape)}.`,
    );
  const shape = withAxisSize(x.shape, at, size);
  const positions = flatPositions('scatterAdd', shape, at, index);
  const y = sumByIndex(x.data, positions, tape.allocate(numel(shape)));
  return tape.record([x], shape, y, (dy) => {
    const dx = tape.allocate(x.data.length);
    for (let i = 0; i < dx.length; i++) dx[i] = dy[positions[i]!]!;
    return [dx];
  });
};

/** `a` where the condition is not 0, else `b`; all three are broadcast. */
export const where: Operation<[condition: Operand, a: Operand, b: Operand]> = (tape, given, left, right) => {
  const [condition, a, b] = [given, left, right].map((each) => toTensor(tape, 'where', each)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const shape = broadcastShape('where', condition.shape, broadcastShape('where', a.shape, b.shape));
  const indices = [condition, a, b].map((each) => broadcastIndices(each.shape, shape));
  const [conditionAt, aAt, bAt] = indices.map(
    (places) =>
      (i: number): number =>
        places ? places[i]! : i,
  ) as [(i: number) => number, (i: number) => number, (i: number) => number];
  const y = tape.allocate(numel(shape));
  for (let i = 0; i < y.length; i++) y[i] = condition.data[conditionAt(i)] !== 0 ? a.data[aAt(i)]! : b.data[bAt(i)]!;
  return tape.record([a, b], shape, y, (dy) => {
    const da = tape.allocate(a.data.length);
    const db = tape.allocate(b.data.length);
    for (let i = 0; i < dy.length; i++)
      if (condition.data[conditionAt(i)] !== 0) da[aAt(i)]! += dy[i]!;
      else db[bAt(i)]! += dy[i]!;
    return [da, db];
  });
};
