// The kernels of one precision as a WebAssembly module. Tensors are addresses in the memory that it is given;
// sizes are counted in elements. What each function computes is told by src/engine/kernels/kernels.ts.
export { matmul, matmulTransposedA, matmulTransposedB, useWideTiles } from './products';
export { accumulateRows, addRow, copy, logSoftmax, logSoftmaxBackward, scale, softmax, softmaxBackward, subtract } from './elementwise';
export {
  addQuotient, addSign, clamp, combine, combineSquares, fill, multiply, relu, reluBackward, sgd, sgdWithMomentum, sigmoid,
  sigmoidBackward, tanh, tanhBackward, unary, unaryBackward,
} from './jobs';
export { conv2d, conv2dBackwardInput, conv2dBackwardWeight } from './convolution';
export { channelMoments, normalizeChannels, normalizeChannelsBackward, normalizeRows, normalizeRowsBackward } from './normalization';
export { addShares, moveColumns, placeColumns } from './moves';
export { avgPool2d, avgPool2dBackward, maxPool2d, maxPool2dBackward } from './pooling';
export { SCRATCH_SIZE } from './scratch';
export { engage, helped, serve, sleepers } from './threads';
export { prepareConstants } from './functions';
export { crossEntropies, crossEntropy, crossEntropyBackward } from './cross-entropy';
export * from './losses';
export * from './measures';
export { play, TAPES, TENSORS } from './tape';
