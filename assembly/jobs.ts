// Jobs that threads share: what is large enough is described in memory that all of them see, and cut into pieces.
import {
  fill as fillPiece, relu as reluPiece, reluBackward as reluBackwardPiece, sgd as sgdPiece,
  sgdWithMomentum as sgdWithMomentumPiece, sigmoid as sigmoidPiece, sigmoidBackward as sigmoidBackwardPiece,
  tanh as tanhPiece, tanhBackward as tanhBackwardPiece,
} from './elementwise';
import { convolveBackInputPiece, convolveBackWeightPiece, convolvePiece } from './convolution';
import { poolPiece } from './pooling';
import { productPiece } from './products';
import { share } from './threads';
import { SIZE } from './vectors';

/** The kind of a job, addresses and sizes from byte 4 on, two doubles from byte 96 on. */
export const JOB: usize = 3072;
const DOUBLES: usize = JOB + 96;

export const PRODUCT = 0;
const FILL = 1, SGD = 2, SGD_WITH_MOMENTUM = 3, SIGMOID = 4, SIGMOID_BACKWARD = 5, TANH = 6, TANH_BACKWARD = 7, RELU = 8, RELU_BACKWARD = 9;
export const CONVOLVE = 10, CONVOLVE_BACK_WEIGHT = 11, CONVOLVE_BACK_INPUT = 12;
export const MAX_POOL = 13, MAX_POOL_BACK = 14, AVERAGE_POOL = 15, AVERAGE_POOL_BACK = 16;

// @ts-ignore: decorator
@inline
export function describe(kind: i32, i: usize, value: usize): void {
  store<i32>(JOB, kind);
  store<usize>(JOB + 4 + 4 * i, value);
}

// @ts-ignore: decorator
@inline
export function described(i: usize): usize {
  return load<usize>(JOB + 4 + 4 * i);
}

/** Elements of a piece, and how many make a job of something cheap (memory moves) and of something dear (exponentials). */
const PIECE: i32 = 4096;
const CHEAP: i32 = 65536;
const DEAR: i32 = 8192;

/** An operation on each of n elements by itself, of up to three tensors. */
function elementwise(kind: i32, n: i32, least: i32, a: usize, b: usize, c: usize, x: f64, y: f64): void {
  describe(kind, 0, n);
  describe(kind, 1, a);
  describe(kind, 2, b);
  describe(kind, 3, c);
  store<f64>(DOUBLES, x);
  store<f64>(DOUBLES, y, 8);
  share((n + PIECE - 1) / PIECE, n >= least);
}

export function piece(index: i32): void {
  const kind = load<i32>(JOB);
  switch (kind) {
    case PRODUCT: productPiece(index); return;
    case CONVOLVE: convolvePiece(index); return;
    case CONVOLVE_BACK_WEIGHT: convolveBackWeightPiece(index); return;
    case CONVOLVE_BACK_INPUT: convolveBackInputPiece(index); return;
    case MAX_POOL: case MAX_POOL_BACK: case AVERAGE_POOL: case AVERAGE_POOL_BACK: poolPiece(kind, index); return;
    default: elementwisePiece(kind, index);
  }
}

function elementwisePiece(kind: i32, index: i32): void {
  const from = index * PIECE;
  const n = min(PIECE, <i32>described(0) - from);
  const offset = <usize>from * SIZE;
  const a = described(1) + offset, b = described(2) + offset, c = described(3) + offset;
  const x = load<f64>(DOUBLES), y = load<f64>(DOUBLES, 8);
  switch (kind) {
    case FILL: fillPiece(a, n, x); break;
    case SGD: sgdPiece(a, b, n, x); break;
    case SGD_WITH_MOMENTUM: sgdWithMomentumPiece(a, b, c, n, x, y); break;
    case SIGMOID: sigmoidPiece(a, b, n); break;
    case SIGMOID_BACKWARD: sigmoidBackwardPiece(a, b, c, n); break;
    case TANH: tanhPiece(a, b, n); break;
    case TANH_BACKWARD: tanhBackwardPiece(a, b, c, n); break;
    case RELU: reluPiece(a, b, n, x); break;
    case RELU_BACKWARD: reluBackwardPiece(a, b, c, n, x); break;
    default: unreachable();
  }
}

export function fill(out: usize, n: i32, value: f64): void {
  if (n < CHEAP) fillPiece(out, n, value);
  else elementwise(FILL, n, CHEAP, out, 0, 0, value, 0);
}

export function sgd(w: usize, g: usize, n: i32, lr: f64): void {
  if (n < CHEAP) sgdPiece(w, g, n, lr);
  else elementwise(SGD, n, CHEAP, w, g, 0, lr, 0);
}

export function sgdWithMomentum(w: usize, g: usize, v: usize, n: i32, lr: f64, momentum: f64): void {
  if (n < CHEAP) sgdWithMomentumPiece(w, g, v, n, lr, momentum);
  else elementwise(SGD_WITH_MOMENTUM, n, CHEAP, w, g, v, lr, momentum);
}

export function sigmoid(y: usize, x: usize, n: i32): void {
  if (n < DEAR) sigmoidPiece(y, x, n);
  else elementwise(SIGMOID, n, DEAR, y, x, 0, 0, 0);
}

export function sigmoidBackward(dx: usize, dy: usize, y: usize, n: i32): void {
  if (n < CHEAP) sigmoidBackwardPiece(dx, dy, y, n);
  else elementwise(SIGMOID_BACKWARD, n, CHEAP, dx, dy, y, 0, 0);
}

export function tanh(y: usize, x: usize, n: i32): void {
  if (n < DEAR) tanhPiece(y, x, n);
  else elementwise(TANH, n, DEAR, y, x, 0, 0, 0);
}

export function tanhBackward(dx: usize, dy: usize, y: usize, n: i32): void {
  if (n < CHEAP) tanhBackwardPiece(dx, dy, y, n);
  else elementwise(TANH_BACKWARD, n, CHEAP, dx, dy, y, 0, 0);
}

export function relu(y: usize, x: usize, n: i32, by: f64): void {
  if (n < CHEAP) reluPiece(y, x, n, by);
  else elementwise(RELU, n, CHEAP, y, x, 0, by, 0);
}

export function reluBackward(dx: usize, dy: usize, x: usize, n: i32, by: f64): void {
  if (n < CHEAP) reluBackwardPiece(dx, dy, x, n, by);
  else elementwise(RELU_BACKWARD, n, CHEAP, dx, dy, x, by, 0);
}
