import * as z from 'zod/mini';
import { positiveInteger } from '../option-schemas';
import { defineAugmentation } from './augmentation';

/** As torchvision's RandomCrop of the image's own size with padding. */
export const randomCrop = defineAugmentation({
  kind: 'random_crop',
  aliases: ['crop', 'random_shift'],
  summary:
    'Pads an image with zeros and crops it to its own size at a random position: a shift by up to `padding` pixels.',
  options: z.strictObject({ padding: z._default(positiveInteger('Number of pixels on each side.'), 4) }),
  lostShare({ padding }, height, width) {
    // Shifts from -padding to padding are equally likely.
    const kept = (size: number): number => {
      let sum = 0;
      for (let shift = -padding; shift <= padding; shift++) sum += Math.max(0, size - Math.abs(shift));
      return sum / (2 * padding + 1) / size;
    };
    return 1 - kept(height) * kept(width);
  },
  // 4 pixels of 32: He et al., "Deep residual learning for image recognition", 2016, section 4.2.
  usualOptions: (height, width) => ({ padding: Math.max(1, Math.round(Math.min(height, width) / 8)) }),
  apply({ options: { padding }, data, from, channels, height, width, scratch, random }) {
    const down = random.integerBelow(2 * padding + 1) - padding;
    const right = random.integerBelow(2 * padding + 1) - padding;
    const size = channels * height * width;
    for (let i = 0; i < size; i++) scratch[i] = data[from + i]!;
    for (let c = 0, to = from; c < channels; c++) {
      for (let y = down; y < down + height; y++) {
        for (let x = right; x < right + width; x++, to++) {
          const inside = y >= 0 && y < height && x >= 0 && x < width;
          data[to] = inside ? scratch[(c * height + y) * width + x]! : 0;
        }
      }
    }
  },
});
