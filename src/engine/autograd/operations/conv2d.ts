// Two-dimensional convolution (cross-correlation, as in PyTorch), in loops.
import { formatShape, type Shape4, type Tensor } from '../../kernels/tensor';
import { requireTensor, type Operation } from '../operation';
import { OperationError } from '../tape';

type Pair = number | readonly [rows: number, columns: number];

export interface ConvolutionOptions {
  /** 1 by default. */
  readonly stride?: Pair;
  /** Zeros around the image; by default 0. */
  readonly padding?: Pair;
  /** Distance of neighbors in the kernel; by default 1. */
  readonly dilation?: Pair;
}

function toPair(name: string, value: Pair, least: number): readonly [number, number] {
  const pair = typeof value === 'number' ? ([value, value] as const) : value;
  if (pair.length === 2 && pair.every((n) => Number.isInteger(n) && n >= least)) return pair;
  throw new OperationError(`conv2d: "${name}" must be one or two whole numbers from ${least} up.`);
}

/** x [batch, channels, height, width] with weight [filters, channels, rows, columns]. */
export const conv2d: Operation<[x: Tensor, weight: Tensor, options?: ConvolutionOptions]> = (
  tape,
  image,
  kernel,
  options = {},
) => {
  const x = requireTensor('conv2d', image);
  const weight = requireTensor('conv2d', kernel);
  if (x.shape.length !== 4 || weight.shape.length !== 4 || x.shape[1] !== weight.shape[1])
    throw new OperationError(
      `conv2d: ${formatShape(x.shape)} and ${formatShape(weight.shape)} are no [batch, channels, height, width] and [filters, channels, rows, columns].`,
    );
  const [samples, channels, height, width] = x.shape as Shape4;
  const [filters, , kernelRows, kernelColumns] = weight.shape as Shape4;
  const [strideRows, strideColumns] = toPair('stride', options.stride ?? 1, 1);
  const [padRows, padColumns] = toPair('padding', options.padding ?? 0, 0);
  const [dilationRows, dilationColumns] = toPair('dilation', options.dilation ?? 1, 1);
  const rows = Math.floor((height + 2 * padRows - dilationRows * (kernelRows - 1) - 1) / strideRows) + 1;
  const columns = Math.floor((width + 2 * padColumns - dilationColumns * (kernelColumns - 1) - 1) / strideColumns) + 1;
  if (rows < 1 || columns < 1)
    throw new OperationError(
      `conv2d: a kernel of ${kernelRows}×${kernelColumns} does not fit into ${height}×${width} with this padding.`,
    );
  /** Visits every product: its indices in the output, in x and in the weight. */
  const visit = (each: (y: number, x: number, w: number) => void): void => {
    let y = 0;
    for (let sample = 0; sample < samples; sample++)
      for (let filter = 0; filter < filters; filter++)
        for (let row = 0; row < rows; row++)
          for (let column = 0; column < columns; column++, y++)
            for (let channel = 0, w = filter * channels * kernelRows * kernelColumns; channel < channels; channel++)
              for (let i = 0; i < kernelRows; i++)
                for (let j = 0; j < kernelColumns; j++, w++) {
                  const r = row * strideRows - padRows + i * dilationRows;
                  const c = column * strideColumns - padColumns + j * dilationColumns;
                  if (r < 0 || r >= height || c < 0 || c >= width) continue;
                  each(y, ((sample * channels + channel) * height + r) * width + c, w);
                }
  };
  const y = tape.allocate(samples * filters * rows * columns);
  visit((at, xAt, wAt) => (y[at]! += x.data[xAt]! * weight.data[wAt]!));
  return tape.record([x, weight], [samples, filters, rows, columns], y, (dy) => {
    const dx = tape.allocate(x.data.length);
    const dw = tape.allocate(weight.data.length);
    visit((at, xAt, wAt) => {
      dx[xAt]! += dy[at]! * weight.data[wAt]!;
      dw[wAt]! += dy[at]! * x.data[xAt]!;
    });
    return [dx, dw];
  });
};
