// Convolution as matrix products: each image is unfolded so that a window is a column; then the weights, a row for
// each output channel, are multiplied with it. Everything works on one image at a time, in one workspace for all.
import type { Kernels } from './kernels';
import { type Tensor, type TensorData, view } from './tensor';
import { strideOf, type Windows, windowsOver } from './windows';

type Products = Pick<Kernels, 'fill' | 'matmul' | 'matmulTransposedA' | 'matmulTransposedB'>;

/** Views are made once for a tensor: a training step makes no garbage. */
const matrices = new WeakMap<Tensor, readonly Tensor[]>();
const flats = new WeakMap<Tensor, Tensor>();

/** The images of [images, channels, height, width], each as a matrix [channels, height · width]. */
function imagesOf(tensor: Tensor): readonly Tensor[] {
  let made = matrices.get(tensor);
  if (!made) {
    const [images, channels] = tensor.shape;
    const size = tensor.data.length / images;
    made = Array.from({ length: images }, (_, i) => ({
      shape: [channels, size / channels],
      data: tensor.data.subarray(i * size, (i + 1) * size),
    }));
    matrices.set(tensor, made);
  }
  return made;
}

/** Weights [out, in, height, width] as a matrix with a row for each output channel. */
function rowsOf(weight: Tensor): Tensor {
  let made = flats.get(weight);
  if (!made) {
    made = view(weight, [weight.shape[0], weight.data.length / weight.shape[0]]);
    flats.set(weight, made);
  }
  return made;
}

/** Writes what lies under each window, 0 in the padding, or adds it back to where it came from. */
function exchange(columns: TensorData, image: TensorData, { shape }: Tensor, windows: Windows, back: boolean): void {
  const [, channels, height, width] = shape;
  const { kernel_size, padding } = windows;
  const [down, right] = strideOf(windows);
  const [rows, across] = windowsOver(height, width, windows);
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let ky = 0; ky < kernel_size[0]; ky++) {
      for (let kx = 0; kx < kernel_size[1]; kx++) {
        for (let row = 0; row < rows; row++) {
          const y = row * down + ky - padding[0];
          const inside = y >= 0 && y < height;
          const from = (channel * height + y) * width;
          for (let column = 0; column < across; column++, at++) {
            const x = column * right + kx - padding[1];
            if (inside && x >= 0 && x < width) {
              if (back) image[from + x] += columns[at];
              else columns[at] = image[from + x];
            } else if (!back) columns[at] = 0;
          }
        }
      }
    }
  }
}

export function convolve(
  kernels: Products, y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, windows: Windows, columns: Tensor,
): void {
  const rows = rowsOf(weight);
  const inputs = imagesOf(x);
  imagesOf(y).forEach((out, i) => {
    if (bias) {
      const size = out.shape[1];
      for (let channel = 0; channel < out.shape[0]; channel++) {
        out.data.fill(bias.data[channel], channel * size, (channel + 1) * size);
      }
    }
    exchange(columns.data, inputs[i].data, x, windows, false);
    kernels.matmul(out, rows, columns, bias !== null);
  });
}

/** dx, all of it. */
export function convolveBackwardInput(
  kernels: Products, dx: Tensor, dy: Tensor, weight: Tensor, windows: Windows, columns: Tensor,
): void {
  const rows = rowsOf(weight);
  const gradients = imagesOf(dy);
  kernels.fill(dx, 0);
  imagesOf(dx).forEach(({ data }, i) => {
    kernels.matmulTransposedA(columns, rows, gradients[i], false);
    exchange(columns.data, data, dx, windows, true);
  });
}

/** Adds to dWeight, and to dBias if there is one. */
export function convolveBackwardWeight(
  kernels: Products, dWeight: Tensor, dBias: Tensor | null, dy: Tensor, x: Tensor, windows: Windows, columns: Tensor,
): void {
  const rows = rowsOf(dWeight);
  const inputs = imagesOf(x);
  imagesOf(dy).forEach((gradient, i) => {
    exchange(columns.data, inputs[i].data, x, windows, false);
    kernels.matmulTransposedB(rows, gradient, columns, true);
  });
  if (dBias) addChannelSums(dBias.data, dy);
}

function addChannelSums(sums: TensorData, { shape, data }: Tensor): void {
  const [images, channels] = shape;
  const size = data.length / (images * channels);
  for (let channel = 0; channel < channels; channel++) {
    let sum = 0;
    for (let image = 0; image < images; image++) {
      const from = (image * channels + channel) * size;
      for (let i = from; i < from + size; i++) sum += data[i];
    }
    sums[channel] += sum;
  }
}
