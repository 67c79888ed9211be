// The augmentations. To add one: a file beside this, and a line in the table.
import { randomCrop } from './random-crop';
import { randomHorizontalFlip } from './random-horizontal-flip';

export const augmentations = {
  random_crop: randomCrop,
  random_horizontal_flip: randomHorizontalFlip,
} as const;

export type AugmentationKind = keyof typeof augmentations;
