// All layers. To add one, add a file to this folder and a line to the table.
import { adaptiveAvgPool2d } from './adaptive-avg-pool2d';
import { add } from './add';
import { avgPool2d } from './avg-pool2d';
import { batchNorm1d, batchNorm2d } from './batch-norm';
import { concat } from './concat';
import { convTranspose2d } from './conv-transpose2d';
import { conv1d } from './conv1d';
import { conv2d } from './conv2d';
import { dropout } from './dropout';
import { elu } from './elu';
import { embedding } from './embedding';
import { flatten } from './flatten';
import { gelu } from './gelu';
import { globalAvgPool1d } from './global-avg-pool1d';
import { groupNorm } from './group-norm';
import { gru } from './gru';
import { identity } from './identity';
import { kernel } from './kernel';
import { layerNorm } from './layer-norm';
import { leakyRelu } from './leaky-relu';
import { linear } from './linear';
import { linearTranspose } from './linear-transpose';
import { logSoftmax } from './log-softmax';
import { lstm } from './lstm';
import { matmul } from './matmul';
import { maxPool2d } from './max-pool2d';
import { multiheadAttention } from './multihead-attention';
import { multiply } from './multiply';
import { prelu } from './prelu';
import { positionalEncoding } from './positional-encoding';
import { relu } from './relu';
import { rnn } from './rnn';
import { rmsNorm } from './rms-norm';
import { sigmoid } from './sigmoid';
import { silu } from './silu';
import { slice } from './slice';
import { softmax } from './softmax';
import { softplus } from './softplus';
import { subtract } from './subtract';
import { tanh } from './tanh';
import { upsample } from './upsample';

export const layers = {
  linear,
  linear_transpose: linearTranspose,
  conv1d,
  conv2d,
  conv_transpose2d: convTranspose2d,
  max_pool2d: maxPool2d,
  avg_pool2d: avgPool2d,
  adaptive_avg_pool2d: adaptiveAvgPool2d,
  global_avg_pool1d: globalAvgPool1d,
  upsample,
  rnn,
  gru,
  lstm,
  tanh,
  sigmoid,
  relu,
  leaky_relu: leakyRelu,
  prelu,
  elu,
  gelu,
  silu,
  softplus,
  softmax,
  log_softmax: logSoftmax,
  batch_norm1d: batchNorm1d,
  batch_norm2d: batchNorm2d,
  layer_norm: layerNorm,
  group_norm: groupNorm,
  rms_norm: rmsNorm,
  dropout,
  flatten,
  kernel,
  identity,
  slice,
  add,
  subtract,
  multiply,
  concat,
  matmul,
  embedding,
  positional_encoding: positionalEncoding,
  multihead_attention: multiheadAttention,
} as const;

export type LayerKind = keyof typeof layers;
