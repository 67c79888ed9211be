// The layers. To add one: a file beside this, and a line in the table.
import { avgPool2d } from './avg-pool2d';
import { batchNorm1d } from './batch-norm1d';
import { batchNorm2d } from './batch-norm2d';
import { conv2d } from './conv2d';
import { dropout } from './dropout';
import { elu } from './elu';
import { flatten } from './flatten';
import { gelu } from './gelu';
import { identity } from './identity';
import { kernel } from './kernel';
import { layerNorm } from './layer-norm';
import { leakyRelu } from './leaky-relu';
import { linear } from './linear';
import { logSoftmax } from './log-softmax';
import { maxPool2d } from './max-pool2d';
import { relu } from './relu';
import { sigmoid } from './sigmoid';
import { silu } from './silu';
import { softmax } from './softmax';
import { softplus } from './softplus';
import { tanh } from './tanh';

export const layers = {
  linear,
  conv2d,
  max_pool2d: maxPool2d,
  avg_pool2d: avgPool2d,
  tanh,
  sigmoid,
  relu,
  leaky_relu: leakyRelu,
  elu,
  gelu,
  silu,
  softplus,
  softmax,
  log_softmax: logSoftmax,
  batch_norm1d: batchNorm1d,
  batch_norm2d: batchNorm2d,
  layer_norm: layerNorm,
  dropout,
  flatten,
  kernel,
  identity,
} as const;

export type LayerKind = keyof typeof layers;
