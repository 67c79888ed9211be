// All transforms of the data. To add one, add a file to this folder and a line to the table.
import { minMax } from './min-max';
import { standardize } from './standardize';
import { subtractMean } from './subtract-mean';
import { zca } from './zca';

export const transforms = {
  standardize,
  subtract_mean: subtractMean,
  min_max: minMax,
  zca,
} as const;

export type TransformKind = keyof typeof transforms;
