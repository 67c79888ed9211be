// The kernels of one precision as a WebAssembly module. Tensors are addresses in the memory that it is given;
// sizes are counted in elements. What each function computes is told by src/engine/kernels/kernels.ts.
export * from './products';
export {
  accumulateRows, addRow, copy, fill, relu, reluBackward, scale, sgd, sgdWithMomentum, sigmoid, sigmoidBackward,
  softmax, softmaxBackward, subtract, tanh, tanhBackward,
} from './elementwise';
export * from './losses';
export * from './measures';
