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

/**
 * For windows whose largest has others within `distance` of it: writes where their numbers are to lie so that it is ahead
 * of them by that much, and leaves the rest of `places` alone. Of equal ones the first is put ahead, or the last.
 * @returns how many windows had equal ones.
 */
export function holdWinners(places: TensorData, { shape, data }: Tensor, windows: Windows, distance: number, last: boolean): number {
  let equal = 0;
  const ahead = new Set<number>();
  overWindows({ shape, data }, windows, (window) => {
    const { from, width, top, bottom, left, right } = window;
    let first = winner(data, window);
    const most = data[first];
    let close = 0;
    let ties = 0;
    for (let row = top; row < bottom; row++) {
      for (let i = from + row * width + left; i < from + row * width + right; i++) {
        if (most - data[i] <= distance) close++;
        if (data[i] !== most) continue;
        ties++;
        if (last) first = i;
      }
    }
    if (close < 2) return;
    if (ties > 1) equal++;
    for (let row = top; row < bottom; row++) {
      for (let i = from + row * width + left; i < from + row * width + right; i++) places[i] = data[i];
    }
    ahead.add(first);
  });
  // One may be ahead in several windows, and meet there one that is ahead, too: the earlier by a little more, or the later.
  const plane = shape[2] * shape[3];
  for (const i of ahead) {
    const order = (i % plane) / plane;
    places[i] = data[i] + distance * (1 + (last ? order : 1 - order));
  }
  return equal;
}
