import * as z from 'zod/mini';
import { count } from '../options';
import { defineAugmentation } from './augmentation';

/** As torchvision's RandomCrop of the image's own size with padding. */
export const randomCrop = defineAugmentation({
  kind: 'random_crop',
  summary: 'Puts zeros around an image and cuts a part of its own size out of that at random: a shift by up to `padding` pixels each way.',
  options: z.strictObject({ padding: z._default(count('Pixels on each side.'), 4) }),
  apply({ options: { padding }, data, from, channels, height, width, scratch, random }) {
    const down = random.below(2 * padding + 1) - padding;
    const right = random.below(2 * padding + 1) - padding;
    const size = channels * height * width;
    for (let i = 0; i < size; i++) scratch[i] = data[from + i];
    for (let c = 0, to = from; c < channels; c++) {
      for (let y = down; y < down + height; y++) {
        for (let x = right; x < right + width; x++, to++) {
          const inside = y >= 0 && y < height && x >= 0 && x < width;
          data[to] = inside ? scratch[(c * height + y) * width + x] : 0;
        }
      }
    }
  },
});
