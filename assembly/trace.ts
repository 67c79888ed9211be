// Replays many kernels in one call, since a small network spends more time on calls than on arithmetic.
// src/engine/kernels/trace.ts records them.
import {
  accumulateRows,
  addRow,
  copy,
  copyColumns,
  fill,
  logSoftmax,
  logSoftmaxBackward,
  relu,
  reluBackward,
  scale,
  sgd,
  sgdWithMomentum,
  sigmoid,
  sigmoidBackward,
  softmax,
  softmaxBackward,
  subtract,
  tanh,
  tanhBackward,
} from './elementwise';
import { crossEntropyBackward } from './cross-entropy';
import {
  binaryCrossEntropyBackward,
  binaryCrossEntropyWithLogitsBackward,
  negativeLogLikelihoodBackward,
  squaredErrorBackward,
} from './losses';
import { matmul, matmulTransposedA, matmulTransposedB } from './matmul';
import {
  ACCUMULATE_ROWS,
  ADDCDIV_SQRT,
  ADD_ROW,
  ADD_SIGN,
  AXPBY,
  AXPBY_SQUARED,
  BINARY_CROSS_ENTROPY_BACKWARD,
  BINARY_CROSS_ENTROPY_WITH_LOGITS_BACKWARD,
  CLAMP,
  COPY,
  COPY_COLUMNS,
  CROSS_ENTROPY_BACKWARD,
  FILL,
  LOG_SOFTMAX,
  LOG_SOFTMAX_BACKWARD,
  MATMUL,
  MATMUL_TRANSPOSED_A,
  MATMUL_TRANSPOSED_B,
  MULTIPLY,
  NEGATIVE_LOG_LIKELIHOOD_BACKWARD,
  RELU,
  RELU_BACKWARD,
  SCALE,
  SGD,
  SGD_WITH_MOMENTUM,
  SIGMOID,
  SIGMOID_BACKWARD,
  SOFTMAX,
  SOFTMAX_BACKWARD,
  SQUARED_ERROR_BACKWARD,
  SUBTRACT,
  TANH,
  TANH_BACKWARD,
  UNARY,
  UNARY_BACKWARD,
  CALL_BYTES,
  DOUBLES_OFFSET,
} from './opcodes';
import { SCRATCH_END } from './scratch';
import { unary, unaryBackward } from './unary';
import { addcdivSqrt, addSign, clamp, axpby, axpbySquared, multiply } from './optimizer-updates';

/** Memory for traces, at the end of scratch memory. */
export const TRACES_START: usize = SCRATCH_END;
export const TENSORS_START: usize = TRACES_START + 65536;

/** Argument i of a call, an address or a size. */
// @ts-ignore: decorator
@inline
function arg(at: usize, i: usize): i32 {
  return load<i32>(at + 4 + i * 4);
}

/** Double i of a call. */
// @ts-ignore: decorator
@inline
function num(at: usize, i: usize): f64 {
  return load<f64>(at + DOUBLES_OFFSET + i * 8);
}

/** Replays the calls in [at, end): each is an opcode, addresses and sizes, and two doubles. */
export function replay(at: usize, end: usize): void {
  for (; at < end; at += CALL_BYTES) {
    const a = arg(at, 0),
      b = arg(at, 1),
      c = arg(at, 2),
      d = arg(at, 3);
    switch (load<i32>(at)) {
      case FILL:
        fill(a, b, num(at, 0));
        break;
      case COPY:
        copy(a, b, c);
        break;
      case SCALE:
        scale(a, b, c, num(at, 0));
        break;
      case SUBTRACT:
        subtract(a, b, c, d);
        break;
      case MATMUL:
        matmul(a, b, c, d, arg(at, 4), arg(at, 5), arg(at, 6));
        break;
      case MATMUL_TRANSPOSED_A:
        matmulTransposedA(a, b, c, d, arg(at, 4), arg(at, 5), arg(at, 6));
        break;
      case MATMUL_TRANSPOSED_B:
        matmulTransposedB(a, b, c, d, arg(at, 4), arg(at, 5), arg(at, 6), arg(at, 7));
        break;
      case ADD_ROW:
        addRow(a, b, c, d);
        break;
      case ACCUMULATE_ROWS:
        accumulateRows(a, b, c, d);
        break;
      case TANH:
        tanh(a, b, c);
        break;
      case TANH_BACKWARD:
        tanhBackward(a, b, c, d);
        break;
      case SIGMOID:
        sigmoid(a, b, c);
        break;
      case SIGMOID_BACKWARD:
        sigmoidBackward(a, b, c, d);
        break;
      case RELU:
        relu(a, b, c, num(at, 0));
        break;
      case RELU_BACKWARD:
        reluBackward(a, b, c, d, num(at, 0));
        break;
      case SOFTMAX:
        softmax(a, b, c, d);
        break;
      case SOFTMAX_BACKWARD:
        softmaxBackward(a, b, c, d, arg(at, 4));
        break;
      case SQUARED_ERROR_BACKWARD:
        squaredErrorBackward(a, b, c, d, num(at, 0));
        break;
      case CROSS_ENTROPY_BACKWARD:
        crossEntropyBackward(a, b, c, d, arg(at, 4), num(at, 0));
        break;
      case NEGATIVE_LOG_LIKELIHOOD_BACKWARD:
        negativeLogLikelihoodBackward(a, b, c, d, num(at, 0));
        break;
      case BINARY_CROSS_ENTROPY_BACKWARD:
        binaryCrossEntropyBackward(a, b, c, d, num(at, 0));
        break;
      case BINARY_CROSS_ENTROPY_WITH_LOGITS_BACKWARD:
        binaryCrossEntropyWithLogitsBackward(a, b, c, d, num(at, 0));
        break;
      case SGD:
        sgd(a, b, c, num(at, 0));
        break;
      case SGD_WITH_MOMENTUM:
        sgdWithMomentum(a, b, c, d, num(at, 0), num(at, 1));
        break;
      case AXPBY:
        axpby(a, b, c, num(at, 0), num(at, 1));
        break;
      case AXPBY_SQUARED:
        axpbySquared(a, b, c, num(at, 0), num(at, 1));
        break;
      case ADDCDIV_SQRT:
        addcdivSqrt(a, b, c, d, num(at, 0), num(at, 1));
        break;
      case ADD_SIGN:
        addSign(a, b, c, num(at, 0));
        break;
      case CLAMP:
        clamp(a, b, c, num(at, 0), num(at, 1));
        break;
      case MULTIPLY:
        multiply(a, b, c, d);
        break;
      case UNARY:
        unary(a, b, c, d, num(at, 0));
        break;
      case UNARY_BACKWARD:
        unaryBackward(a, b, c, d, arg(at, 4), num(at, 0));
        break;
      case LOG_SOFTMAX:
        logSoftmax(a, b, c, d);
        break;
      case LOG_SOFTMAX_BACKWARD:
        logSoftmaxBackward(a, b, c, d, arg(at, 4));
        break;
      case COPY_COLUMNS:
        copyColumns(a, b, c, d, arg(at, 4), arg(at, 5), arg(at, 6), arg(at, 7));
        break;
      default:
        unreachable();
    }
  }
}
