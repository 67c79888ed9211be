// What the kernel tests draw: sizes where vector loops have a rest, and tensors full of numbers.
import fc from 'fast-check';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import { type Precision, type Shape, sizeOf, type Tensor } from '../../../src/engine/kernels/tensor';
import { Random } from '../../../src/engine/random';
import { filled } from '../../support/tensors';

export type CreateKernels = (precision: Precision) => Kernels;

/** Half the distance from 1 to the next number: the relative error of one rounding. */
export const roundoff = (precision: Precision): number => (precision === 'float64' ? 2 ** -53 : 2 ** -24);

/** Sizes with 1s, odd ones, powers of two and their neighbours. */
export const size = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 33);

/** Hands out tensors of numbers in [-reach, reach), different at every call, the same for a seed. */
export class Draw {
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

  tensor(shape: Shape, reach = 3): Tensor {
    return filled(this.kernels, shape, this.numbers(sizeOf(shape), -reach, reach));
  }

  /** Numbers inside (0, 1), away from its ends. */
  probabilities(shape: Shape): Tensor {
    return filled(this.kernels, shape, this.numbers(sizeOf(shape), 0.01, 0.99));
  }

  /** One-hot rows. */
  classes(rows: number, columns: number): Tensor {
    const elements = new Array<number>(rows * columns).fill(0);
    for (let row = 0; row < rows; row++) elements[row * columns + this.#random.below(columns)] = 1;
    return filled(this.kernels, [rows, columns], elements);
  }
}

/** Runs a property over seeds and two sizes; what it draws is told by the seed alone. */
export function forShapes(kernels: Kernels, property: (draw: Draw, rows: number, columns: number) => void): void {
  fc.assert(
    fc.property(fc.nat(), size, size, (seed, rows, columns) => property(new Draw(kernels, seed), rows, columns)),
    { numRuns: 40 },
  );
}
