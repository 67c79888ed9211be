// Williams and Seeger, "Using the Nyström method to speed up kernel machines", 2001.
import * as z from 'zod/mini';
import { BLOCK_ROWS } from '../kernels/feature-map';
import { kernelValue, type KernelFunction } from '../kernels/kernel-function';
import { numel, type Shape } from '../kernels/tensor';
import { positiveInteger, nonNegativeNumber, positiveNumber } from '../option-schemas';
import type { CooperativeTask } from '../cooperative-task';
import { symmetricEigen } from '../symmetric-eigen';
import { defineLayer } from './layer';

/** Directions with a smaller eigenvalue, relative to the largest one, are round-off and are omitted. */
const MIN_RELATIVE_EIGENVALUE = 1e-8;
const PROGRESS_MESSAGE = 'Fitting the kernel to its centers';

const options = z.strictObject({
  kernel: z._default(
    z
      .enum(['rbf', 'poly', 'linear'])
      .check(z.describe('`rbf`: exp(-gamma |x - c|²). `poly`: (gamma x·c + coef0)^degree. `linear`: x·c.')),
    'rbf',
  ),
  gamma: z.optional(
    positiveNumber(
      'How fast `rbf` falls with the distance, or the factor of x·c in `poly`. By default, 1 / (numbers in a sample).',
    ),
  ),
  degree: z._default(positiveInteger('The exponent of `poly`.'), 3),
  coef0: z._default(
    nonNegativeNumber('The constant that `poly` adds to x·c. Above 0, lower powers contribute too.'),
    1,
  ),
  centers: z._default(
    positiveInteger(
      'Number of training samples to compare with, drawn by the seed. With all of them, the map is exact. The time before training grows with the cube.',
    ).check(z.lte(2048)),
    100,
  ),
});

type Options = z.output<typeof options>;

const similarityOf = ({ kernel, gamma, degree, coef0 }: Options, size: number): KernelFunction => ({
  kernel,
  gamma: gamma ?? 1 / size,
  degree,
  coef0,
});

/** K^(-1/2) for the kernel matrix of the centers: U diag(1/√λ) Uᵀ, over the directions above round-off. */
function* inverseSquareRoot(centers: Float64Array, n: number, f: KernelFunction): CooperativeTask<Float64Array> {
  const size = centers.length / n;
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++)
      gram[i * n + j] = gram[j * n + i] = kernelValue(f, centers, i * size, centers, j * size, size);
    if (i % 64 === 0) yield PROGRESS_MESSAGE;
  }
  const { values, vectors } = yield* symmetricEigen(gram, n, PROGRESS_MESSAGE);
  const threshold = MIN_RELATIVE_EIGENVALUE * values.reduce((most, value) => Math.max(most, value), 0);
  const matrix = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    if (values[k]! <= threshold) continue;
    const scale = 1 / Math.sqrt(values[k]!);
    for (let i = 0; i < n; i++) {
      const value = scale * vectors[k * n + i]!;
      for (let j = 0, at = i * n, from = k * n; j < n; j++, at++, from++) matrix[at]! += value * vectors[from]!;
    }
    if (k % 16 === 0) yield PROGRESS_MESSAGE;
  }
  return matrix;
}

/** y = k(x, centers) K^(-1/2), so that y·y' approximates k(x, x'); x of any shape, y [batch, centers]. */
export const kernel = defineLayer({
  kind: 'kernel',
  aliases: ['rbf', 'kernel_map', 'nystroem', 'nystrom'],
  summary:
    "The feature map of a kernel: y = k(x, centers) · K^(-1/2), where K is the kernel matrix of the centers, so that y · y' is k(x, x'). " +
    'With a linear layer, the hinge loss and an L2 penalty, it is a support vector machine. It must be the first layer: its ' +
    'centers are training samples, chosen and fitted before training. Nothing in it is trained.',
  formulas({ options: layer, shapes: [input] }) {
    const { kernel, gamma, degree, coef0 } = similarityOf(layer, numel(input!));
    const [value, derivative] = {
      rbf: [`exp(-${gamma} * total((vec(x) - centers[j])^2))`, `-2 * ${gamma} * k[j] * (vec(x) - centers[j])`],
      poly: [
        `(${gamma} * (vec(x) @ centers[j]) + ${coef0})^${degree}`,
        `${degree} * ${gamma} * (${gamma} * (vec(x) @ centers[j]) + ${coef0})^${degree - 1} * centers[j]`,
      ],
      linear: ['vec(x) @ centers[j]', 'centers[j]'],
    }[kernel] as [string, string];
    return {
      equations: [
        `y[i] = sum(j: k[j] * whitening[j, i]) where k[j] = ${value}`,
        `dx = sum(j: d(k)[j] * (${derivative})) where d(k)[j] = sum(i: dy[i] * whitening[j, i]); k[j] = ${value}`,
      ],
      symbols: { whitening: 'K^(-1/2) of the kernel matrix K of the centers' },
    };
  },
  options,
  outputShape: (_input, { centers }) => [centers],
  lengthScale(layer, input) {
    const { kernel, gamma } = similarityOf(layer, numel(input));
    if (kernel !== 'rbf') return undefined;
    return { distance: 1 / Math.sqrt(gamma), option: 'gamma', optionFor: (distance) => 1 / (distance * distance) };
  },
  buffers: (input, { centers }) => [
    { name: 'centers', shape: [centers, numel(input)], fill: 0 },
    { name: 'whitening', shape: [centers, centers], fill: 0 },
  ],
  workspace: (_input, { centers }) => [[BLOCK_ROWS, centers]],
  macs: (input, [centers]) => centers! * numel(input) + centers! * centers!,
  fit: {
    requiredSamples: ({ centers }) => [centers, 'centers'],
    *buffers({ options: layer, inputs, shape, trainIndices, random }) {
      const size = numel(shape);
      const centers = new Float64Array(layer.centers * size);
      random
        .permutation(trainIndices.length)
        .subarray(0, layer.centers)
        .sort()
        .forEach((sample, i) => {
          const from = trainIndices[sample]! * size;
          for (let j = 0; j < size; j++) centers[i * size + j] = inputs[from + j]!;
        });
      return { centers, whitening: yield* inverseSquareRoot(centers, layer.centers, similarityOf(layer, size)) };
    },
  },
  forward({ kernels, options: layer, buffers: { centers, whitening: matrix }, input, output, workspace: [work] }) {
    kernels.featureMap(output, input, centers!, matrix!, similarityOf(layer, widthOf(centers!.shape)), work!);
  },
  backward({
    kernels,
    options: layer,
    buffers: { centers, whitening: matrix },
    input,
    gradOutput,
    gradInput,
    workspace: [work],
  }) {
    if (gradInput)
      kernels.featureMapBackward(
        gradInput,
        gradOutput,
        input,
        centers!,
        matrix!,
        similarityOf(layer, widthOf(centers!.shape)),
        work!,
      );
  },
});

const widthOf = ([, width]: Shape): number => width!;
