// Images of another size: the mean of windows that divide an image evenly, and copies of each pixel.
import type { Shape4, Tensor } from './tensor';

/** The first position of window i out of `count` over `size`, and the one after its last, as in PyTorch. */
const start = (i: number, count: number, size: number): number => Math.floor((i * size) / count);
const end = (i: number, count: number, size: number): number => Math.ceil(((i + 1) * size) / count);

/** Calls `visit` for each window: its index in the output, and the rows and columns that it covers in a plane. */
function forEachWindow(
  { shape }: Tensor,
  { shape: outputShape }: Tensor,
  visit: (output: number, plane: number, top: number, bottom: number, left: number, right: number) => void,
): void {
  const [images, channels, height, width] = shape as Shape4;
  const [, , rows, columns] = outputShape as Shape4;
  let output = 0;
  for (let plane = 0; plane < images * channels; plane++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++, output++)
        visit(
          output,
          plane * height * width,
          start(row, rows, height),
          end(row, rows, height),
          start(column, columns, width),
          end(column, columns, width),
        );
}

export function adaptiveAvgPool2d(y: Tensor, x: Tensor): void {
  const width = x.shape[3]!;
  forEachWindow(x, y, (output, plane, top, bottom, left, right) => {
    let sum = 0;
    for (let row = top; row < bottom; row++)
      for (let i = plane + row * width + left; i < plane + row * width + right; i++) sum += x.data[i]!;
    y.data[output] = sum / ((bottom - top) * (right - left));
  });
}

export function adaptiveAvgPool2dBackward(dx: Tensor, dy: Tensor): void {
  const width = dx.shape[3]!;
  dx.data.fill(0);
  forEachWindow(dx, dy, (output, plane, top, bottom, left, right) => {
    const each = dy.data[output]! / ((bottom - top) * (right - left));
    for (let row = top; row < bottom; row++)
      for (let i = plane + row * width + left; i < plane + row * width + right; i++) dx.data[i]! += each;
  });
}

/** Calls `visit` for each pixel of the larger image and the pixel of the smaller one that it copies. */
function forEachCopy(
  { shape }: Tensor,
  { shape: smallShape }: Tensor,
  visit: (to: number, from: number) => void,
): void {
  const [images, channels, height, width] = shape as Shape4;
  const [, , rows, columns] = smallShape as Shape4;
  const [down, right] = [height / rows, width / columns];
  let to = 0;
  for (let plane = 0; plane < images * channels; plane++) {
    for (let y = 0; y < height; y++) {
      const from = (plane * rows + Math.floor(y / down)) * columns;
      for (let x = 0; x < width; x++, to++) visit(to, from + Math.floor(x / right));
    }
  }
}

export function upsampleNearest2d(y: Tensor, x: Tensor): void {
  forEachCopy(y, x, (to, from) => (y.data[to] = x.data[from]!));
}

export function upsampleNearest2dBackward(dx: Tensor, dy: Tensor): void {
  dx.data.fill(0);
  forEachCopy(dy, dx, (to, from) => (dx.data[from]! += dy.data[to]!));
}
