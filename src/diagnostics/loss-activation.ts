// Losses that apply an activation themselves, and losses that need one before them.
import { isSumReduction } from '../engine/losses/reduction';
import type { LossInput } from '../engine/losses/loss';
import type { Resolved, SpecRule } from '../model-spec';
import type { QuickFix } from '../protocol/problem';
import { describeRange } from './target-range';
import { removeLayer, replaceLayer, setLoss, setOption } from './quick-fixes';
import { lastEffectiveLayer, layerWarning, lossWarning } from './warnings';

/**
 * A loss on logits applies its activation itself. Applied twice, it flattens gradients, and the loss cannot reach 0.
 */
export const activationTwice: SpecRule = {
  id: 'activation-twice',
  codes: ['softmax-twice', 'sigmoid-twice', 'log_softmax-twice'],
  summary: 'The last layer is the activation that the loss applies itself.',
  check(resolved) {
    const last = lastEffectiveLayer(resolved);
    const { kind, takes, activation } = resolved.model.loss.definition;
    if (!last || !activation || takes !== 'logits' || last.layer.definition.kind !== activation.layer) return [];
    const { name } = last.layer;
    return [
      layerWarning(
        resolved,
        last.index,
        `${activation.layer}-twice`,
        `${kind} applies ${activation.layer} itself, so after ${name} it is applied twice.`,
        `Remove ${name}, or use the loss "${activation.counterpart}".`,
        removeLayer(resolved.spec, last.index),
      ),
    ];
  },
};

/** Logits and scores need the full range of numbers, which sigmoid, tanh and softmax bound. */
export const boundedLogits: SpecRule = {
  id: 'bounded-logits',
  summary: 'The last layer bounds the logits or scores that the loss takes.',
  check(resolved) {
    const last = lastEffectiveLayer(resolved);
    const { kind, takes, activation } = resolved.model.loss.definition;
    if (!last || (takes !== 'logits' && takes !== 'scores')) return [];
    const { name, definition, options } = last.layer;
    const range = definition.outputRange?.(options);
    if (!range?.every(Number.isFinite) || definition.kind === activation?.layer) return [];
    return [
      layerWarning(
        resolved,
        last.index,
        'bounded-logits',
        `${kind} takes ${takes}, which can be any number, but ${name} keeps them between ${range.join(' and ')}.`,
        `Remove ${name}.`,
        removeLayer(resolved.spec, last.index),
      ),
    ];
  },
};

/** For losses on the output of an activation: the code of the warning, and what the loss takes. */
const EXPECTED_INPUTS: Partial<Record<LossInput, readonly [code: string, takes: string]>> = {
  probabilities: ['not-probabilities', 'probabilities'],
  distribution: ['not-probabilities', 'probabilities that sum to 1'],
  log_distribution: ['not-log-probabilities', 'log-probabilities'],
};

/** Losses on the output of an activation take its logarithm or its values; other inputs do not give a valid loss. */
export const missingActivation: SpecRule = {
  id: 'missing-activation',
  codes: ['not-probabilities', 'not-log-probabilities'],
  summary: 'The loss takes probabilities or their logarithms, and the last layer outputs other numbers.',
  check(resolved) {
    const { kind, takes, activation } = resolved.model.loss.definition;
    const expected = EXPECTED_INPUTS[takes];
    const last = lastEffectiveLayer(resolved);
    const definition = last?.layer.definition;
    // The outputs of a custom layer are unknown.
    if (!expected || !activation || definition?.sourceLocations) return [];
    const meaning = definition?.outputMeaning;
    // A distribution consists of probabilities.
    if (meaning === takes.replace('probabilities', 'probability')) return [];
    if (takes === 'probabilities' && meaning === 'distribution') return [];
    const [code, what] = expected;
    const range = last && definition?.outputRange?.(last.layer.options);
    if (last && takes === 'probabilities' && range && (range[0] < 0 || range[1] > 1)) {
      const { name } = last.layer;
      return [
        layerWarning(
          resolved,
          last.index,
          code,
          `${kind} takes the logarithm of a probability, but the values of ${name} are ${describeRange(range)}. The logarithm of a negative number is NaN.`,
          meaning === 'log_distribution'
            ? `Keep ${name} with the loss "nll", or remove it and use "cross_entropy".`
            : `Replace ${name} by "${activation.layer}", or remove it and use "${activation.counterpart}".`,
          meaning === 'log_distribution' ? setLoss('nll') : replaceLayer(resolved.spec, last.index, activation.layer),
        ),
      ];
    }
    if (last && takes === 'log_distribution' && meaning === 'distribution') {
      const { name } = last.layer;
      return [
        layerWarning(
          resolved,
          last.index,
          code,
          `${kind} takes log-probabilities, but ${name} outputs probabilities: the loss stays between -1 and 0, and its gradient vanishes for wrong predictions.`,
          `Replace ${name} by "${activation.layer}", or remove it and use "${activation.counterpart}".`,
          replaceLayer(resolved.spec, last.index, activation.layer),
        ),
      ];
    }
    return [
      lossWarning(
        resolved,
        code,
        `${kind} takes ${what}, but there is no ${activation.layer} before it` +
          (takes === 'log_distribution' ? ': it can fall without limit.' : '.'),
        `Add "${activation.layer}" as the last layer, or use "${activation.counterpart}", which applies it itself.`,
        setLoss(activation.counterpart),
      ),
    ];
  },
};

/** From this number of classes on, the median of each output is 0 wherever no class has half of the probability. */
const MIN_CLASSES_OF_MEDIAN = 3;

/**
 * The best prediction of a one-hot target under an absolute error is its median. Zhang, Sabuncu, "Generalized cross
 * entropy loss for training deep neural networks with noisy labels", 2018, section 3.2: it hardly trains with many
 * classes.
 */
export const medianOfClasses: SpecRule = {
  id: 'median-of-classes',
  summary: 'An absolute error is used on one-hot classes.',
  check(resolved) {
    const { data, targetWidth, model } = resolved;
    const { kind, estimates } = model.loss.definition;
    if (data.classes === undefined || estimates !== 'median' || targetWidth < MIN_CLASSES_OF_MEDIAN) return [];
    const meaning = lastEffectiveLayer(resolved)?.layer.definition.outputMeaning;
    const loss = meaning === 'distribution' ? 'cross_entropy_on_probabilities' : 'cross_entropy';
    return [
      lossWarning(
        resolved,
        'median-of-classes',
        `${kind} is a loss for a regression: it predicts the median of each of the ${targetWidth} outputs, and the median of a class that is right less than half of the time is 0.`,
        `Use the loss "${loss}" for classes.`,
        setLoss(loss),
      ),
    ];
  },
};

/** The gradient of a sum grows with the batch, and so does the update. */
export const sumOverBatch: SpecRule = {
  id: 'sum-over-batch',
  summary: 'The loss is summed over the batch, so its gradient grows with the batch size.',
  check(resolved) {
    const { model, batchSize } = resolved;
    const { definition } = model.loss;
    if (!isSumReduction(model.loss) || batchSize === 1) return [];
    const isOption = definition.reduction === undefined;
    return [
      lossWarning(
        resolved,
        'sum-over-batch',
        `${definition.kind} is summed over the batch: its gradient is up to ${batchSize} times that of one sample, and smaller in the last batch of an epoch.`,
        isOption
          ? 'Use "reduction": "mean", or divide "lr" by the batch size.'
          : 'Return the mean over the batch, or divide "lr" by the batch size.',
        isOption
          ? {
              title: 'Use the mean over the batch',
              changes: [setOption(resolved.spec, ['loss'], definition.kind, 'reduction', 'mean')],
            }
          : undefined,
      ),
    ];
  },
};

export const strongLabelSmoothing: SpecRule = {
  id: 'strong-label-smoothing',
  summary: 'The label smoothing leaves little of the difference between the right class and others.',
  threshold: {
    value: 0.5,
    quantity: 'share of a target that is spread over all classes',
    source: 'Müller, Kornblith, Hinton, "When does label smoothing help?", 2019: 0.05 to 0.1',
  },
  check(resolved, threshold) {
    const { label_smoothing: share = 0 } = resolved.model.loss.options as { readonly label_smoothing?: number };
    if (share < threshold) return [];
    return [
      lossWarning(
        resolved,
        'strong-label-smoothing',
        `label_smoothing ${share} spreads most of each target over all classes: the right class is worth hardly more than any other.`,
        'Use 0.1 or less.',
        {
          title: 'Set label_smoothing to 0.1',
          changes: [setOption(resolved.spec, ['loss'], resolved.spec.loss.type, 'label_smoothing', 0.1)],
        },
      ),
    ];
  },
};

/** With one sigmoid or hinge per class, several classes can be likely at once, though a sample has only one. */
export const independentClasses: SpecRule = {
  id: 'independent-classes',
  summary: 'The loss treats the outputs independently, but each sample has exactly one class.',
  check(resolved) {
    const { classes } = resolved.data;
    const { kind, target, takes } = resolved.model.loss.definition;
    if (classes === undefined || resolved.targetWidth < 2 || target !== 'binary') return [];
    return [
      lossWarning(
        resolved,
        'independent-classes',
        `${kind} treats the ${classes} outputs independently, but a sample has exactly one class.`,
        takes === 'scores'
          ? 'Use "multi_margin", which compares the scores of all classes.'
          : 'Use "cross_entropy" on the logits, without an activation before it.',
        independentClassesFix(resolved),
      ),
    ];
  },
};

/** The loss that compares all classes; a sigmoid before it goes. */
function independentClassesFix(resolved: Resolved): QuickFix {
  const { spec, model } = resolved;
  if (model.loss.definition.takes === 'scores') return setLoss('multi_margin');
  const last = lastEffectiveLayer(resolved);
  const isSigmoid = last?.layer.definition.outputMeaning === 'probability';
  return {
    title: 'Use the loss cross_entropy',
    changes: [
      { path: ['loss'], value: 'cross_entropy' },
      ...(isSigmoid ? [{ path: spec.layers[last.index]!.path }] : []),
    ],
  };
}
