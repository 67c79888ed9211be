// Element-wise kernels that threads share where tensors are large. Each has the name of the serial kernel that computes
// its chunks.
import {
  fill as fillChunk,
  relu as reluChunk,
  reluBackward as reluBackwardChunk,
  sgd as sgdChunk,
  sgdWithMomentum as sgdWithMomentumChunk,
  sigmoid as sigmoidChunk,
  sigmoidBackward as sigmoidBackwardChunk,
  tanh as tanhChunk,
  tanhBackward as tanhBackwardChunk,
} from './elementwise';
import {
  ADDCDIV_SQRT,
  ADD_SIGN,
  AXPBY,
  AXPBY_SQUARED,
  CLAMP,
  FILL,
  MULTIPLY,
  RELU,
  RELU_BACKWARD,
  SGD,
  SGD_WITH_MOMENTUM,
  SIGMOID,
  SIGMOID_BACKWARD,
  TANH,
  TANH_BACKWARD,
  UNARY,
  UNARY_BACKWARD,
  setJobField,
  setJobNumbers,
} from './job';
import { parallelFor } from './parallel';
import { unary as unaryChunk, unaryBackward as unaryBackwardChunk } from './unary';
import {
  addcdivSqrt as addcdivSqrtChunk,
  addSign as addSignChunk,
  clamp as clampChunk,
  axpby as axpbyChunk,
  axpbySquared as axpbySquaredChunk,
  multiply as multiplyChunk,
} from './optimizer-updates';
import { ELEMENTS_PER_CHUNK } from './run-chunk';

/** Elements from which a kernel runs in parallel: one that only moves memory, and one that computes exponentials. */
const CHEAP_PARALLEL_THRESHOLD: i32 = 65536;
const EXPENSIVE_PARALLEL_THRESHOLD: i32 = 8192;

/**
 * Describes an element-wise job on up to three tensors of n elements, and runs it, in parallel from `threshold`
 * elements on.
 */
function elementwise(kind: i32, n: i32, threshold: i32, a: usize, b: usize, c: usize, x: f64, y: f64): void {
  setJobField(kind, 0, n);
  setJobField(kind, 1, a);
  setJobField(kind, 2, b);
  setJobField(kind, 3, c);
  setJobNumbers(x, y);
  parallelFor((n + ELEMENTS_PER_CHUNK - 1) / ELEMENTS_PER_CHUNK, n >= threshold);
}

export function fill(out: usize, n: i32, value: f64): void {
  if (n < CHEAP_PARALLEL_THRESHOLD) fillChunk(out, n, value);
  else elementwise(FILL, n, CHEAP_PARALLEL_THRESHOLD, out, 0, 0, value, 0);
}

export function sgd(w: usize, g: usize, n: i32, lr: f64): void {
  if (n < CHEAP_PARALLEL_THRESHOLD) sgdChunk(w, g, n, lr);
  else elementwise(SGD, n, CHEAP_PARALLEL_THRESHOLD, w, g, 0, lr, 0);
}

export function sgdWithMomentum(w: usize, g: usize, v: usize, n: i32, lr: f64, momentum: f64): void {
  if (n < CHEAP_PARALLEL_THRESHOLD) sgdWithMomentumChunk(w, g, v, n, lr, momentum);
  else elementwise(SGD_WITH_MOMENTUM, n, CHEAP_PARALLEL_THRESHOLD, w, g, v, lr, momentum);
}

export function sigmoid(y: usize, x: usize, n: i32): void {
  if (n < EXPENSIVE_PARALLEL_THRESHOLD) sigmoidChunk(y, x, n);
  else elementwise(SIGMOID, n, EXPENSIVE_PARALLEL_THRESHOLD, y, x, 0, 0, 0);
}

export function sigmoidBackward(dx: usize, dy: usize, y: usize, n: i32): void {
  if (n < CHEAP_PARALLEL_THRESHOLD) sigmoidBackwardChunk(dx, dy, y, n);
  else elementwise(SIGMOID_BACKWARD, n, CHEAP_PARALLEL_THRESHOLD, dx, dy, y, 0, 0);
}

export function tanh(y: usize, x: usize, n: i32): void {
  if (n < EXPENSIVE_PARALLEL_THRESHOLD) tanhChunk(y, x, n);
  else elementwise(TANH, n, EXPENSIVE_PARALLEL_THRESHOLD, y, x, 0, 0, 0);
}

export function tanhBackward(dx: usize, dy: usize, y: usize, n: i32): void {
  if (n < CHEAP_PARALLEL_THRESHOLD) tanhBackwardChunk(dx, dy, y, n);
  else elementwise(TANH_BACKWARD, n, CHEAP_PARALLEL_THRESHOLD, dx, dy, y, 0, 0);
}

export function relu(y: usize, x: usize, n: i32, by: f64): void {
  if (n < CHEAP_PARALLEL_THRESHOLD) reluChunk(y, x, n, by);
  else elementwise(RELU, n, CHEAP_PARALLEL_THRESHOLD, y, x, 0, by, 0);
}

export function reluBackward(dx: usize, dy: usize, x: usize, n: i32, by: f64): void {
  if (n < CHEAP_PARALLEL_THRESHOLD) reluBackwardChunk(dx, dy, x, n, by);
  else elementwise(RELU_BACKWARD, n, CHEAP_PARALLEL_THRESHOLD, dx, dy, x, by, 0);
}

export function axpby(out: usize, x: usize, n: i32, a: f64, b: f64): void {
  if (n < CHEAP_PARALLEL_THRESHOLD) axpbyChunk(out, x, n, a, b);
  else elementwise(AXPBY, n, CHEAP_PARALLEL_THRESHOLD, out, x, 0, a, b);
}

export function axpbySquared(out: usize, x: usize, n: i32, a: f64, b: f64): void {
  if (n < CHEAP_PARALLEL_THRESHOLD) axpbySquaredChunk(out, x, n, a, b);
  else elementwise(AXPBY_SQUARED, n, CHEAP_PARALLEL_THRESHOLD, out, x, 0, a, b);
}

export function addcdivSqrt(out: usize, x: usize, d: usize, n: i32, scale: f64, eps: f64): void {
  if (n < CHEAP_PARALLEL_THRESHOLD) addcdivSqrtChunk(out, x, d, n, scale, eps);
  else elementwise(ADDCDIV_SQRT, n, CHEAP_PARALLEL_THRESHOLD, out, x, d, scale, eps);
}

export function addSign(out: usize, x: usize, n: i32, scale: f64): void {
  if (n < CHEAP_PARALLEL_THRESHOLD) addSignChunk(out, x, n, scale);
  else elementwise(ADD_SIGN, n, CHEAP_PARALLEL_THRESHOLD, out, x, 0, scale, 0);
}

export function clamp(out: usize, x: usize, n: i32, low: f64, high: f64): void {
  if (n < CHEAP_PARALLEL_THRESHOLD) clampChunk(out, x, n, low, high);
  else elementwise(CLAMP, n, CHEAP_PARALLEL_THRESHOLD, out, x, 0, low, high);
}

export function multiply(out: usize, a: usize, b: usize, n: i32): void {
  if (n < CHEAP_PARALLEL_THRESHOLD) multiplyChunk(out, a, b, n);
  else elementwise(MULTIPLY, n, CHEAP_PARALLEL_THRESHOLD, out, a, b, 0, 0);
}

export function unary(y: usize, x: usize, n: i32, f: i32, a: f64): void {
  if (n < EXPENSIVE_PARALLEL_THRESHOLD) unaryChunk(y, x, n, f, a);
  else elementwise(UNARY, n, EXPENSIVE_PARALLEL_THRESHOLD, y, x, 0, a, <f64>f);
}

export function unaryBackward(dx: usize, dy: usize, x: usize, n: i32, f: i32, a: f64): void {
  if (n < EXPENSIVE_PARALLEL_THRESHOLD) unaryBackwardChunk(dx, dy, x, n, f, a);
  else elementwise(UNARY_BACKWARD, n, EXPENSIVE_PARALLEL_THRESHOLD, dx, dy, x, a, <f64>f);
}
