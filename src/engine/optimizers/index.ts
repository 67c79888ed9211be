// All optimizers. To add one, add a file to this folder and a line to the table.
import { adagrad } from './adagrad';
import { adam, adamw } from './adam';
import { rmsprop } from './rmsprop';
import { sgd } from './sgd';

export const optimizers = { sgd, adagrad, rmsprop, adam, adamw } as const;

export type OptimizerKind = keyof typeof optimizers;
