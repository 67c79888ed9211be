// The kernels of one precision as a WebAssembly module. Tensors are addresses in the given memory; sizes are in
// elements. src/engine/kernels/kernels.ts documents what each function computes.
export { matmul, matmulTransposedA, matmulTransposedB } from './matmul';
export { useSimd256Tiles } from './gemm';
export {
  accumulateRows,
  addRow,
  copy,
  copyColumns,
  logSoftmax,
  logSoftmaxBackward,
  scale,
  softmax,
  softmaxBackward,
  subtract,
} from './elementwise';
export {
  addcdivSqrt,
  addSign,
  clamp,
  axpby,
  axpbySquared,
  fill,
  multiply,
  relu,
  reluBackward,
  sgd,
  sgdWithMomentum,
  sigmoid,
  sigmoidBackward,
  tanh,
  tanhBackward,
  unary,
  unaryBackward,
} from './parallel-elementwise';
export { causalSoftmax, headProducts, headSums, headSumsTransposed } from './attention';
export { accumulateAtRows, lookUpRows } from './lookup';
export { conv2d, conv2dBackwardInput, conv2dBackwardWeight } from './convolution';
export { channelMoments, normalizeChannels, normalizeChannelsBackward, normalizeRowsBackward } from './normalization';
export { rank1Update, perturbColumns, replaceColumns } from './perturbations';
export { avgPool2d, avgPool2dBackward, maxPool2d, maxPool2dBackward } from './pooling';
export { SCRATCH_SIZE } from './scratch';
export { attach, runWorker, sleepingWorkers, workerChunkCount } from './parallel';
export { initConstants } from './functions';
export { crossEntropy, crossEntropyBackward } from './cross-entropy';
export { batchedCrossEntropy, normalizeRows } from './parallel-rows';
export * from './losses';
export * from './reductions';
export { replay, TRACES_START, TENSORS_START } from './trace';
