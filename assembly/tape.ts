// Many operations in one call: a small network spends more time on calls than on arithmetic. The numbers and
// arguments are those of OPERATIONS in src/engine/kernels/tape.ts.
import {
  accumulateRows, addRow, copy, fill, logSoftmax, logSoftmaxBackward, relu, reluBackward, scale, sgd, sgdWithMomentum, sigmoid,
  sigmoidBackward, softmax, softmaxBackward, subtract, tanh, tanhBackward,
} from './elementwise';
import { crossEntropyBackward } from './cross-entropy';
import {
  binaryCrossEntropyBackward, binaryCrossEntropyWithLogitsBackward, negativeLogLikelihoodBackward,
  squaredErrorBackward,
} from './losses';
import { matmul, matmulTransposedA, matmulTransposedB } from './products';
import { SCRATCH_END } from './scratch';
import { unary, unaryBackward } from './unary';
import { addQuotient, addSign, clamp, combine, combineSquares, multiply } from './updates';

/** Room for operations, at the end of scratch memory. */
export const TAPES: usize = SCRATCH_END;
export const TENSORS: usize = TAPES + 65536;

/** Argument i of an operation, an address or a size. */
// @ts-ignore: decorator
@inline
function arg(at: usize, i: usize): i32 {
  return load<i32>(at + 4 + i * 4);
}

/** Number i of an operation. */
// @ts-ignore: decorator
@inline
function num(at: usize, i: usize): f64 {
  return load<f64>(at + 48 + i * 8);
}

/** Carries out the operations in [at, end), 64 bytes each: its number, addresses and sizes, from byte 48 on two doubles. */
export function play(at: usize, end: usize): void {
  for (; at < end; at += 64) {
    const a = arg(at, 0), b = arg(at, 1), c = arg(at, 2), d = arg(at, 3);
    switch (load<i32>(at)) {
      case 0: fill(a, b, num(at, 0)); break;
      case 1: copy(a, b, c); break;
      case 2: scale(a, b, c, num(at, 0)); break;
      case 3: subtract(a, b, c, d); break;
      case 4: matmul(a, b, c, d, arg(at, 4), arg(at, 5), arg(at, 6)); break;
      case 5: matmulTransposedA(a, b, c, d, arg(at, 4), arg(at, 5), arg(at, 6)); break;
      case 6: matmulTransposedB(a, b, c, d, arg(at, 4), arg(at, 5), arg(at, 6), arg(at, 7)); break;
      case 7: addRow(a, b, c, d); break;
      case 8: accumulateRows(a, b, c, d); break;
      case 9: tanh(a, b, c); break;
      case 10: tanhBackward(a, b, c, d); break;
      case 11: sigmoid(a, b, c); break;
      case 12: sigmoidBackward(a, b, c, d); break;
      case 13: relu(a, b, c, num(at, 0)); break;
      case 14: reluBackward(a, b, c, d, num(at, 0)); break;
      case 15: softmax(a, b, c, d); break;
      case 16: softmaxBackward(a, b, c, d, arg(at, 4)); break;
      case 17: squaredErrorBackward(a, b, c, d, num(at, 0)); break;
      case 18: crossEntropyBackward(a, b, c, d, arg(at, 4), num(at, 0)); break;
      case 19: negativeLogLikelihoodBackward(a, b, c, d, num(at, 0)); break;
      case 20: binaryCrossEntropyBackward(a, b, c, d, num(at, 0)); break;
      case 21: binaryCrossEntropyWithLogitsBackward(a, b, c, d, num(at, 0)); break;
      case 22: sgd(a, b, c, num(at, 0)); break;
      case 23: sgdWithMomentum(a, b, c, d, num(at, 0), num(at, 1)); break;
      case 24: combine(a, b, c, num(at, 0), num(at, 1)); break;
      case 25: combineSquares(a, b, c, num(at, 0), num(at, 1)); break;
      case 26: addQuotient(a, b, c, d, num(at, 0), num(at, 1)); break;
      case 27: addSign(a, b, c, num(at, 0)); break;
      case 28: clamp(a, b, c, num(at, 0), num(at, 1)); break;
      case 29: multiply(a, b, c, d); break;
      case 30: unary(a, b, c, d, num(at, 0)); break;
      case 31: unaryBackward(a, b, c, d, arg(at, 4), num(at, 0)); break;
      case 32: logSoftmax(a, b, c, d); break;
      case 33: logSoftmaxBackward(a, b, c, d, arg(at, 4)); break;
      default: unreachable();
    }
  }
}
