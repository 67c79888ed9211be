// Work that is large enough for several threads, to test that its bits depend only on the kernels.
import type { Kernels } from '../../src/engine/kernels/kernels';
import { type Shape, numel, type Tensor } from '../../src/engine/kernels/tensor';
import { type UnaryKind, unaryFunctions } from '../../src/engine/kernels/unary-functions';
import { im2colShape, type WindowOptions, outputSize } from '../../src/engine/kernels/windows';
import { Random } from '../../src/engine/random';
import { tensorFrom } from './tensors';

const random = new Random(1, 'large jobs');
const numbers = (n: number): Float64Array => Float64Array.from({ length: n }, () => random.uniform(-2, 2));
const createTensor = (kernels: Kernels, shape: Shape, values: Float64Array): Tensor =>
  tensorFrom(
    kernels,
    shape,
    values.subarray(
      0,
      shape.reduce((a, b) => a * b, 1),
    ),
  );
const values = numbers(300_000);

/**
 * Everything that threads share, with sizes that are not multiples of a tile or a piece; rows of 512 numbers conflict
 * in the cache.
 */
export const matmulWorkloads: Record<string, (kernels: Kernels) => () => Tensor> = {
  matmul: (kernels) => {
    const [out, a, b] = [
      [67, 301],
      [67, 530],
      [530, 301],
    ].map((shape) => createTensor(kernels, shape, values));
    return () => (kernels.matmul(out, a, b, false), out);
  },
  'matmul, many rows': (kernels) => {
    const [out, a, b] = [
      [1021, 10],
      [1021, 270],
      [270, 10],
    ].map((shape) => createTensor(kernels, shape, values));
    return () => (kernels.matmul(out, a, b, false), out);
  },
  matmulTransposedA: (kernels) => {
    const [out, a, b] = [
      [301, 259],
      [70, 301],
      [70, 259],
    ].map((shape) => createTensor(kernels, shape, values));
    return () => (kernels.fill(out, 0.5), kernels.matmulTransposedA(out, a, b, true), out);
  },
  'matmulTransposedA, crowded': (kernels) => {
    const [out, a, b] = [
      [512, 531],
      [33, 512],
      [33, 531],
    ].map((shape) => createTensor(kernels, shape, values));
    return () => (kernels.matmulTransposedA(out, a, b, false), out);
  },
  linear: (kernels) => {
    const [y, x, weight, bias] = [[50, 300], [50, 784], [300, 784], [300]].map((shape) =>
      createTensor(kernels, shape, values),
    );
    return () => (kernels.linear(y, x, weight, bias), y);
  },
};

/**
 * Attention over 5 samples, 3 heads of 22 features, 41 queries and 53 keys, and work on many rows; each kernel by its
 * name.
 */
export const attentionWorkloads: Record<string, (kernels: Kernels) => () => Tensor> = {
  headProducts: (kernels) => {
    const [pairs, a, b] = attentionTensors(kernels);
    return () => (kernels.headProducts(pairs, a, b, 0.3), pairs);
  },
  headSums: (kernels) => {
    const [pairs, a, b] = attentionTensors(kernels);
    return () => (kernels.headSums(a, pairs, b, 0.3), a);
  },
  headSumsTransposed: (kernels) => {
    const [pairs, a, b] = attentionTensors(kernels);
    return () => (kernels.headSumsTransposed(b, pairs, a, 0.3), b);
  },
  causalSoftmax: (kernels) => {
    const [pairs] = attentionTensors(kernels);
    const y = createTensor(kernels, pairs.shape, values);
    return () => (kernels.causalSoftmax(y, pairs), y);
  },
  normalizeRows: (kernels) => {
    const [x, y] = [1, 2].map(() => createTensor(kernels, [530, 66], values)) as [Tensor, Tensor];
    const [weight, bias] = [1, 2].map(() => createTensor(kernels, [66], values)) as [Tensor, Tensor];
    return () => (kernels.normalizeRows(y, x, weight, bias, 66, 1e-5), y);
  },
  batchedCrossEntropy: (kernels) => {
    const [x, t] = [createTensor(kernels, [50, 41, 13], values), createTensor(kernels, [41, 13], values)];
    const out = createTensor(kernels, [50], values);
    return () => (kernels.batchedCrossEntropy(out, x, t), out);
  },
};

const attentionTensors = (kernels: Kernels): readonly Tensor[] =>
  [
    [5, 3, 41, 53],
    [5, 41, 66],
    [5, 53, 66],
  ].map((shape) => createTensor(kernels, shape, values));

const windows: WindowOptions = { kernel_size: [5, 3], stride: [1, 1], padding: [2, 1] };
const stridedWindows: WindowOptions = { kernel_size: [3, 3], stride: [2, 3], padding: [0, 1] };

/**
 * Convolutions with more windows, positions and output channels than are processed at a time: with rows of windows that
 * fill vectors and others that do not, with strides, with few channels, and with an image larger than its copied part.
 */
export const convolutionWorkloads: Record<string, (kernels: Kernels) => () => Tensor[]> = Object.fromEntries(
  Object.entries({
    'rows of 24 windows': [windows, [3, 40, 17, 24]],
    'one place to the next': [windows, [3, 40, 17, 33]],
    'at a stride': [stridedWindows, [3, 40, 17, 33]],
    'few channels': [windows, [3, 1, 40, 48]],
    'a large image': [windows, [1, 19, 30, 158]],
  } as const).map(([name, [each, [images, channels, height, width]]]) => [
    name,
    (kernels: Kernels) => {
      const [down, across] = outputSize(height, width, each);
      const [x, dx] = [0, 1].map(() => createTensor(kernels, [images, channels, height, width], values));
      const [weight, dWeight] = [0, 1].map(() => createTensor(kernels, [37, channels, ...each.kernel_size], values));
      const [y, dy] = [0, 1].map(() => createTensor(kernels, [images, 37, down, across], values));
      const [bias, dBias] = [0, 1].map(() => createTensor(kernels, [37], values));
      const unfolded = im2colShape([channels, height, width], each);
      const workspace = tensorFrom(kernels, unfolded, new Float64Array(numel(unfolded)));
      return () => {
        for (const tensor of [dWeight, dBias]) tensor.data.fill(0.5);
        kernels.conv2d(y, x, weight, bias, each, workspace);
        kernels.conv2dBackwardInput(dx, dy, weight, each, workspace);
        kernels.conv2dBackwardWeight(dWeight, dBias, dy, x, each, workspace);
        return [y, dx, dWeight, dBias];
      };
    },
  ]),
);

/** Pooling of more planes than are processed at a time. */
export function poolingWorkload(kernels: Kernels): () => Tensor[] {
  const x = createTensor(kernels, [3, 40, 17, 33], values);
  const [down, across] = outputSize(17, 33, stridedWindows);
  const [maxima, mean, dy] = [0, 1, 2].map(() => createTensor(kernels, [3, 40, down, across], values));
  const [maxGradient, meanGradient] = [0, 1].map(() => createTensor(kernels, [3, 40, 17, 33], values));
  return () => {
    kernels.maxPool2d(maxima, x, stridedWindows);
    kernels.maxPool2dBackward(maxGradient, dy, x, stridedWindows);
    kernels.avgPool2d(mean, x, stridedWindows, false);
    kernels.avgPool2dBackward(meanGradient, dy, stridedWindows, true);
    return [maxima, maxGradient, mean, meanGradient];
  };
}

/** Element-wise work, which uses threads only after a product. */
export function elementwiseWorkload(kernels: Kernels): () => Tensor[] {
  const [x, y, z, v] = [1, 2, 3, 4].map(() => createTensor(kernels, [70_001], values));
  const results = Object.fromEntries(
    Object.keys(unaryFunctions).map((f) => [f, [0, 1].map(() => createTensor(kernels, [70_001], values))]),
  );
  return () => {
    for (const tensor of [x, v]) tensor.data.set(values.subarray(0, 70_001));
    kernels.fill(y, 3);
    kernels.sigmoid(y, x);
    kernels.sigmoidBackward(z, x, y);
    kernels.tanh(y, z);
    kernels.tanhBackward(x, z, y);
    kernels.sgd(y, z, v, 0.1, 0.9);
    kernels.sgd(x, z, null, 0.1, 0);
    kernels.relu(z, x, 5);
    kernels.reluBackward(x, z, y, 5);
    kernels.axpby(x, z, 0.9, 0.1);
    kernels.axpbySquared(v, z, 0.9, 0.1);
    kernels.multiply(y, x, z);
    kernels.multiply(y, y, y);
    kernels.addcdivSqrt(x, z, y, -0.1, 1e-3);
    kernels.addSign(x, z, 0.01);
    kernels.clamp(z, x, -1, 1.5);
    const functions: Tensor[] = [];
    for (const f of Object.keys(unaryFunctions) as UnaryKind[]) {
      const [value, derivative] = results[f];
      kernels.unary(value, x, f, 0.5);
      kernels.unaryBackward(derivative, z, x, f, 0.5);
      functions.push(value, derivative);
    }
    return [x, y, z, v, ...functions];
  };
}
