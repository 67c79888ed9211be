// What layers of plain rows of numbers say of images.
import type { Shape } from '../kernels/tensor';
import type { Misfit } from './layer';

export const rowMisfit = (input: Shape): Misfit | undefined =>
  input.length === 1 ? undefined : { needs: 'needs one row of numbers a sample', remedy: 'Put "flatten" ahead of it.' };
