// The optimizers. To add one: a file beside this, and a line in the table.
import { adagrad } from './adagrad';
import { adam, adamw } from './adam';
import { rmsprop } from './rmsprop';
import { sgd } from './sgd';

export const optimizers = { sgd, adagrad, rmsprop, adam, adamw } as const;

export type OptimizerKind = keyof typeof optimizers;
