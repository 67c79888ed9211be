// The operations. To add one: its function beside its derivative, a line in the table, and one in custom/contract.ts.
import { add, divide, multiply, negate, pow, subtract } from './arithmetic';
import { concatenate, reshape, slice, take, transpose } from './arrangement';
import { exp, log, sigmoid, sqrt, tanh } from './functions';
import { abs, maximum, minimum, relu } from './kinked';
import { matmul } from './matmul';
import { mean, sum } from './reductions';
import { logSoftmax, softmax } from './softmax';

export const operations = {
  add, subtract, multiply, divide, pow, maximum, minimum,
  negate, exp, log, sqrt, tanh, sigmoid, relu, abs,
  sum, mean, softmax, logSoftmax,
  matmul, transpose, reshape, concatenate, slice, take,
} as const;

export type OperationName = keyof typeof operations;
