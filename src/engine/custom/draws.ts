// Random numbers for a custom layer. They depend on the run's seed, the step and the sample alone, so that going back
// repeats them, and the gradient check holds them fixed.
import type { TensorData } from '../kernels/tensor';
import { numel, type Shape, type Tensor } from '../kernels/tensor';
import { Random } from '../random';
import type { Draws } from './contract';

/** Seeds are whole numbers below this, so that a float32 holds each exactly. */
const SEEDS = 2 ** 24;

/** Writes a seed for each row of a mask [batch, ...]. */
export function drawSeeds({ shape, data }: Tensor, random: Random): void {
  const width = data.length / shape[0]!;
  for (let row = 0; row < shape[0]!; row++) data.fill(random.integerBelow(SEEDS), row * width, (row + 1) * width);
}

/**
 * The draws of one call, which start over in each. Tensors with the batch in front get numbers by sample.
 * @param seeds a mask with the seed of each sample; null in evaluation, where draws are the same in every step. With
 *   negative seeds, all draws of a call are the same, so that their order does not matter
 * @param like an array of the precision of the results
 */
export function createDraws(seeds: Tensor | null, batchSize: number, like: TensorData): Draws {
  let draws = 0;
  const draw = (shape: Shape, next: (random: Random) => number): Tensor => {
    const data = like instanceof Float64Array ? new Float64Array(numel(shape)) : new Float32Array(numel(shape));
    const rows = shape[0] === batchSize ? batchSize : 1;
    const width = data.length / rows;
    const index = draws++;
    for (let row = 0; row < rows; row++) {
      const seed = seeds ? seeds.data[(row * seeds.data.length) / batchSize]! : row;
      const random = new Random(Math.abs(seed), `custom layer ${seed < 0 ? 0 : index}`);
      for (let i = row * width; i < (row + 1) * width; i++) data[i] = next(random);
    }
    return { shape: [...shape], data };
  };
  return {
    uniform: (shape) => draw(shape, (random) => random.uniform()),
    normal: (shape) => draw(shape, (random) => random.normal()),
  };
}
