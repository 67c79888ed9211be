// All augmentations. To add one, add a file to this folder and a line to the table.
import { randomCrop } from './random-crop';
import { randomHorizontalFlip } from './random-horizontal-flip';

export const augmentations = {
  random_crop: randomCrop,
  random_horizontal_flip: randomHorizontalFlip,
} as const;

export type AugmentationKind = keyof typeof augmentations;
