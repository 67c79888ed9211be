// All operations. To add one, define it with its derivative and add a line to the table and to custom/contract.ts.
import { add, divide, multiply, negate, pow, subtract } from './arithmetic';
import { conv2d } from './conv2d';
import { concatenate, reshape, slice, stack, take, transpose } from './indexing';
import { exp, log, sigmoid, sqrt, tanh } from './smooth';
import { abs, maximum, minimum, relu } from './piecewise';
import { matmul } from './matmul';
import { mean, sum } from './reductions';
import { gather, scatterAdd, where } from './selection';
import { logSoftmax, softmax } from './softmax';

export const operations = {
  add,
  subtract,
  multiply,
  divide,
  pow,
  maximum,
  minimum,
  negate,
  exp,
  log,
  sqrt,
  tanh,
  sigmoid,
  relu,
  abs,
  sum,
  mean,
  softmax,
  logSoftmax,
  matmul,
  transpose,
  reshape,
  concatenate,
  stack,
  slice,
  take,
  gather,
  scatterAdd,
  where,
  conv2d,
} as const;

export type OperationName = keyof typeof operations;
