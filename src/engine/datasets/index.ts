// The datasets. To add one: a file beside this, and a line in the table.
import { blobs } from './blobs';
import { circles } from './circles';
import { csv } from './csv';
import { functionOfOne } from './function';
import { idx } from './idx';
import { images } from './images';
import { inline } from './inline';
import { linearData } from './linear-data';
import { moons } from './moons';
import { noisySine } from './noisy-sine';
import { npy, npz } from './npy';
import { spirals } from './spirals';
import { xor } from './xor';

export const datasets = {
  circles,
  moons,
  spirals,
  blobs,
  xor,
  noisy_sine: noisySine,
  function: functionOfOne,
  linear: linearData,
  images,
  inline,
  csv,
  npy,
  npz,
  idx,
} as const;

export type DatasetKind = keyof typeof datasets;
