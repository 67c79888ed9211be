// The maximum or the mean of each window. Padding never is the maximum; an option says whether the mean counts it.
import type { Tensor, TensorData, Shape4 } from './tensor';
import { strideOf, type WindowOptions, outputSize } from './windows';

/**
 * The index of a window in the output, and the part of the tensor that it covers: rows of a plane that begins at
 * `from`.
 */
export interface Window {
  outputIndex: number;
  planeStart: number;
  width: number;
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** Calls `visit` for each window over the images [images, channels, height, width], with the same object every time. */
export function forEachWindow({ shape }: Tensor, windows: WindowOptions, visit: (window: Window) => void): void {
  const [images, channels, height, width] = shape as Shape4;
  const { kernel_size, padding } = windows;
  const stride = strideOf(windows);
  const [rows, columns] = outputSize(height, width, windows);
  const window: Window = { outputIndex: 0, planeStart: 0, width, top: 0, bottom: 0, left: 0, right: 0 };
  for (let plane = 0; plane < images * channels; plane++) {
    window.planeStart = plane * height * width;
    for (let row = 0; row < rows; row++) {
      const y = row * stride[0] - padding[0];
      window.top = Math.max(0, y);
      window.bottom = Math.min(height, y + kernel_size[0]);
      for (let column = 0; column < columns; column++, window.outputIndex++) {
        const x = column * stride[1] - padding[1];
        window.left = Math.max(0, x);
        window.right = Math.min(width, x + kernel_size[1]);
        visit(window);
      }
    }
  }
}

/** Index of the maximum of a window: the first of equal ones, the last NaN, as in PyTorch. */
function argmax(data: TensorData, { planeStart, width, top, bottom, left, right }: Window): number {
  let best = planeStart + top * width + left;
  for (let y = top; y < bottom; y++) {
    for (let i = planeStart + y * width + left; i < planeStart + y * width + right; i++) {
      if (data[i]! > data[best]! || Number.isNaN(data[i])) best = i;
    }
  }
  return best;
}

export function maxPool2d(y: Tensor, x: Tensor, windows: WindowOptions): void {
  forEachWindow(x, windows, (window) => (y.data[window.outputIndex] = x.data[argmax(x.data, window)]!));
}

export function maxPool2dBackward(dx: Tensor, dy: Tensor, x: Tensor, windows: WindowOptions): void {
  dx.data.fill(0);
  forEachWindow(x, windows, (window) => (dx.data[argmax(x.data, window)]! += dy.data[window.outputIndex]!));
}

/** The divisor of a mean. */
const divisorOf = (
  { top, bottom, left, right }: Window,
  { kernel_size }: WindowOptions,
  countIncludePad: boolean,
): number => (countIncludePad ? kernel_size[0] * kernel_size[1] : (bottom - top) * (right - left));

export function avgPool2d(y: Tensor, x: Tensor, windows: WindowOptions, countIncludePad: boolean): void {
  forEachWindow(x, windows, (window) => {
    const { outputIndex, planeStart, width, top, bottom, left, right } = window;
    let sum = 0;
    for (let row = top; row < bottom; row++) {
      for (let i = planeStart + row * width + left; i < planeStart + row * width + right; i++) sum += x.data[i]!;
    }
    y.data[outputIndex] = sum / divisorOf(window, windows, countIncludePad);
  });
}

export function avgPool2dBackward(dx: Tensor, dy: Tensor, windows: WindowOptions, countIncludePad: boolean): void {
  dx.data.fill(0);
  forEachWindow(dx, windows, (window) => {
    const { outputIndex, planeStart, width, top, bottom, left, right } = window;
    const each = dy.data[outputIndex]! / divisorOf(window, windows, countIncludePad);
    for (let row = top; row < bottom; row++) {
      for (let i = planeStart + row * width + left; i < planeStart + row * width + right; i++) dx.data[i]! += each;
    }
  });
}

/**
 * Whether the maximum of any window is at another position in `a` than in `b`. If several values are equal in both,
 * such as the zeros after a ReLU, no kink is crossed.
 */
export function argmaxDiffers(a: Tensor, b: Tensor, windows: WindowOptions): boolean {
  let differ = false;
  forEachWindow(a, windows, (window) => {
    if (differ) return;
    const maxA = a.data[argmax(a.data, window)];
    const maxB = b.data[argmax(b.data, window)];
    const { planeStart, width, top, bottom, left, right } = window;
    for (let row = top; row < bottom; row++) {
      for (let i = planeStart + row * width + left; i < planeStart + row * width + right; i++) {
        if ((a.data[i] === maxA) !== (b.data[i] === maxB)) differ = true;
      }
    }
  });
  return differ;
}

/**
 * For each window with other values within `distance` of its maximum: writes values that put the maximum ahead of them
 * by that distance, and leaves the rest of `places` alone. Of equal values, the first or the last is put ahead.
 * @returns the number of windows that had equal values
 */
export function breakTies(
  targets: TensorData,
  { shape, data }: Tensor,
  windows: WindowOptions,
  distance: number,
  last: boolean,
): number {
  let tiedWindows = 0;
  const raised = new Set<number>();
  forEachWindow({ shape, data }, windows, (window) => {
    const { planeStart, width, top, bottom, left, right } = window;
    let first = argmax(data, window);
    const max = data[first]!;
    let close = 0;
    let ties = 0;
    for (let row = top; row < bottom; row++) {
      for (let i = planeStart + row * width + left; i < planeStart + row * width + right; i++) {
        if (max - data[i]! <= distance) close++;
        if (data[i] !== max) continue;
        ties++;
        if (last) first = i;
      }
    }
    if (close < 2) return;
    if (ties > 1) tiedWindows++;
    for (let row = top; row < bottom; row++) {
      for (let i = planeStart + row * width + left; i < planeStart + row * width + right; i++) targets[i] = data[i]!;
    }
    raised.add(first);
  });
  // A value may be ahead in several windows and meet another such value there: the earlier, or the later, gets a little
  // more.
  const plane = shape[2]! * shape[3]!;
  for (const i of raised) {
    const order = (i % plane) / plane;
    targets[i] = data[i]! + distance * (1 + (last ? order : 1 - order));
  }
  return tiedWindows;
}
