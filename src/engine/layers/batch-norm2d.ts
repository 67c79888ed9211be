import { batchNorm } from './batch-norm';

export const batchNorm2d = batchNorm(
  'batch_norm2d',
  'Every channel of images to mean 0 and variance 1: in training over the batch, in evaluation by running figures. Then y = weight · x + bias.',
  3,
  { needs: 'needs images, channels × height × width', remedy: 'Write "batch_norm1d" for rows of numbers.' },
);
