// The kernels of one precision as a WebAssembly module. Tensors are addresses in the memory that it is given;
// sizes are counted in elements. What each function computes is told by src/engine/kernels/kernels.ts.
export { matmul, matmulTransposedA, matmulTransposedB } from './products';
export {
  accumulateRows, addRow, copy, fill, relu, reluBackward, scale, sgd, sgdWithMomentum, sigmoid, sigmoidBackward,
  softmax, softmaxBackward, subtract, tanh, tanhBackward,
} from './elementwise';
export { prepareConstants } from './functions';
export * from './losses';
export * from './measures';
export { play, TAPES, TENSORS } from './tape';
