// The job that threads share: a description in memory that all of them see. Its size alone decides how it is divided
// into chunks.

/** The kind of the job; from byte 4 on addresses and sizes, from byte 96 on two doubles. */
const JOB: usize = 3072;
const DOUBLES: usize = JOB + 96;

export const GEMM = 0;
export const FILL = 1,
  SGD = 2,
  SGD_WITH_MOMENTUM = 3,
  SIGMOID = 4,
  SIGMOID_BACKWARD = 5,
  TANH = 6,
  TANH_BACKWARD = 7,
  RELU = 8,
  RELU_BACKWARD = 9;
export const CONVOLVE = 10,
  CONVOLVE_BACKWARD_WEIGHT = 11,
  CONVOLVE_BACKWARD_INPUT = 12;
export const MAX_POOL = 13,
  MAX_POOL_BACKWARD = 14,
  AVG_POOL = 15,
  AVG_POOL_BACKWARD = 16;
export const AXPBY = 17,
  AXPBY_SQUARED = 18,
  ADDCDIV_SQRT = 19,
  ADD_SIGN = 20,
  CLAMP = 21,
  MULTIPLY = 22,
  UNARY = 23,
  UNARY_BACKWARD = 24;
export const IMPLICIT_GEMM = 25,
  FLIP_KERNEL = 26,
  NHWC_WEIGHT_GRADIENT = 27;
export const HEAD_PRODUCTS = 28,
  HEAD_SUMS = 29,
  HEAD_SUMS_TRANSPOSED = 30,
  CAUSAL_SOFTMAX = 31;
export const NORMALIZE_ROWS = 32,
  BATCHED_CROSS_ENTROPY = 33;

// @ts-ignore: decorator
@inline
export function setJobField(kind: i32, i: usize, value: usize): void {
  store<i32>(JOB, kind);
  store<usize>(JOB + 4 + 4 * i, value);
}

// @ts-ignore: decorator
@inline
export function jobField(i: usize): usize {
  return load<usize>(JOB + 4 + 4 * i);
}

// @ts-ignore: decorator
@inline
export function setJobNumbers(x: f64, y: f64): void {
  store<f64>(DOUBLES, x);
  store<f64>(DOUBLES, y, 8);
}

// @ts-ignore: decorator
@inline
export function firstJobNumber(): f64 {
  return load<f64>(DOUBLES);
}

// @ts-ignore: decorator
@inline
export function secondJobNumber(): f64 {
  return load<f64>(DOUBLES, 8);
}

// @ts-ignore: decorator
@inline
export function jobKind(): i32 {
  return load<i32>(JOB);
}
