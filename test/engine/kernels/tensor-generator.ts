// Random inputs for kernel tests: sizes with leftovers after whole vectors, and tensors full of numbers.
import fc from 'fast-check';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import { type Precision, type Shape, numel, type Tensor } from '../../../src/engine/kernels/tensor';
import { Random } from '../../../src/engine/random';
import { tensorFrom } from '../../support/tensors';

export type CreateKernels = (precision: Precision) => Kernels;

/** Half the distance from 1 to the next number: the relative error of one rounding. */
export const roundoff = (precision: Precision): number => (precision === 'float64' ? 2 ** -53 : 2 ** -24);

/** Sizes with 1s, odd numbers, powers of two and their neighbors. */
export const sizes = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 33);

/** Generates tensors of numbers in [-reach, reach), different at every call, the same for a seed. */
export class TensorGenerator {
  readonly #random: Random;

  constructor(
    readonly kernels: Kernels,
    seed: number,
  ) {
    this.#random = new Random(seed, 'kernel tests');
  }

  numbers(count: number, low: number, high: number): number[] {
    return Array.from({ length: count }, () => this.#random.uniform(low, high));
  }

  tensor(shape: Shape, limit = 3): Tensor {
    return tensorFrom(this.kernels, shape, this.numbers(numel(shape), -limit, limit));
  }

  /** Numbers inside (0, 1), away from its ends. */
  probabilities(shape: Shape): Tensor {
    return tensorFrom(this.kernels, shape, this.numbers(numel(shape), 0.01, 0.99));
  }

  /** One-hot rows. */
  oneHot(rows: number, columns: number): Tensor {
    const elements = new Array<number>(rows * columns).fill(0);
    for (let row = 0; row < rows; row++) elements[row * columns + this.#random.integerBelow(columns)] = 1;
    return tensorFrom(this.kernels, [rows, columns], elements);
  }
}

/** Tests a property over seeds and two sizes. The seed determines everything that is drawn. */
export function forShapes(
  kernels: Kernels,
  property: (generator: TensorGenerator, rows: number, columns: number) => void,
): void {
  fc.assert(
    fc.property(fc.nat(), sizes, sizes, (seed, rows, columns) =>
      property(new TensorGenerator(kernels, seed), rows, columns),
    ),
    { numRuns: 40 },
  );
}
