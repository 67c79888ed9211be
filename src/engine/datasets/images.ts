import * as z from 'zod/mini';
import { cosPi, hypot } from '../deterministic-math';
import { positiveInteger, nonNegativeNumber } from '../option-schemas';
import { defineDataset } from './dataset';

/**
 * Whether the shape covers the point (x, y), relative to its center and about -1 to 1; `period` is that of a grating.
 */
type ShapeFunction = (x: number, y: number, period: number) => boolean;

const grating = (along: number, period: number): boolean => cosPi((2 * along) / period) > 0;

/** One class each. */
const shapes: readonly (readonly [name: string, figure: ShapeFunction])[] = [
  ['disc', (x, y) => hypot(x, y) < 0.55],
  ['rows', (_, y, period) => grating(y, period)],
  ['columns', (x, _, period) => grating(x, period)],
  ['square', (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.5],
  ['cross', (x, y) => Math.min(Math.abs(x), Math.abs(y)) < 0.18 && Math.max(Math.abs(x), Math.abs(y)) < 0.65],
  ['rising', (x, y, period) => grating((x + y) / Math.SQRT2, period)],
  ['falling', (x, y, period) => grating((x - y) / Math.SQRT2, period)],
  ['ring', (x, y) => Math.abs(hypot(x, y) - 0.5) < 0.15],
  ['triangle', (x, y) => y < 0.45 && y > 2 * Math.abs(x) - 0.6],
  ['checks', (x, y, period) => grating(x, period) === grating(y, period)],
];

/** The samples cycle through the classes. Each image has random colors, position, size and grating. */
export const images = defineDataset({
  kind: 'images',
  summary:
    'Shapes and gratings in two colors each: up to ten classes of images, channels × height × width, from about -1 to 1.',
  options: z.strictObject({
    samples: z._default(positiveInteger('Number of images, distributed evenly over the classes.'), 500),
    classes: z._default(
      z
        .int()
        .check(
          z.gte(2),
          z.lte(shapes.length),
          z.describe(`How many of these classes to use, in this order: ${shapes.map(([name]) => name).join(', ')}.`),
        ),
      shapes.length,
    ),
    size: z._default(z.int().check(z.gte(4), z.lte(256), z.describe('Height and width in pixels.')), 32),
    channels: z._default(z.int().check(z.gte(1), z.lte(4), z.describe('3 for color, 1 for gray.')), 3),
    noise: z._default(nonNegativeNumber('Standard deviation of the noise added to every number.'), 0.1),
  }),
  defaultSplit: { validation: 0.2, test: 0.2 },
  shape: ({ samples, classes, size, channels }) => ({
    inputShape: [channels, size, size],
    targetSize: 1,
    classes,
    samples,
  }),
  generate({ options: { samples, classes, size, channels, noise }, random }) {
    const plane = size * size;
    const inputs = new Float64Array(samples * channels * plane);
    const targets = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      const [, figure] = shapes[i % classes]!;
      targets[i] = i % classes;
      const [middleX, middleY] = [random.uniform(-0.3, 0.3), random.uniform(-0.3, 0.3)];
      const scale = random.uniform(0.8, 1.2);
      const period = random.uniform(0.4, 0.8);
      // Shape and background have different signs, so the shape is always visible.
      const figureIsLight = random.integerBelow(2) === 1;
      const colors = Array.from({ length: channels }, () => {
        const [light, dark] = [random.uniform(0.2, 1), random.uniform(-1, -0.2)];
        return figureIsLight ? [light, dark] : [dark, light];
      });
      for (let p = 0; p < plane; p++) {
        const x = ((2 * (p % size) + 1) / size - 1 - middleX) / scale;
        const y = ((2 * Math.floor(p / size) + 1) / size - 1 - middleY) / scale;
        const layer = figure(x, y, period) ? 0 : 1;
        for (let c = 0; c < channels; c++)
          inputs[(i * channels + c) * plane + p] = colors[c]![layer]! + random.normal(0, noise);
      }
    }
    return {
      samples,
      inputShape: [channels, size, size],
      inputs,
      targetSize: 1,
      targets,
      classes: shapes.slice(0, classes).map(([name]) => name),
    };
  },
});
