// Max pooling and average pooling as jobs of chunks, each of some planes.
import { AVG_POOL, AVG_POOL_BACKWARD, MAX_POOL, MAX_POOL_BACKWARD, setJobField } from './job';
import { parallelFor } from './parallel';
import {
  COUNT_INCLUDE_PAD,
  DX,
  DY,
  HEIGHT,
  KERNEL_X,
  KERNEL_Y,
  PADDING_X,
  PADDING_Y,
  PLANES,
  PLANES_PER_CHUNK,
  STRIDE_X,
  STRIDE_Y,
  WIDTH,
  X,
  Y,
} from './pooling-chunk';

/** Approximate elements per chunk, and elements from which pooling runs in parallel. */
const CHUNK: i32 = 4096;
const PARALLEL_THRESHOLD: i32 = 32768;

function pool(
  kind: i32,
  y: usize,
  dy: usize,
  x: usize,
  dx: usize,
  planes: i32,
  height: i32,
  width: i32,
  kernelY: i32,
  kernelX: i32,
  strideY: i32,
  strideX: i32,
  paddingY: i32,
  paddingX: i32,
  countIncludePad: i32,
): void {
  setJobField(kind, Y, y);
  setJobField(kind, DY, dy);
  setJobField(kind, X, x);
  setJobField(kind, DX, dx);
  setJobField(kind, PLANES, planes);
  setJobField(kind, HEIGHT, height);
  setJobField(kind, WIDTH, width);
  setJobField(kind, KERNEL_Y, kernelY);
  setJobField(kind, KERNEL_X, kernelX);
  setJobField(kind, STRIDE_Y, strideY);
  setJobField(kind, STRIDE_X, strideX);
  setJobField(kind, PADDING_Y, paddingY);
  setJobField(kind, PADDING_X, paddingX);
  setJobField(kind, COUNT_INCLUDE_PAD, countIncludePad);
  const together = max(1, CHUNK / (height * width));
  setJobField(kind, PLANES_PER_CHUNK, together);
  parallelFor((planes + together - 1) / together, planes * height * width >= PARALLEL_THRESHOLD);
}

export function maxPool2d(
  y: usize,
  x: usize,
  planes: i32,
  height: i32,
  width: i32,
  kernelY: i32,
  kernelX: i32,
  strideY: i32,
  strideX: i32,
  paddingY: i32,
  paddingX: i32,
): void {
  pool(MAX_POOL, y, 0, x, 0, planes, height, width, kernelY, kernelX, strideY, strideX, paddingY, paddingX, 0);
}

export function maxPool2dBackward(
  dx: usize,
  dy: usize,
  x: usize,
  planes: i32,
  height: i32,
  width: i32,
  kernelY: i32,
  kernelX: i32,
  strideY: i32,
  strideX: i32,
  paddingY: i32,
  paddingX: i32,
): void {
  pool(
    MAX_POOL_BACKWARD,
    0,
    dy,
    x,
    dx,
    planes,
    height,
    width,
    kernelY,
    kernelX,
    strideY,
    strideX,
    paddingY,
    paddingX,
    0,
  );
}

export function avgPool2d(
  y: usize,
  x: usize,
  planes: i32,
  height: i32,
  width: i32,
  kernelY: i32,
  kernelX: i32,
  strideY: i32,
  strideX: i32,
  paddingY: i32,
  paddingX: i32,
  countIncludePad: i32,
): void {
  pool(
    AVG_POOL,
    y,
    0,
    x,
    0,
    planes,
    height,
    width,
    kernelY,
    kernelX,
    strideY,
    strideX,
    paddingY,
    paddingX,
    countIncludePad,
  );
}

export function avgPool2dBackward(
  dx: usize,
  dy: usize,
  planes: i32,
  height: i32,
  width: i32,
  kernelY: i32,
  kernelX: i32,
  strideY: i32,
  strideX: i32,
  paddingY: i32,
  paddingX: i32,
  countIncludePad: i32,
): void {
  pool(
    AVG_POOL_BACKWARD,
    0,
    dy,
    0,
    dx,
    planes,
    height,
    width,
    kernelY,
    kernelX,
    strideY,
    strideX,
    paddingY,
    paddingX,
    countIncludePad,
  );
}
