// Computes one chunk of the current job, whichever kernel described it.
import { causalSoftmaxChunk, headChunk } from './attention-chunk';
import {
  fill,
  relu,
  reluBackward,
  sgd,
  sgdWithMomentum,
  sigmoid,
  sigmoidBackward,
  tanh,
  tanhBackward,
} from './elementwise';
import { batchedCrossEntropy } from './cross-entropy';
import { gemmChunk } from './gemm';
import { convolveBackwardInputChunk, convolveBackwardWeightChunk, convolveChunk } from './im2col-convolution';
import { flipKernelChunk, implicitGemmChunk } from './implicit-gemm';
import {
  CONVOLVE,
  CONVOLVE_BACKWARD_INPUT,
  CONVOLVE_BACKWARD_WEIGHT,
  FLIP_KERNEL,
  GEMM,
  IMPLICIT_GEMM,
  NHWC_WEIGHT_GRADIENT,
  HEAD_PRODUCTS,
  HEAD_SUMS,
  HEAD_SUMS_TRANSPOSED,
  CAUSAL_SOFTMAX,
  NORMALIZE_ROWS,
  BATCHED_CROSS_ENTROPY,
  AVG_POOL,
  AVG_POOL_BACKWARD,
  MAX_POOL,
  MAX_POOL_BACKWARD,
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
  firstJobNumber,
  jobField,
  jobKind,
  secondJobNumber,
} from './job';
import { nhwcWeightGradientChunk } from './nhwc-weight-gradient';
import { normalizeRows } from './normalization';
import { addcdivSqrt, addSign, axpby, axpbySquared, clamp, multiply } from './optimizer-updates';
import { poolChunk } from './pooling-chunk';
import { unary, unaryBackward } from './unary';
import { SIZE } from './vectors';

/** Elements in a chunk of an element-wise job. */
export const ELEMENTS_PER_CHUNK: i32 = 4096;

/** Rows of n numbers in a chunk. */
export function rowsPerChunk(n: i32): i32 {
  return max(1, ELEMENTS_PER_CHUNK / max(1, n));
}

export function runChunk(index: i32): void {
  const kind = jobKind();
  switch (kind) {
    case GEMM:
      gemmChunk(index);
      return;
    case CONVOLVE:
      convolveChunk(index);
      return;
    case CONVOLVE_BACKWARD_WEIGHT:
      convolveBackwardWeightChunk(index);
      return;
    case CONVOLVE_BACKWARD_INPUT:
      convolveBackwardInputChunk(index);
      return;
    case IMPLICIT_GEMM:
      implicitGemmChunk(index);
      return;
    case FLIP_KERNEL:
      flipKernelChunk(index);
      return;
    case NHWC_WEIGHT_GRADIENT:
      nhwcWeightGradientChunk(index);
      return;
    case MAX_POOL:
    case MAX_POOL_BACKWARD:
    case AVG_POOL:
    case AVG_POOL_BACKWARD:
      poolChunk(kind, index);
      return;
    case HEAD_PRODUCTS:
    case HEAD_SUMS:
    case HEAD_SUMS_TRANSPOSED:
      headChunk(kind, index);
      return;
    case CAUSAL_SOFTMAX:
      causalSoftmaxChunk(index);
      return;
    case NORMALIZE_ROWS:
      normalizeRowsChunk(index);
      return;
    case BATCHED_CROSS_ENTROPY:
      crossEntropyChunk(index);
      return;
    default:
      elementwiseChunk(kind, index);
  }
}

function normalizeRowsChunk(index: i32): void {
  const size = <i32>jobField(5),
    perChunk = rowsPerChunk(size),
    from = index * perChunk,
    offset = <usize>from * <usize>size * SIZE;
  const rows = min(perChunk, <i32>jobField(0) - from);
  normalizeRows(jobField(1) + offset, jobField(2) + offset, jobField(3), jobField(4), rows, size, firstJobNumber());
}

function crossEntropyChunk(index: i32): void {
  const m = <i32>jobField(4),
    n = <i32>jobField(5),
    perChunk = rowsPerChunk(m * n),
    from = <usize>(index * perChunk);
  const count = min(perChunk, <i32>jobField(0) - <i32>from);
  batchedCrossEntropy(jobField(1) + from * SIZE, jobField(2) + from * <usize>(m * n) * SIZE, jobField(3), count, m, n);
}

function elementwiseChunk(kind: i32, index: i32): void {
  const from = index * ELEMENTS_PER_CHUNK;
  const n = min(ELEMENTS_PER_CHUNK, <i32>jobField(0) - from);
  const offset = <usize>from * SIZE;
  const a = jobField(1) + offset,
    b = jobField(2) + offset,
    c = jobField(3) + offset;
  const x = firstJobNumber(),
    y = secondJobNumber();
  switch (kind) {
    case FILL:
      fill(a, n, x);
      break;
    case SGD:
      sgd(a, b, n, x);
      break;
    case SGD_WITH_MOMENTUM:
      sgdWithMomentum(a, b, c, n, x, y);
      break;
    case SIGMOID:
      sigmoid(a, b, n);
      break;
    case SIGMOID_BACKWARD:
      sigmoidBackward(a, b, c, n);
      break;
    case TANH:
      tanh(a, b, n);
      break;
    case TANH_BACKWARD:
      tanhBackward(a, b, c, n);
      break;
    case RELU:
      relu(a, b, n, x);
      break;
    case RELU_BACKWARD:
      reluBackward(a, b, c, n, x);
      break;
    case AXPBY:
      axpby(a, b, n, x, y);
      break;
    case AXPBY_SQUARED:
      axpbySquared(a, b, n, x, y);
      break;
    case ADDCDIV_SQRT:
      addcdivSqrt(a, b, c, n, x, y);
      break;
    case ADD_SIGN:
      addSign(a, b, n, x);
      break;
    case CLAMP:
      clamp(a, b, n, x, y);
      break;
    case MULTIPLY:
      multiply(a, b, c, n);
      break;
    case UNARY:
      unary(a, b, n, <i32>y, x);
      break;
    case UNARY_BACKWARD:
      unaryBackward(a, b, c, n, <i32>y, x);
      break;
    default:
      unreachable();
  }
}
