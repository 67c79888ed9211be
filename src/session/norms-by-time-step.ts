import type { Tensor } from '../engine/kernels/tensor';

/** The Euclidean norm of [batch, time, …] at each time step. */
export function normsByTimeStep({ shape, data }: Tensor): Float64Array {
  const time = shape[1]!;
  const size = data.length / (shape[0]! * time);
  const squares = new Float64Array(time);
  for (let i = 0; i < data.length; i++) squares[Math.floor(i / size) % time]! += data[i]! * data[i]!;
  return squares.map(Math.sqrt);
}
