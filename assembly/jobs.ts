// Jobs that threads share: what is large enough is described in memory that all of them see, and cut into pieces.
import {
  fill as fillPiece, relu as reluPiece, reluBackward as reluBackwardPiece, sgd as sgdPiece,
  sgdWithMomentum as sgdWithMomentumPiece, sigmoid as sigmoidPiece, sigmoidBackward as sigmoidBackwardPiece,
  tanh as tanhPiece, tanhBackward as tanhBackwardPiece,
} from './elementwise';
import { convolveBackInputPiece, convolveBackWeightPiece, convolvePiece } from './convolution';
import { convolvePaddedPiece, turnAroundPiece } from './padded';
import { convolvePixelsPiece } from './pixels';
import { poolPiece } from './pooling';
import { productPiece } from './products';
import { share } from './threads';
import { unary as unaryPiece, unaryBackward as unaryBackwardPiece } from './unary';
import {
  addQuotient as addQuotientPiece, addSign as addSignPiece, clamp as clampPiece, combine as combinePiece,
  combineSquares as combineSquaresPiece, multiply as multiplyPiece,
} from './updates';
import { SIZE } from './vectors';

/** The kind of a job, addresses and sizes from byte 4 on, two doubles from byte 96 on. */
export const JOB: usize = 3072;
const DOUBLES: usize = JOB + 96;

export const PRODUCT = 0;
const FILL = 1, SGD = 2, SGD_WITH_MOMENTUM = 3, SIGMOID = 4, SIGMOID_BACKWARD = 5, TANH = 6, TANH_BACKWARD = 7, RELU = 8, RELU_BACKWARD = 9;
export const CONVOLVE = 10, CONVOLVE_BACK_WEIGHT = 11, CONVOLVE_BACK_INPUT = 12;
export const MAX_POOL = 13, MAX_POOL_BACK = 14, AVERAGE_POOL = 15, AVERAGE_POOL_BACK = 16;
const COMBINE = 17, COMBINE_SQUARES = 18, ADD_QUOTIENT = 19, ADD_SIGN = 20, CLAMP = 21, MULTIPLY = 22, UNARY = 23, UNARY_BACKWARD = 24;
export const CONVOLVE_PADDED = 25, TURN_AROUND = 26, CONVOLVE_PIXELS = 27;

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
    case CONVOLVE_PADDED: convolvePaddedPiece(index); return;
    case TURN_AROUND: turnAroundPiece(index); return;
    case CONVOLVE_PIXELS: convolvePixelsPiece(index); return;
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
    case COMBINE: combinePiece(a, b, n, x, y); break;
    case COMBINE_SQUARES: combineSquaresPiece(a, b, n, x, y); break;
    case ADD_QUOTIENT: addQuotientPiece(a, b, c, n, x, y); break;
    case ADD_SIGN: addSignPiece(a, b, n, x); break;
    case CLAMP: clampPiece(a, b, n, x, y); break;
    case MULTIPLY: multiplyPiece(a, b, c, n); break;
    case UNARY: unaryPiece(a, b, n, <i32>y, x); break;
    case UNARY_BACKWARD: unaryBackwardPiece(a, b, c, n, <i32>y, x); break;
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

export function combine(out: usize, x: usize, n: i32, a: f64, b: f64): void {
  if (n < CHEAP) combinePiece(out, x, n, a, b);
  else elementwise(COMBINE, n, CHEAP, out, x, 0, a, b);
}

export function combineSquares(out: usize, x: usize, n: i32, a: f64, b: f64): void {
  if (n < CHEAP) combineSquaresPiece(out, x, n, a, b);
  else elementwise(COMBINE_SQUARES, n, CHEAP, out, x, 0, a, b);
}

export function addQuotient(out: usize, x: usize, d: usize, n: i32, scale: f64, eps: f64): void {
  if (n < CHEAP) addQuotientPiece(out, x, d, n, scale, eps);
  else elementwise(ADD_QUOTIENT, n, CHEAP, out, x, d, scale, eps);
}

export function addSign(out: usize, x: usize, n: i32, scale: f64): void {
  if (n < CHEAP) addSignPiece(out, x, n, scale);
  else elementwise(ADD_SIGN, n, CHEAP, out, x, 0, scale, 0);
}

export function clamp(out: usize, x: usize, n: i32, low: f64, high: f64): void {
  if (n < CHEAP) clampPiece(out, x, n, low, high);
  else elementwise(CLAMP, n, CHEAP, out, x, 0, low, high);
}

export function multiply(out: usize, a: usize, b: usize, n: i32): void {
  if (n < CHEAP) multiplyPiece(out, a, b, n);
  else elementwise(MULTIPLY, n, CHEAP, out, a, b, 0, 0);
}

export function unary(y: usize, x: usize, n: i32, f: i32, a: f64): void {
  if (n < DEAR) unaryPiece(y, x, n, f, a);
  else elementwise(UNARY, n, DEAR, y, x, 0, a, <f64>f);
}

export function unaryBackward(dx: usize, dy: usize, x: usize, n: i32, f: i32, a: f64): void {
  if (n < DEAR) unaryBackwardPiece(dx, dy, x, n, f, a);
  else elementwise(UNARY_BACKWARD, n, DEAR, dx, dy, x, a, <f64>f);
}
