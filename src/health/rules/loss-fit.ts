// Losses that apply an activation themselves, and losses that need one before them.
import type { SpecRule } from '../../spec/resolve';
import { isSum } from '../../engine/losses/reduction';
import { aboutLayer, aboutLoss, lastActive } from './place';

/** Losses that take scores, which may be any number. */
const TAKES_SCORES: readonly string[] = ['cross_entropy', 'bce_with_logits', 'hinge', 'squared_hinge', 'multi_margin'];
/** Losses that judge every output by itself. */
const BY_ITSELF: readonly string[] = ['bce', 'bce_with_logits', 'hinge', 'squared_hinge'];

/** cross_entropy applies softmax itself; a softmax before it flattens the gradients and cannot reach loss 0. */
export const softmaxTwice: SpecRule = {
  id: 'softmax-twice',
  rule(resolved) {
    const last = lastActive(resolved);
    if (resolved.spec.loss.type !== 'cross_entropy' || last?.layer.definition.kind !== 'softmax') return [];
    return [
      aboutLayer(
        resolved, last.index, 'softmax-twice',
        `cross_entropy applies softmax itself, so after ${last.layer.name} it is applied twice.`,
        `Remove ${last.layer.name}, or use the loss "cross_entropy_on_probabilities".`,
      ),
    ];
  },
};

/** A loss that takes logits needs their whole range; sigmoid and tanh before it bound them. */
export const boundedLogits: SpecRule = {
  id: 'bounded-logits',
  rule(resolved) {
    const last = lastActive(resolved);
    const kind = last?.layer.definition.kind;
    const loss = resolved.spec.loss.type;
    if (!last || !TAKES_SCORES.includes(loss)) return [];
    if (kind === 'sigmoid' && loss === 'bce_with_logits') {
      return [
        aboutLayer(
          resolved, last.index, 'sigmoid-twice',
          `bce_with_logits applies sigmoid itself, so after ${last.layer.name} it is applied twice.`,
          `Remove ${last.layer.name}, or use the loss "bce".`,
        ),
      ];
    }
    const bounded = kind === 'sigmoid' || kind === 'tanh' || (kind === 'softmax' && loss !== 'cross_entropy');
    if (!bounded) return [];
    return [
      aboutLayer(
        resolved, last.index, 'bounded-logits',
        `${loss} takes ${/hinge|margin/.test(loss) ? 'scores' : 'logits'}, which may be any number, but ${last.layer.name} keeps them within ${kind === 'tanh' ? '-1 and 1' : '0 and 1'}.`,
        `Remove ${last.layer.name}.`,
      ),
    ];
  },
};

/** A loss on probabilities takes logarithms of them: outside 0 … 1 these mean nothing. */
export const notProbabilities: SpecRule = {
  id: 'not-probabilities',
  rule(resolved) {
    const loss = resolved.spec.loss.type;
    const kind = lastActive(resolved)?.layer.definition.kind;
    // What a layer of the user's own gives is not known.
    if (kind === 'custom') return [];
    if (loss === 'cross_entropy_on_probabilities' && kind !== 'softmax') {
      return [
        aboutLoss(
          resolved, 'not-probabilities',
          'cross_entropy_on_probabilities takes probabilities that sum to 1, but no softmax comes before it.',
          'Add "softmax" as the last layer, or use "cross_entropy", which applies it itself.',
        ),
      ];
    }
    if (loss === 'bce' && kind !== 'sigmoid' && kind !== 'softmax') {
      return [
        aboutLoss(
          resolved, 'not-probabilities',
          'bce takes probabilities, but no sigmoid comes before it.',
          'Add "sigmoid" as the last layer, or use "bce_with_logits", which applies it itself.',
        ),
      ];
    }
    return [];
  },
};

/** nll picks out log-probabilities: of anything else it has no lowest value. */
export const notLogProbabilities: SpecRule = {
  id: 'not-log-probabilities',
  rule(resolved) {
    const kind = lastActive(resolved)?.layer.definition.kind;
    if (resolved.spec.loss.type !== 'nll' || kind === 'log_softmax' || kind === 'custom') return [];
    return [
      aboutLoss(
        resolved, 'not-log-probabilities',
        'nll takes log-probabilities, but no log_softmax comes before it: it would fall without end.',
        'Add "log_softmax" as the last layer, or use "cross_entropy", which applies it itself.',
      ),
    ];
  },
};

/** The gradient of a sum grows with the batch, and the step with it. */
export const sumOverBatch: SpecRule = {
  id: 'sum-over-batch',
  rule(resolved) {
    const { model, batchSize } = resolved;
    const { definition, options } = model.loss;
    if (!isSum(options) || batchSize === 1) return [];
    return [
      aboutLoss(
        resolved, 'sum-over-batch',
        `${definition.kind} is summed over the batch: its gradient is up to ${batchSize} times that of one sample, and smaller in the last batch of an epoch.`,
        'Use "reduction": "mean", or divide "lr" by the batch size.',
      ),
    ];
  },
};

/** One sigmoid for each class lets several be likely at once, though a sample has one class. */
export const independentClasses: SpecRule = {
  id: 'independent-classes',
  rule(resolved) {
    const { classes } = resolved.data;
    const loss = resolved.spec.loss.type;
    if (classes === undefined || resolved.targetWidth < 2 || !BY_ITSELF.includes(loss)) return [];
    return [
      aboutLoss(
        resolved, 'independent-classes',
        `${loss} judges each of the ${classes} outputs by itself, but a sample has exactly one class.`,
        loss.includes('hinge')
          ? 'Use "multi_margin", which compares the scores of all classes.'
          : 'Use "cross_entropy" on the logits, with no activation before it.',
      ),
    ];
  },
};
