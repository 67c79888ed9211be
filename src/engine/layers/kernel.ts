// Williams and Seeger, "Using the Nyström method to speed up kernel machines", 2001.
import * as z from 'zod/mini';
import { BLOCK, similarity, type Similarity } from '../kernels/feature-map';
import { sizeOf, type Shape } from '../kernels/tensor';
import { count, nonNegative, positive } from '../options';
import type { InPieces } from '../pieces';
import { symmetricEigen } from '../symmetric-eigen';
import { defineLayer } from './layer';

/** Directions whose eigenvalue is a smaller share of the largest one are round-off, and left out. */
const LEAST = 1e-8;
const WORDS = 'Fitting the kernel to its centres';

const options = z.strictObject({
  kernel: z._default(
    z.enum(['rbf', 'poly', 'linear']).check(z.describe('`rbf`: exp(-gamma |x - c|²). `poly`: (gamma x·c + coef0)^degree. `linear`: x·c.')),
    'rbf',
  ),
  gamma: z.optional(positive('How fast `rbf` falls with the distance, or what `poly` scales x·c by; 1 / (numbers in a sample) unless given.')),
  degree: z._default(count('The power of `poly`.'), 3),
  coef0: z._default(nonNegative('What `poly` adds to x·c: above 0, lower powers take part too.'), 1),
  centers: z._default(
    count('How many training samples to compare with, drawn from the seed; with all of them the map is exact. The work ahead of training grows with the cube.').check(z.lte(2048)),
    100,
  ),
});

type Options = z.output<typeof options>;

const similarityOf = ({ kernel, gamma, degree, coef0 }: Options, size: number): Similarity => ({ kernel, gamma: gamma ?? 1 / size, degree, coef0 });

/** K^(-1/2) of the centres among themselves: U diag(1/√λ) Uᵀ, over the directions that are more than round-off. */
function* whitening(centers: Float64Array, n: number, f: Similarity): InPieces<Float64Array> {
  const size = centers.length / n;
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) gram[i * n + j] = gram[j * n + i] = similarity(f, centers, i * size, centers, j * size, size);
    if (i % 64 === 0) yield WORDS;
  }
  const { values, vectors } = yield* symmetricEigen(gram, n, WORDS);
  const least = LEAST * values.reduce((most, value) => Math.max(most, value), 0);
  const matrix = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    if (values[k] <= least) continue;
    const scale = 1 / Math.sqrt(values[k]);
    for (let i = 0; i < n; i++) {
      const value = scale * vectors[k * n + i];
      for (let j = 0, at = i * n, from = k * n; j < n; j++, at++, from++) matrix[at] += value * vectors[from];
    }
    if (k % 16 === 0) yield WORDS;
  }
  return matrix;
}

/** y = k(x, centers) K^(-1/2), so that y·y' is k(x, x') as far as the centres can tell; x of any shape, y [batch, centers]. */
export const kernel = defineLayer({
  kind: 'kernel',
  summary:
    'The feature map of a kernel: y = k(x, centers) · K^(-1/2), where K holds the kernel of the centres among themselves, and y · y\' is k(x, x\'). ' +
    'A linear layer on it, with the hinge loss and an L2 penalty, is a support vector machine. Only as the first layer: its centres are training samples, drawn and fitted before training, and would no longer be what a layer ahead of it gives once that ' +
    'has learned. Nothing in it is trained.',
  math: {
    forward: String.raw`y = k(x, c) \, K^{-1/2}, \quad K_{ij} = k(c_i, c_j)`,
    input: String.raw`\d{x} = \sum_j \Big(\d{y} \, K^{-1/2}\Big)_{\!j} \frac{\partial k(x, c_j)}{\partial x}`,
  },
  options,
  outputShape: (_input, { centers }) => [centers],
  buffers: (input, { centers }) => [
    { name: 'centers', shape: [centers, sizeOf(input)], fill: 0 },
    { name: 'whitening', shape: [centers, centers], fill: 0 },
  ],
  workspace: (_input, { centers }) => [[BLOCK, centers]],
  macs: (input, [centers]) => centers * sizeOf(input) + centers * centers,
  fit: {
    samples: ({ centers }) => [centers, 'centers'],
    *buffers({ options: layer, inputs, shape, train, random }) {
      const size = sizeOf(shape);
      const centers = new Float64Array(layer.centers * size);
      random.permutation(train.length).subarray(0, layer.centers).sort().forEach((sample, i) => {
        const from = train[sample] * size;
        for (let j = 0; j < size; j++) centers[i * size + j] = inputs[from + j];
      });
      return { centers, whitening: yield* whitening(centers, layer.centers, similarityOf(layer, size)) };
    },
  },
  forward({ kernels, options: layer, buffers: { centers, whitening: matrix }, input, output, workspace: [work] }) {
    kernels.featureMap(output, input, centers, matrix, similarityOf(layer, widthOf(centers.shape)), work);
  },
  backward({ kernels, options: layer, buffers: { centers, whitening: matrix }, input, gradOutput, gradInput, workspace: [work] }) {
    if (gradInput) kernels.featureMapBackward(gradInput, gradOutput, input, centers, matrix, similarityOf(layer, widthOf(centers.shape)), work);
  },
});

const widthOf = ([, width]: Shape): number => width;
