// One layer for each kind of public bug report: the mistake is named first, whatever the seed and the names of the
// parameters, and the right layer passes.
import { describe, expect, it } from 'vitest';
import { checkTemplate } from './check-template';
import { TEMPLATES, type Template } from './layer-templates';
import { MORE_TEMPLATES } from './more-templates';

const templates = new Map([...TEMPLATES, ...MORE_TEMPLATES].map((template) => [template.name, template]));

/** The bug report, the layer, and its mistake. */
const BUGS = [
  ['tenstorrent/tt-metal#53204', 'layer norm', 'mean term twice'],
  ['Oneflow-Inc/oneflow#6149', 'layer norm', 'scale and shift swapped'],
  ['FluxML/NNlib.jl#205', 'max pooling', 'shares overwritten'],
  ['mni-ml/framework#22', 'maximum', 'mask with a tolerance'],
  ['Kulbear/deep-learning-coursera#34', 'convolution', 'stride ignored'],
  ['renmengye/np-conv2d#2', 'convolution', 'columns shifted'],
  ['yizt/numpy_neural_network#3', 'sigmoid', 'made of dy alone'],
  ['kaldi-asr/kaldi#3890', 'dropout of fixed places', 'mask from the ratio'],
  ['pymc-devs/pytensor#2242', 'embedding', 'repeated rows overwritten'],
  ['facebookresearch/CrypTen#143', 'batch norm', 'statistics constant'],
  ['andersbll/nnet#4', 'linear', 'weight decay in the layer'],
  ['ooples/AiDotNet.Tensors#49', 'attention', 'queries and keys swapped'],
  ['AlphaGPU/leetgpu-challenges#302', 'attention', 'scale missing'],
  ['VikParuchuri/zero_to_gpt#9', 'recurrent', 'hidden state of the same step'],
  ['karpathy/micrograd#102', 'linear', 'weight gradient accumulated'],
  ['flagos-ai/FlagGems#5392', 'layer norm of tokens', 'over all axes in the backward pass'],
  ['PaddlePaddle/Paddle#3689', 'tied weights', 'first use missing'],
  ['bias of a convolution', 'convolution', 'bias averaged over places'],
  ['CaptainE/RNN-LSTM-in-numpy#1', 'LSTM', 'value of the forget gate in place of its derivative'],
  ['tracel-ai/burn#5604', 'average pooling', 'border divided by the whole window'],
  ['apache/mxnet#19043', 'padding', 'ones for the arriving gradient'],
] as const;

const templateOf = (name: string): Template => {
  const found = templates.get(name);
  if (!found) throw new Error(name);
  return found;
};

describe('mistakes from public bug reports', () => {
  it.each(BUGS)('%s: %s, %s', (_, name, mistake) => {
    for (const seed of [1, 2, 3]) {
      const disguise = { renames: seed > 1, hidesOperations: false, rounds: false };
      const { isCaught, isNamed, report } = checkTemplate(templateOf(name), mistake, seed, disguise);
      expect({ isCaught, isNamed, cause: report.diagnosis?.cause, tensor: report.diagnosis?.tensor }).toMatchObject({
        isCaught: true,
        isNamed: true,
      });
    }
  });

  it.each(MORE_TEMPLATES.map((template) => [template.name, template] as const))('a right %s passes', (_, template) => {
    for (const seed of [1, 2]) {
      const disguise = { renames: false, hidesOperations: seed > 1, rounds: false };
      const { report } = checkTemplate(template, null, seed, disguise);
      expect(report).toMatchObject({ passed: true, diagnosis: null, counts: { wrong: 0 } });
    }
  });
});
