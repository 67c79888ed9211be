// The datasets. To add one: a file beside this, and a line in the table.
import { circles } from './circles';
import { csv } from './csv';
import { inline } from './inline';
import { noisySine } from './noisy-sine';
import { xor } from './xor';

export const datasets = { circles, xor, noisy_sine: noisySine, inline, csv } as const;

export type DatasetKind = keyof typeof datasets;
