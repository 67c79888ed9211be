// All datasets. To add one, add a file to this folder and a line to the table.
import { adding } from './adding';
import { blobs } from './blobs';
import { circles } from './circles';
import { copy } from './copy';
import { csv } from './csv';
import { functionData } from './function-data';
import { idx } from './idx';
import { images } from './images';
import { inline } from './inline';
import { linearData } from './linear-data';
import { moons } from './moons';
import { noisySine } from './noisy-sine';
import { npy, npz, safetensors } from './npy';
import { parity } from './parity';
import { sorting } from './sorting';
import { spirals } from './spirals';
import { text } from './text';
import { xor } from './xor';

export const datasets = {
  circles,
  moons,
  spirals,
  blobs,
  xor,
  noisy_sine: noisySine,
  function: functionData,
  linear: linearData,
  images,
  adding,
  copy,
  parity,
  sorting,
  inline,
  csv,
  npy,
  npz,
  idx,
  safetensors,
  text,
} as const;

export type DatasetKind = keyof typeof datasets;
