// Convolution as matrix products: im2col turns each window of an image into a column, which is multiplied with the
// weights, one row per output channel. Works on one image at a time, in one shared workspace.
import type { Kernels } from './kernels';
import { cached } from './cached';
import { accumulateChannels } from './channels';
import type { Shape2, Shape4, Tensor, TensorData } from './tensor';
import { dilationOf, strideOf, type WindowOptions, outputSize } from './windows';

type MatmulKernels = Pick<Kernels, 'fill' | 'matmul' | 'matmulTransposedA' | 'matmulTransposedB'>;

/** Views by number of groups; cached per tensor, so that training steps allocate nothing. */
const imageMatrixCache = cached((_tensor: Tensor) => new Map<number, readonly Tensor[]>());
const weightMatrixCache = cached((_tensor: Tensor) => new Map<number, readonly Tensor[]>());

/** Consecutive parts of a tensor as matrices [rows, …]. */
function matrices({ data }: Tensor, count: number, rows: number): readonly Tensor[] {
  const size = data.length / count;
  return Array.from({ length: count }, (_, i) => ({
    shape: [rows, size / rows],
    data: data.subarray(i * size, (i + 1) * size),
  }));
}

/** The groups of each image of [images, channels, height, width], as matrices [channels, height · width]. */
function imageMatrices(tensor: Tensor, groups: number): readonly Tensor[] {
  const byGroups = imageMatrixCache(tensor);
  let made = byGroups.get(groups);
  if (!made) {
    const [images, channels] = tensor.shape as Shape2;
    made = matrices(tensor, images * groups, channels / groups);
    byGroups.set(groups, made);
  }
  return made;
}

/** Weights [out, in, height, width], for each group a matrix with one row per output channel. */
function weightMatrices(weight: Tensor, groups: number): readonly Tensor[] {
  const byGroups = weightMatrixCache(weight);
  let made = byGroups.get(groups);
  if (!made) {
    made = matrices(weight, groups, weight.shape[0]! / groups);
    byGroups.set(groups, made);
  }
  return made;
}

/** im2col: writes the contents of each window, 0 in the padding. col2im: adds them back to where they came from. */
function im2colOrCol2im(
  columns: TensorData,
  image: TensorData,
  { shape }: Tensor,
  windows: WindowOptions,
  reverse: boolean,
): void {
  const [, allChannels, height, width] = shape as Shape4;
  const { kernel_size, padding, groups = 1 } = windows;
  const channels = allChannels / groups;
  const [down, right] = strideOf(windows);
  const [dilationY, dilationX] = dilationOf(windows);
  const [outputHeight, outputWidth] = outputSize(height, width, windows);
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let ky = 0; ky < kernel_size[0]; ky++) {
      for (let kx = 0; kx < kernel_size[1]; kx++) {
        for (let row = 0; row < outputHeight; row++) {
          const y = row * down + ky * dilationY - padding[0];
          const inside = y >= 0 && y < height;
          const from = (channel * height + y) * width;
          for (let column = 0; column < outputWidth; column++, at++) {
            const x = column * right + kx * dilationX - padding[1];
            if (inside && x >= 0 && x < width) {
              if (reverse) image[from + x]! += columns[at]!;
              else columns[at] = image[from + x]!;
            } else if (!reverse) columns[at] = 0;
          }
        }
      }
    }
  }
}

export function conv2d(
  kernels: MatmulKernels,
  y: Tensor,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  windows: WindowOptions,
  columns: Tensor,
): void {
  const { groups = 1 } = windows;
  const rows = weightMatrices(weight, groups);
  const inputs = imageMatrices(x, groups);
  imageMatrices(y, groups).forEach((out, i) => {
    const group = i % groups;
    if (bias) {
      const [channels, size] = out.shape as Shape2;
      for (let channel = 0; channel < channels; channel++) {
        out.data.fill(bias.data[group * channels + channel]!, channel * size, (channel + 1) * size);
      }
    }
    im2colOrCol2im(columns.data, inputs[i]!.data, x, windows, false);
    kernels.matmul(out, rows[group]!, columns, bias !== null);
  });
}

/** Writes all of dx. */
export function conv2dBackwardInput(
  kernels: MatmulKernels,
  dx: Tensor,
  dy: Tensor,
  weight: Tensor,
  windows: WindowOptions,
  columns: Tensor,
): void {
  const { groups = 1 } = windows;
  const rows = weightMatrices(weight, groups);
  const gradients = imageMatrices(dy, groups);
  kernels.fill(dx, 0);
  imageMatrices(dx, groups).forEach(({ data }, i) => {
    kernels.matmulTransposedA(columns, rows[i % groups]!, gradients[i]!, false);
    im2colOrCol2im(columns.data, data, dx, windows, true);
  });
}

/** Adds to dWeight, and to dBias if there is one. */
export function conv2dBackwardWeight(
  kernels: MatmulKernels,
  dWeight: Tensor,
  dBias: Tensor | null,
  dy: Tensor,
  x: Tensor,
  windows: WindowOptions,
  columns: Tensor,
): void {
  const { groups = 1 } = windows;
  const rows = weightMatrices(dWeight, groups);
  const inputs = imageMatrices(x, groups);
  imageMatrices(dy, groups).forEach((gradient, i) => {
    im2colOrCol2im(columns.data, inputs[i]!.data, x, windows, false);
    kernels.matmulTransposedB(rows[i % groups]!, gradient, columns, true);
  });
  if (dBias) accumulateChannels(dBias, dy);
}
