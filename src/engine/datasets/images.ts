import * as z from 'zod/mini';
import { cosPi, hypot } from '../functions';
import { count, nonNegative } from '../options';
import { defineDataset } from './dataset';

/** Where the figure is, at a place (x, y) of about -1 to 1 around its middle; `period` is that of a grating. */
type Figure = (x: number, y: number, period: number) => boolean;

const grating = (along: number, period: number): boolean => cosPi((2 * along) / period) > 0;

/** One class each. */
const figures: readonly (readonly [name: string, figure: Figure])[] = [
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

/** The samples take the classes in turn. Colours, place, size and grating are each image's own. */
export const images = defineDataset({
  kind: 'images',
  summary: 'Figures and gratings in two colours each: up to ten classes of images, channels × height × width, from about -1 to 1.',
  options: z.strictObject({
    samples: z._default(count('Images, spread evenly over the classes.'), 500),
    classes: z._default(
      z.int().check(z.gte(2), z.lte(figures.length), z.describe(`The first so many of ${figures.map(([name]) => name).join(', ')}.`)),
      figures.length,
    ),
    size: z._default(z.int().check(z.gte(4), z.lte(256), z.describe('Height and width in pixels.')), 32),
    channels: z._default(z.int().check(z.gte(1), z.lte(4), z.describe('3 for colours, 1 for grey.')), 3),
    noise: z._default(nonNegative('Standard deviation of the noise added to every number.'), 0.1),
  }),
  split: { validation: 0.2, test: 0.2 },
  shape: ({ samples, classes, size, channels }) => ({ inputShape: [channels, size, size], targetSize: 1, classes, samples }),
  generate({ options: { samples, classes, size, channels, noise }, random }) {
    const plane = size * size;
    const inputs = new Float64Array(samples * channels * plane);
    const targets = new Float64Array(samples);
    for (let i = 0; i < samples; i++) {
      const [, figure] = figures[i % classes];
      targets[i] = i % classes;
      const [middleX, middleY] = [random.uniform(-0.3, 0.3), random.uniform(-0.3, 0.3)];
      const scale = random.uniform(0.8, 1.2);
      const period = random.uniform(0.4, 0.8);
      // On different sides of 0, so that a figure is never lost in its ground.
      const figureIsLight = random.below(2) === 1;
      const colours = Array.from({ length: channels }, () => {
        const [light, dark] = [random.uniform(0.2, 1), random.uniform(-1, -0.2)];
        return figureIsLight ? [light, dark] : [dark, light];
      });
      for (let p = 0; p < plane; p++) {
        const x = ((2 * (p % size) + 1) / size - 1 - middleX) / scale;
        const y = ((2 * Math.floor(p / size) + 1) / size - 1 - middleY) / scale;
        const ground = figure(x, y, period) ? 0 : 1;
        for (let c = 0; c < channels; c++) inputs[(i * channels + c) * plane + p] = colours[c][ground] + random.normal(0, noise);
      }
    }
    return {
      samples, inputShape: [channels, size, size], inputs, targetSize: 1, targets,
      classes: figures.slice(0, classes).map(([name]) => name),
    };
  },
});
