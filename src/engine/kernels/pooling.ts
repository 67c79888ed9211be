// The largest number under each window, or the mean. The padding's rim never wins; whether the mean counts it is
// an option.
import type { Tensor, TensorData } from './tensor';
import { strideOf, type Windows, windowsOver } from './windows';

/** A window's place in the output, and the part of the tensor that lies under it: rows of a plane that begins at `from`. */
export interface Window {
  place: number;
  from: number;
  width: number;
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** Calls `visit` for each window over the images [images, channels, height, width], with the same object every time. */
export function overWindows({ shape }: Tensor, windows: Windows, visit: (window: Window) => void): void {
  const [images, channels, height, width] = shape;
  const { kernel_size, padding } = windows;
  const stride = strideOf(windows);
  const [rows, columns] = windowsOver(height, width, windows);
  const window = { place: 0, from: 0, width, top: 0, bottom: 0, left: 0, right: 0 };
  for (let plane = 0; plane < images * channels; plane++) {
    window.from = plane * height * width;
    for (let row = 0; row < rows; row++) {
      const y = row * stride[0] - padding[0];
      window.top = Math.max(0, y);
      window.bottom = Math.min(height, y + kernel_size[0]);
      for (let column = 0; column < columns; column++, window.place++) {
        const x = column * stride[1] - padding[1];
        window.left = Math.max(0, x);
        window.right = Math.min(width, x + kernel_size[1]);
        visit(window);
      }
    }
  }
}

/** Index of the largest under a window; of several the first, of NaNs the last, as in PyTorch. */
function winner(data: TensorData, { from, width, top, bottom, left, right }: Window): number {
  let best = from + top * width + left;
  for (let y = top; y < bottom; y++) {
    for (let i = from + y * width + left; i < from + y * width + right; i++) {
      if (data[i] > data[best] || Number.isNaN(data[i])) best = i;
    }
  }
  return best;
}

export function maxPool(y: Tensor, x: Tensor, windows: Windows): void {
  overWindows(x, windows, (window) => (y.data[window.place] = x.data[winner(x.data, window)]));
}

export function maxPoolBackward(dx: Tensor, dy: Tensor, x: Tensor, windows: Windows): void {
  dx.data.fill(0);
  overWindows(x, windows, (window) => (dx.data[winner(x.data, window)] += dy.data[window.place]));
}

/** What a mean is divided by. */
const countOf = ({ top, bottom, left, right }: Window, { kernel_size }: Windows, padded: boolean): number =>
  padded ? kernel_size[0] * kernel_size[1] : (bottom - top) * (right - left);

export function averagePool(y: Tensor, x: Tensor, windows: Windows, padded: boolean): void {
  overWindows(x, windows, (window) => {
    const { place, from, width, top, bottom, left, right } = window;
    let sum = 0;
    for (let row = top; row < bottom; row++) {
      for (let i = from + row * width + left; i < from + row * width + right; i++) sum += x.data[i];
    }
    y.data[place] = sum / countOf(window, windows, padded);
  });
}

export function averagePoolBackward(dx: Tensor, dy: Tensor, windows: Windows, padded: boolean): void {
  dx.data.fill(0);
  overWindows(dx, windows, (window) => {
    const { place, from, width, top, bottom, left, right } = window;
    const each = dy.data[place] / countOf(window, windows, padded);
    for (let row = top; row < bottom; row++) {
      for (let i = from + row * width + left; i < from + row * width + right; i++) dx.data[i] += each;
    }
  });
}

/**
 * Whether the largest of any window lie elsewhere in `a` than in `b`. Where several are equal and stay equal, such as
 * the zeros that a ReLU leaves, nothing is crossed.
 */
export function winnersDiffer(a: Tensor, b: Tensor, windows: Windows): boolean {
  let differ = false;
  overWindows(a, windows, (window) => {
    if (differ) return;
    const most = a.data[winner(a.data, window)];
    const other = b.data[winner(b.data, window)];
    const { from, width, top, bottom, left, right } = window;
    for (let row = top; row < bottom; row++) {
      for (let i = from + row * width + left; i < from + row * width + right; i++) {
        if ((a.data[i] === most) !== (b.data[i] === other)) differ = true;
      }
    }
  });
  return differ;
}
