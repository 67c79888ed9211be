import { batchNorm } from './batch-norm';

export const batchNorm1d = batchNorm(
  'batch_norm1d',
  'Every feature to mean 0 and variance 1: in training over the batch, in evaluation by running figures. Then y = weight · x + bias.',
  1,
  { needs: 'needs one row of numbers a sample', remedy: 'Write "batch_norm2d" for images.' },
);
