// Work that is large enough to be shared among threads, for tests that its bits depend on nothing but the kernels.
import type { Kernels } from '../../src/engine/kernels/kernels';
import type { Shape, Tensor } from '../../src/engine/kernels/tensor';
import { Random } from '../../src/engine/random';
import { filled } from './tensors';

const random = new Random(1, 'large jobs');
const numbers = (n: number): Float64Array => Float64Array.from({ length: n }, () => random.uniform(-2, 2));
const draw = (kernels: Kernels, shape: Shape, values: Float64Array): Tensor => filled(kernels, shape, values.subarray(0, shape.reduce((a, b) => a * b, 1)));
const values = numbers(300_000);

/** Everything that threads share, with sizes that are no multiple of a tile or a piece; rows 512 numbers long crowd the cache. */
export const jobs: Record<string, (kernels: Kernels) => () => Tensor> = {
  matmul: (kernels) => {
    const [out, a, b] = [[67, 301], [67, 530], [530, 301]].map((shape) => draw(kernels, shape, values));
    return () => (kernels.matmul(out, a, b, false), out);
  },
  'matmul, many rows': (kernels) => {
    const [out, a, b] = [[1021, 10], [1021, 270], [270, 10]].map((shape) => draw(kernels, shape, values));
    return () => (kernels.matmul(out, a, b, false), out);
  },
  matmulTransposedA: (kernels) => {
    const [out, a, b] = [[301, 259], [70, 301], [70, 259]].map((shape) => draw(kernels, shape, values));
    return () => (kernels.fill(out, 0.5), kernels.matmulTransposedA(out, a, b, true), out);
  },
  'matmulTransposedA, crowded': (kernels) => {
    const [out, a, b] = [[512, 531], [33, 512], [33, 531]].map((shape) => draw(kernels, shape, values));
    return () => (kernels.matmulTransposedA(out, a, b, false), out);
  },
  linear: (kernels) => {
    const [y, x, weight, bias] = [[50, 300], [50, 784], [300, 784], [300]].map((shape) => draw(kernels, shape, values));
    return () => (kernels.linear(y, x, weight, bias), y);
  },
};

/** What only joins in after a product, element by element. */
export function elementwise(kernels: Kernels): () => Tensor[] {
  const [x, y, z, v] = [1, 2, 3, 4].map(() => draw(kernels, [70_001], values));
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
    return [x, y, z, v];
  };
}
