// The optimizers. To add one: a file beside this, and a line in the table.
import { sgd } from './sgd';

export const optimizers = { sgd } as const;

export type OptimizerKind = keyof typeof optimizers;
