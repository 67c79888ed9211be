// The part of the kernel contract for images: convolution and pooling, compared with loops over every index.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import type { Tensor } from '../../../src/engine/kernels/tensor';
import { im2colShape, type WindowOptions, outputSize } from '../../../src/engine/kernels/windows';
import { tensorFrom, tensorOf, nanTensor } from '../../support/tensors';
import { TensorGenerator, roundoff } from './tensor-generator';

interface Geometry {
  readonly images: number;
  readonly channels: number;
  readonly outputs: number;
  readonly height: number;
  readonly width: number;
  readonly windows: WindowOptions;
}

const small = fc.integer({ min: 1, max: 3 });
const pairOf = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

/** Any geometry with at least one window; for pooling, the padding is at most half a window. */
const geometries = (pooling: boolean): fc.Arbitrary<Geometry> =>
  fc
    .record({
      images: small,
      channels: fc.integer({ min: 1, max: 6 }),
      outputs: fc.integer({ min: 1, max: 6 }),
      height: fc.integer({ min: 1, max: 9 }),
      width: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(16)),
      windows: fc.record({
        kernel_size: pairOf(1, 4),
        stride: fc.oneof(fc.constant<[number, number]>([1, 1]), pairOf(1, 4)),
        padding: pairOf(0, 2),
      }),
    })
    .filter(
      ({ height, width, windows }) =>
        outputSize(height, width, windows).every((size) => size >= 1) &&
        (!pooling || windows.padding.every((size, i) => 2 * size <= windows.kernel_size[i])),
    );

/** Every position in every window: its index in the output, in the window and, unless it is padding, in the image. */
function* windowPositions({ height, width, windows }: Geometry) {
  const {
    kernel_size: [kernelHeight, kernelWidth],
    stride = windows.kernel_size,
    padding,
  } = windows;
  const [rows, columns] = outputSize(height, width, windows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let ky = 0; ky < kernelHeight; ky++) {
        for (let kx = 0; kx < kernelWidth; kx++) {
          const y = row * stride[0] + ky - padding[0];
          const x = column * stride[1] + kx - padding[1];
          const inside = y >= 0 && y < height && x >= 0 && x < width;
          yield { place: row * columns + column, within: ky * kernelWidth + kx, pixel: inside ? y * width + x : -1 };
        }
      }
    }
  }
}

interface ConvolutionTerm {
  readonly y: number;
  readonly x: number;
  readonly weight: number;
  readonly output: number;
}

/** The indices of the numbers that a convolution multiplies. */
function* convolutionTerms(geometry: Geometry): Iterable<ConvolutionTerm> {
  const { images, channels, outputs, height, width, windows } = geometry;
  const size = windows.kernel_size[0] * windows.kernel_size[1];
  const [rows, columns] = outputSize(height, width, windows);
  for (const { place, within, pixel } of windowPositions(geometry)) {
    if (pixel < 0) continue;
    for (let image = 0; image < images; image++) {
      for (let output = 0; output < outputs; output++) {
        for (let channel = 0; channel < channels; channel++) {
          yield {
            y: (image * outputs + output) * rows * columns + place,
            x: (image * channels + channel) * height * width + pixel,
            weight: (output * channels + channel) * size + within,
            output,
          };
        }
      }
    }
  }
}

/** Sums of products, and of their absolute values, to which round-off is proportional. */
class ErrorBoundedSums {
  readonly values: number[];
  readonly sizes: number[];

  constructor(start: ArrayLike<number>) {
    this.values = Array.from(start);
    this.sizes = Array.from(start, Math.abs);
  }

  add(index: number, value: number): void {
    this.values[index] += value;
    this.sizes[index] += Math.abs(value);
  }

  expectIn(tensor: Tensor, terms: number, u: number): void {
    expect(tensor).toBeAllclose(this.values, {
      rtol: 2 * u,
      atol: this.sizes.map((size) => 2 * (terms + 3) * u * size),
    });
  }
}

const zerosOfLength = (length: number): number[] => new Array<number>(length).fill(0);

export function describeImages(kernels: Kernels): void {
  const u = roundoff(kernels.precision);

  const shapesOf = ({ images, channels, outputs, height, width, windows }: Geometry) => {
    const [rows, columns] = outputSize(height, width, windows);
    return {
      x: [images, channels, height, width],
      y: [images, outputs, rows, columns],
      pooled: [images, channels, rows, columns],
      weight: [outputs, channels, ...windows.kernel_size],
      workspace: im2colShape([channels, height, width], windows),
    };
  };

  describe('conv2d', () => {
    it('is the sum over every position of every window', () => {
      fc.assert(
        fc.property(geometries(false), fc.nat(), fc.boolean(), (geometry, seed, biased) => {
          const draw = new TensorGenerator(kernels, seed);
          const shapes = shapesOf(geometry);
          const [x, weight, bias] = [shapes.x, shapes.weight, [geometry.outputs]].map((shape) => draw.tensor(shape));
          const y = nanTensor(kernels, shapes.y);
          const perImage = y.data.length / geometry.images / geometry.outputs;
          const expected = new ErrorBoundedSums(
            Array.from(y.data, (_, i) => (biased ? bias.data[Math.floor(i / perImage) % geometry.outputs] : 0)),
          );
          for (const { y: to, x: from, weight: by } of convolutionTerms(geometry))
            expected.add(to, x.data[from] * weight.data[by]);
          kernels.conv2d(y, x, weight, biased ? bias : null, geometry.windows, nanTensor(kernels, shapes.workspace));
          expected.expectIn(y, shapes.workspace[0], u);
        }),
        { numRuns: 60 },
      );
    });

    it('computes the input gradient, and adds to the weight and bias gradients', () => {
      fc.assert(
        fc.property(geometries(false), fc.nat(), fc.boolean(), (geometry, seed, biased) => {
          const draw = new TensorGenerator(kernels, seed);
          const shapes = shapesOf(geometry);
          const [x, weight, dy, dWeight, dBias] = [
            shapes.x,
            shapes.weight,
            shapes.y,
            shapes.weight,
            [geometry.outputs],
          ].map((shape) => draw.tensor(shape));
          const dx = nanTensor(kernels, shapes.x);
          const [toInput, toWeight, toBias] = [zerosOfLength(dx.data.length), dWeight.data, dBias.data].map(
            (start) => new ErrorBoundedSums(start),
          );
          for (const { y, x: at, weight: by } of convolutionTerms(geometry)) {
            toInput.add(at, dy.data[y] * weight.data[by]);
            toWeight.add(by, dy.data[y] * x.data[at]);
          }
          const perImage = dy.data.length / geometry.images / geometry.outputs;
          dy.data.forEach((value, i) => toBias.add(Math.floor(i / perImage) % geometry.outputs, value));
          kernels.conv2dBackwardInput(dx, dy, weight, geometry.windows, nanTensor(kernels, shapes.workspace));
          kernels.conv2dBackwardWeight(
            dWeight,
            biased ? dBias : null,
            dy,
            x,
            geometry.windows,
            nanTensor(kernels, shapes.workspace),
          );
          toInput.expectIn(dx, geometry.outputs * shapes.workspace[0], u);
          toWeight.expectIn(dWeight, dy.data.length, u);
          if (biased) toBias.expectIn(dBias, dy.data.length, u);
        }),
        { numRuns: 60 },
      );
    });

    it('is exact for integers, not mirrored, with zero padding', () => {
      const x = tensorOf(kernels, [
        [
          [
            [1, 2, 3],
            [4, 5, 6],
            [7, 8, 9],
          ],
        ],
      ]);
      const weight = tensorOf(kernels, [
        [
          [
            [1, 10],
            [100, 1000],
          ],
        ],
      ]);
      const run = (windows: WindowOptions, shape: number[]): number[] => {
        const y = nanTensor(kernels, shape);
        kernels.conv2d(
          y,
          x,
          weight,
          tensorOf(kernels, [0.5]),
          windows,
          nanTensor(kernels, im2colShape([1, 3, 3], windows)),
        );
        return Array.from(y.data);
      };
      expect(run({ kernel_size: [2, 2], stride: [1, 1], padding: [0, 0] }, [1, 1, 2, 2])).toEqual([
        5421.5, 6532.5, 8754.5, 9865.5,
      ]);
      expect(run({ kernel_size: [2, 2], stride: [3, 2], padding: [1, 1] }, [1, 1, 2, 2])).toEqual([
        1000.5, 3200.5, 70.5, 98.5,
      ]);
    });

    it('gives the same bits for an image alone as in a batch', () => {
      const windows: WindowOptions = { kernel_size: [3, 3], stride: [1, 1], padding: [1, 1] };
      const draw = new TensorGenerator(kernels, 5);
      const [x, weight] = [
        [3, 2, 9, 7],
        [5, 2, 3, 3],
      ].map((shape) => draw.tensor(shape));
      const workspace = nanTensor(kernels, im2colShape([2, 9, 7], windows));
      const [y, alone] = [3, 1].map((images) => nanTensor(kernels, [images, 5, 9, 7]));
      kernels.conv2d(y, x, weight, null, windows, workspace);
      for (let image = 0; image < 3; image++) {
        const size = x.data.length / 3;
        const one = tensorFrom(kernels, [1, 2, 9, 7], x.data.subarray(image * size, (image + 1) * size));
        kernels.conv2d(alone, one, weight, null, windows, workspace);
        expect(alone.data).toEqual(y.data.slice(image * alone.data.length, (image + 1) * alone.data.length));
      }
    });
  });

  /** The pixels of each window of each plane; null for padding. */
  const windowsOf = (geometry: Geometry, { data }: Tensor): (number | null)[][] => {
    const { images, channels, height, width, windows } = geometry;
    const [rows, columns] = outputSize(height, width, windows);
    const found: (number | null)[][] = Array.from({ length: images * channels * rows * columns }, () => []);
    for (let plane = 0; plane < images * channels; plane++) {
      for (const { place, pixel } of windowPositions(geometry)) {
        found[plane * rows * columns + place].push(pixel < 0 ? null : plane * height * width + pixel);
      }
    }
    expect(found.flat().every((index) => index === null || index < data.length)).toBe(true);
    return found;
  };

  it('maxPool2d takes the maximum and passes the gradient only to it, or the first of equal ones', () => {
    fc.assert(
      fc.property(geometries(true), fc.nat(), fc.boolean(), (geometry, seed, ties) => {
        const draw = new TensorGenerator(kernels, seed);
        const shapes = shapesOf(geometry);
        const x = draw.tensor(shapes.x);
        if (ties) x.data.forEach((value, i) => (x.data[i] = Math.round(value / 2) + 0));
        const dy = draw.tensor(shapes.pooled);
        const back = new ErrorBoundedSums(zerosOfLength(x.data.length));
        const largest = windowsOf(geometry, x).map((window, place) => {
          const inside = window.filter((index) => index !== null);
          const most = Math.max(...inside.map((index) => x.data[index]));
          back.add(inside.find((index) => x.data[index] === most) ?? -1, dy.data[place]);
          return most;
        });
        const y = nanTensor(kernels, shapes.pooled);
        const dx = nanTensor(kernels, shapes.x);
        kernels.maxPool2d(y, x, geometry.windows);
        kernels.maxPool2dBackward(dx, dy, x, geometry.windows);
        expect(Array.from(y.data)).toEqual(largest);
        back.expectIn(dx, 16, u);
      }),
      { numRuns: 60 },
    );
  });

  it('maxPool2d with 2x2 windows in a row takes the first of equal ones and the last NaN', () => {
    // All combinations of these values in a window, side by side, and one column without a window.
    const values = [-1, 0, 2, NaN];
    const windows = values.flatMap((a) =>
      values.flatMap((b) => values.flatMap((c) => values.map((d) => [a, b, c, d]))),
    );
    const row = (of: (window: number[]) => number[]): number[] => [...windows.flatMap(of), 9];
    const x = tensorOf(kernels, [[[row(([a, b]) => [a, b]), row(([, , c, d]) => [c, d])]]]);
    const pooling: WindowOptions = { kernel_size: [2, 2], padding: [0, 0] };
    const y = nanTensor(kernels, [1, 1, 1, windows.length]);
    kernels.maxPool2d(y, x, pooling);
    expect(Array.from(y.data)).toEqual(windows.map((window) => Math.max(...window)));
    const dx = nanTensor(kernels, x.shape);
    kernels.maxPool2dBackward(dx, tensorOf(kernels, [[[windows.map((_, i) => i + 1)]]]), x, pooling);
    const expected = windows.map((window, i) => {
      const lastNaN = window.map(Number.isNaN).lastIndexOf(true);
      const winner = lastNaN >= 0 ? lastNaN : window.indexOf(Math.max(...window));
      return window.map((_, place) => (place === winner ? i + 1 : 0));
    });
    const width = 2 * windows.length + 1;
    const actual = windows.map((_, i) => [0, 1, width, width + 1].map((place) => dx.data[2 * i + place]));
    expect(actual).toEqual(expected);
    expect([dx.data[width - 1], dx.data[2 * width - 1]]).toEqual([0, 0]);
  });

  it('avgPool2d takes the mean, with or without padding, and distributes the gradient evenly', () => {
    fc.assert(
      fc.property(geometries(true), fc.nat(), fc.boolean(), (geometry, seed, padded) => {
        const draw = new TensorGenerator(kernels, seed);
        const shapes = shapesOf(geometry);
        const x = draw.tensor(shapes.x);
        const dy = draw.tensor(shapes.pooled);
        const [mean, back] = [dy, x].map(({ data }) => new ErrorBoundedSums(zerosOfLength(data.length)));
        windowsOf(geometry, x).forEach((window, place) => {
          const inside = window.filter((index) => index !== null);
          const count = padded ? window.length : inside.length;
          for (const index of inside) {
            mean.add(place, x.data[index] / count);
            back.add(index, dy.data[place] / count);
          }
        });
        const y = nanTensor(kernels, shapes.pooled);
        const dx = nanTensor(kernels, shapes.x);
        kernels.avgPool2d(y, x, geometry.windows, padded);
        kernels.avgPool2dBackward(dx, dy, geometry.windows, padded);
        mean.expectIn(y, 16, u);
        back.expectIn(dx, 16, u);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps a NaN in the windows that contain it', () => {
    const x = tensorOf(kernels, [[[[1, NaN, 3, 4]]]]);
    const windows: WindowOptions = { kernel_size: [1, 2], padding: [0, 0] };
    const y = nanTensor(kernels, [1, 1, 1, 2]);
    kernels.maxPool2d(y, x, windows);
    expect(Array.from(y.data)).toEqual([NaN, 4]);
    const dx = nanTensor(kernels, [1, 1, 1, 4]);
    kernels.maxPool2dBackward(dx, tensorOf(kernels, [[[[5, 6]]]]), x, windows);
    expect(Array.from(dx.data)).toEqual([0, 5, 0, 6]);
    kernels.avgPool2d(y, x, windows, true);
    expect(Array.from(y.data)).toEqual([NaN, 3.5]);
  });
}
