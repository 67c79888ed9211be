// The maximum or the mean of each window, plane by plane. Padding never is the maximum; an option says whether the mean
// counts it.
import { AVG_POOL_BACKWARD, jobField, MAX_POOL, MAX_POOL_BACKWARD } from './job';
import { real } from './real';
import { LANES, SIZE, VECTOR } from './vectors';

/** Fields of the job. */
export const Y = 0,
  DY = 1,
  X = 2,
  DX = 3,
  PLANES = 4,
  HEIGHT = 5,
  WIDTH = 6,
  KERNEL_Y = 7,
  KERNEL_X = 8,
  STRIDE_Y = 9,
  STRIDE_X = 10,
  PADDING_Y = 11,
  PADDING_X = 12,
  COUNT_INCLUDE_PAD = 13,
  PLANES_PER_CHUNK = 14;

// @ts-ignore: decorator
@inline
function size(which: usize): i32 {
  return <i32>jobField(which);
}

/** The address of the largest number of a window: the first of equal ones, the last NaN. */
// @ts-ignore: decorator
@inline
function argmaxAddress(row: usize, step: usize, rows: i32, columns: i32): usize {
  let best = row;
  let most = load<real>(row);
  for (; rows > 0; rows--) {
    for (let at = row, end = row + <usize>columns * SIZE; at < end; at += SIZE) {
      const value = load<real>(at);
      if (value > most || value != value) {
        best = at;
        most = value;
      }
    }
    row += step;
  }
  return best;
}

/** Every second element of two adjacent vectors, starting with the first. */
// @ts-ignore: decorator
@inline
function evens(x: v128, y: v128): v128 {
  return sizeof<real>() == 8 ? v128.shuffle<f64>(x, y, 0, 2) : v128.shuffle<f32>(x, y, 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function odds(x: v128, y: v128): v128 {
  return sizeof<real>() == 8 ? v128.shuffle<f64>(x, y, 1, 3) : v128.shuffle<f32>(x, y, 1, 3, 5, 7);
}

/** Interleaves them again and stores them. */
// @ts-ignore: decorator
@inline
function storeInterleaved(at: usize, even: v128, odd: v128): void {
  v128.store(at, sizeof<real>() == 8 ? v128.shuffle<f64>(even, odd, 0, 2) : v128.shuffle<f32>(even, odd, 0, 4, 1, 5));
  v128.store(
    at,
    sizeof<real>() == 8 ? v128.shuffle<f64>(even, odd, 1, 3) : v128.shuffle<f32>(even, odd, 2, 6, 3, 7),
    VECTOR,
  );
}

/** Whether the second is larger than the first; see `argmaxAddress`. */
// @ts-ignore: decorator
@inline
function wins(second: v128, first: v128): v128 {
  return v128.or(v128.gt<real>(second, first), v128.ne<real>(second, second));
}

/** Adjacent 2x2 windows, one vector of them at a time, with the rules of `argmaxAddress`. @returns how many */
function maxPool2x2(back: bool, y: usize, x: usize, dx: usize, step: usize, windows: i32): i32 {
  let done = 0;
  for (; done + LANES <= windows; done += LANES) {
    const above = v128.load(x),
      above2 = v128.load(x, VECTOR),
      below = v128.load(x + step),
      below2 = v128.load(x + step, VECTOR);
    const a = evens(above, above2),
      b = odds(above, above2),
      c = evens(below, below2),
      d = odds(below, below2);
    const isB = wins(b, a);
    const ofTwo = v128.bitselect(b, a, isB);
    const isC = wins(c, ofTwo);
    const ofThree = v128.bitselect(c, ofTwo, isC);
    const isD = wins(d, ofThree);
    if (back) {
      const g = v128.load(y);
      const notD = v128.andnot(g, isD),
        notC = v128.andnot(notD, isC);
      storeInterleaved(dx, v128.andnot(notC, isB), v128.and(notC, isB));
      storeInterleaved(dx + step, v128.and(notD, isC), v128.and(g, isD));
    } else v128.store(y, v128.bitselect(d, ofThree, isD));
    x += 2 * VECTOR;
    dx += 2 * VECTOR;
    y += VECTOR;
  }
  return done;
}

export function poolChunk(kind: i32, index: i32): void {
  const height = size(HEIGHT),
    width = size(WIDTH),
    kernelY = size(KERNEL_Y),
    kernelX = size(KERNEL_X);
  const strideY = size(STRIDE_Y),
    strideX = size(STRIDE_X),
    paddingY = size(PADDING_Y),
    paddingX = size(PADDING_X);
  const countIncludePad = size(COUNT_INCLUDE_PAD) != 0;
  const down = (height + 2 * paddingY - kernelY) / strideY + 1,
    across = (width + 2 * paddingX - kernelX) / strideX + 1;
  const plane = <usize>(height * width) * SIZE,
    step = <usize>width * SIZE;
  const first = index * size(PLANES_PER_CHUNK),
    last = min(size(PLANES), first + size(PLANES_PER_CHUNK));
  let y = jobField(Y) + <usize>(first * down * across) * SIZE,
    dy = jobField(DY) + <usize>(first * down * across) * SIZE;
  let x = jobField(X) + <usize>first * plane,
    dx = jobField(DX) + <usize>first * plane;
  const back = kind == MAX_POOL_BACKWARD || kind == AVG_POOL_BACKWARD;
  const is2x2 =
    (kind == MAX_POOL || kind == MAX_POOL_BACKWARD) &&
    kernelY == 2 &&
    kernelX == 2 &&
    strideY == 2 &&
    strideX == 2 &&
    paddingY == 0 &&
    paddingX == 0;
  if (back) memory.fill(dx, 0, <usize>(last - first) * plane);
  for (let i = first; i < last; i++) {
    for (let row = 0; row < down; row++) {
      const top = max(0, row * strideY - paddingY),
        bottom = min(height, row * strideY - paddingY + kernelY);
      const offset = <usize>(top * width) * SIZE;
      const together = is2x2 ? maxPool2x2(back, back ? dy : y, x + offset, dx + offset, step, across) : 0;
      y += <usize>together * SIZE;
      dy += <usize>together * SIZE;
      for (let column = together; column < across; column++) {
        const left = max(0, column * strideX - paddingX),
          right = min(width, column * strideX - paddingX + kernelX);
        const offset = <usize>(top * width + left) * SIZE;
        if (kind == MAX_POOL) store<real>(y, load<real>(argmaxAddress(x + offset, step, bottom - top, right - left)));
        else if (kind == MAX_POOL_BACKWARD) {
          const at = dx + (argmaxAddress(x + offset, step, bottom - top, right - left) - x);
          store<real>(at, load<real>(at) + load<real>(dy));
        } else {
          const count = <f64>(countIncludePad ? kernelY * kernelX : (bottom - top) * (right - left));
          let sum: f64 = 0;
          const each: real = back ? <real>(<f64>load<real>(dy) / count) : 0;
          for (let r = top, from = offset; r < bottom; r++, from += step) {
            for (let at = from, end = from + <usize>(right - left) * SIZE; at < end; at += SIZE) {
              if (back) store<real>(dx + at, load<real>(dx + at) + each);
              else sum += <f64>load<real>(x + at);
            }
          }
          if (!back) store<real>(y, <real>(sum / count));
        }
        y += SIZE;
        dy += SIZE;
      }
    }
    x += plane;
    dx += plane;
  }
}
