import * as z from 'zod/mini';
import { defineAugmentation } from './augmentation';

/** As torchvision's RandomHorizontalFlip. */
export const randomHorizontalFlip = defineAugmentation({
  kind: 'random_horizontal_flip',
  aliases: ['flip', 'hflip', 'horizontal_flip', 'mirror'],
  summary: 'Flips an image horizontally with probability p.',
  options: z.strictObject({
    p: z._default(z.number().check(z.gte(0), z.lte(1), z.describe('Probability of a flip, from 0 to 1.')), 0.5),
  }),
  apply({ options: { p }, data, from, channels, height, width, random }) {
    if (random.uniform() >= p) return;
    for (let row = 0; row < channels * height; row++) {
      for (let left = from + row * width, right = left + width - 1; left < right; left++, right--) {
        const kept = data[left]!;
        data[left] = data[right]!;
        data[right] = kept;
      }
    }
  },
});
