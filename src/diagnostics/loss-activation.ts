// Losses that apply an activation themselves, and losses that need one before them.
import { isSumReduction } from '../engine/losses/reduction';
import type { LossInput } from '../engine/losses/loss';
import type { OutputMeaning } from '../engine/layers/layer';
import type { Resolved, SpecRule } from '../model-spec';
import type { QuickFix } from '../protocol/problem';
import { formatRounded } from './format';
import { describeRange } from './target-range';
import { removeLayer, replaceLayer, setLoss, setOption } from './quick-fixes';
import { lastEffectiveLayer, layerWarning, lossWarning } from './warnings';

/**
 * A loss on logits applies its activation itself. Applied twice, it flattens gradients, and the loss cannot reach 0.
 */
export const activationTwice: SpecRule = {
  id: 'activation-twice',
  codes: ['softmax-twice', 'sigmoid-twice'],
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

interface ExpectedInput {
  /** The code of the warning. */
  readonly code: string;
  readonly description: string;
  /** What the outputs of the last layer may mean. */
  readonly meanings: readonly OutputMeaning[];
}

/** For losses on the output of an activation. */
const EXPECTED_INPUTS: Partial<Record<LossInput, ExpectedInput>> = {
  probabilities: {
    code: 'not-probabilities',
    description: 'probabilities',
    meanings: ['probability', 'distribution'],
  },
  distribution: {
    code: 'not-probabilities',
    description: 'probabilities that sum to 1',
    meanings: ['distribution'],
  },
  log_distribution: {
    code: 'not-log-probabilities',
    description: 'log-probabilities',
    meanings: ['log_distribution'],
  },
};

/** These losses expect the output of a certain activation, or its logarithm. */
export const missingActivation: SpecRule = {
  id: 'missing-activation',
  codes: ['not-probabilities', 'not-log-probabilities'],
  summary: 'The loss takes probabilities or their logarithms, and the last layer outputs other numbers.',
  check(resolved) {
    const { kind, takes, activation } = resolved.model.loss.definition;
    const expected = EXPECTED_INPUTS[takes];
    const last = lastEffectiveLayer(resolved);
    const definition = last?.layer.definition;
    if (last && takes === 'values' && definition?.outputMeaning === 'log_distribution' && resolved.data.classes)
      return [
        layerWarning(
          resolved,
          last.index,
          'not-probabilities',
          `${kind} compares the outputs with targets of 0 and 1, but ${last.layer.name} outputs log-probabilities, which are at most 0: a right prediction of 1 cannot be reached.`,
          `Keep ${last.layer.name} with the loss "nll", or remove it and use "cross_entropy".`,
          setLoss('nll'),
        ),
      ];
    // The outputs of a custom layer are unknown.
    if (!expected || !activation || definition?.sourceLocations) return [];
    const meaning = definition?.outputMeaning;
    const { code, description, meanings } = expected;
    if (meaning && meanings.includes(meaning)) return [];
    const range = last && definition?.outputRange?.(last.layer.options);
    if (last && takes === 'probabilities' && range && (range[0] < 0 || range[1] > 1)) {
      const { name } = last.layer;
      return [
        layerWarning(
          resolved,
          last.index,
          code,
          `${kind} takes the logarithms of p and 1 - p, but the values of ${name} are ${describeRange(range)}. ${range[0] < 0 ? 'For p below 0, log(p) is NaN.' : 'For p above 1, log(1 - p) is NaN.'}`,
          meaning === 'log_distribution'
            ? `Keep ${name} with the loss "nll", or remove it and use "cross_entropy".`
            : `Replace ${name} with "${activation.layer}", or remove it and use "${activation.counterpart}".`,
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
          `Replace ${name} with "${activation.layer}", or remove it and use "${activation.counterpart}".`,
          replaceLayer(resolved.spec, last.index, activation.layer),
        ),
      ];
    }
    return [
      lossWarning(
        resolved,
        code,
        `${kind} takes ${description}, but there is no ${activation.layer} before it` +
          (takes === 'log_distribution' ? ': it is not bounded below.' : '.'),
        `Add "${activation.layer}" as the last layer, or use "${activation.counterpart}", which applies it itself.`,
        setLoss(activation.counterpart),
      ),
    ];
  },
};

/** With two classes, one has at least half of the probability, so its median is 1. */
const MIN_CLASSES = 3;

/**
 * The best prediction of a one-hot target under an absolute error is its median. Zhang, Sabuncu, "Generalized cross
 * entropy loss for training deep neural networks with noisy labels", 2018, section 3.2: with many
 * classes, training barely progresses.
 */
export const medianOfClasses: SpecRule = {
  id: 'median-of-classes',
  summary: 'An absolute error is used on one-hot classes.',
  check(resolved) {
    const { data, targetWidth, model } = resolved;
    const { kind, estimates } = model.loss.definition;
    if (data.classes === undefined || estimates !== 'median' || targetWidth < MIN_CLASSES) return [];
    const meaning = lastEffectiveLayer(resolved)?.layer.definition.outputMeaning;
    const loss = meaning === 'distribution' ? 'cross_entropy_on_probabilities' : 'cross_entropy';
    return [
      lossWarning(
        resolved,
        'median-of-classes',
        `${kind} is a loss for a regression: it predicts the median of each of the ${targetWidth} outputs, and for a class with a probability below 50 %, that median is 0.`,
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
        `${definition.kind} is summed over the batch, so its gradient grows with the batch size: up to ${batchSize} times that of one sample.`,
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
  summary: 'Half of each target or more is spread over all classes.',
  threshold: {
    value: 0.5,
    quantity: 'share of a target that is spread over all classes',
    source: 'Müller, Kornblith, Hinton, "When does label smoothing help?", 2019: 0.05 to 0.1',
  },
  check(resolved, threshold) {
    const { label_smoothing: share = 0 } = resolved.model.loss.options as { readonly label_smoothing?: number };
    if (share < threshold) return [];
    const { classes = resolved.targetWidth } = resolved.data;
    const perClass = share / classes;
    return [
      lossWarning(
        resolved,
        'strong-label-smoothing',
        `label_smoothing ${share} spreads ${formatRounded(100 * share, 3)} % of each target over all ${classes} classes: the target of the right class is ${formatRounded(1 - share + perClass, 3)}, that of each other class ${formatRounded(perClass, 3)}.`,
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

/** Switches to a loss that compares all classes, and removes a sigmoid before it. */
function independentClassesFix(resolved: Resolved): QuickFix {
  const { spec, model } = resolved;
  if (model.loss.definition.takes === 'scores') return setLoss('multi_margin');
  const last = lastEffectiveLayer(resolved);
  const isSigmoid = last?.layer.definition.outputMeaning === 'probability';
  return {
    title: isSigmoid ? `Use the loss cross_entropy and remove ${last.layer.name}` : 'Use the loss cross_entropy',
    changes: [
      { path: ['loss'], value: 'cross_entropy' },
      ...(isSigmoid ? [{ path: spec.layers[last.index]!.path }] : []),
    ],
  };
}
