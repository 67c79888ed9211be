// Targets that the network cannot reach, or that are out of proportion to its initial outputs.
import type { SpecRule } from '../model-spec';
import { formatRounded } from './format';
import { sampleTrainingSplit } from './training-sample';
import { removeLayer } from './quick-fixes';
import { lastEffectiveLayer, layerWarning } from './warnings';

/** Targets with a smaller root mean square give a loss so small that its gradients vanish. */
const MIN_TARGET_RMS = 1e-3;

/**
 * A network starts with outputs near 1, so large targets give large gradients at first and many steps to reach them.
 * Source: LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, sections 4.3 and 4.5.
 */
export const targetNotScaled: SpecRule = {
  id: 'target-not-scaled',
  summary: 'The targets are far from a scale of 1.',
  threshold: {
    value: 100,
    quantity: 'root mean square of the targets',
    source: 'LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, sections 4.3 and 4.5',
  },
  checkData({ spec, model }, run, threshold) {
    // With plain gradient descent, a linear regression scales with its target: no rate or initialization suits one
    // scale better.
    const isLinearRegression = model.layers.length === 1 && spec.optimizer.type === 'sgd';
    if (run.labels !== null || isLinearRegression) return [];
    const { targets } = sampleTrainingSplit(run);
    const mean = targets.reduce((sum, value) => sum + value, 0) / targets.length;
    const square = targets.reduce((sum, value) => sum + value * value, 0) / targets.length;
    const [rms, std] = [Math.sqrt(square), Math.sqrt(Math.max(0, square - mean * mean))];
    if (rms <= threshold && (rms >= MIN_TARGET_RMS || rms === 0)) return [];
    const unit = 10 ** Math.round(Math.log10(std > 0 ? std : rms));
    const effect =
      rms > threshold
        ? 'The first gradients are as large, and the steps diverge or take very long to reach it'
        : 'The loss and its gradients are tiny from the start';
    const factor =
      unit > 1 ? `divide it by ${unit.toLocaleString('en-US')}` : `multiply it by ${formatRounded(1 / unit, 3)}`;
    return [
      {
        code: 'target-not-scaled',
        severity: 'warning',
        ...spec.data.range,
        message: `The target is not scaled: it is around ${formatRounded(mean, 3)} ± ${formatRounded(std, 2)}, but a new network predicts values near 0. ${effect}.`,
        remedy: `Scale the target in the data: subtract its mean and ${factor}.`,
      },
    ];
  },
};

/** The last activation cannot reach the targets. */
export const targetOutOfRange: SpecRule = {
  id: 'target-out-of-range',
  summary: 'The targets lie outside the range of the last layer.',
  checkData(resolved, run) {
    const last = lastEffectiveLayer(resolved);
    const range = last?.layer.definition.outputRange?.(last.layer.options);
    if (!last || !range || run.labels !== null) return [];
    const { targets } = sampleTrainingSplit(run);
    const low = targets.reduce((a, b) => Math.min(a, b), Infinity);
    const high = targets.reduce((a, b) => Math.max(a, b), -Infinity);
    if (low >= range[0] && high <= range[1]) return [];
    return [
      layerWarning(
        resolved,
        last.index,
        'target-out-of-range',
        `The targets go from ${formatRounded(low, 4)} to ${formatRounded(high, 4)}, but ${last.layer.name} gives only values ${describeRange(range)}.`,
        `Remove ${last.layer.name}: a regression output needs no activation.`,
        removeLayer(resolved.spec, last.index),
      ),
    ];
  },
};

/** An output with a lower bound of 0 passes no gradient there: if it starts below for all samples, it never learns. */
export const activationOnOutput: SpecRule = {
  id: 'activation-on-output',
  summary: 'The output of a regression, or the logits, is an activation that can die.',
  check(resolved) {
    const last = lastEffectiveLayer(resolved);
    const { spec, data } = resolved;
    if (last?.layer.definition.idleness?.name !== 'dead') return [];
    const { takes } = resolved.model.loss.definition;
    const isRegression = data.classes === undefined;
    if (!isRegression && takes !== 'logits' && takes !== 'scores') return [];
    const { name } = last.layer;
    return [
      layerWarning(
        resolved,
        last.index,
        'activation-on-output',
        isRegression
          ? `${name} is the output of a regression. Where its input is negative it gives 0 and passes no gradient, so ${spec.loss.type} cannot correct it.`
          : `${name} is the output, and ${spec.loss.type} takes ${takes}, which can be any number. Where its input is negative, ${name} gives 0 and passes no gradient, so ${spec.loss.type} cannot correct it.`,
        isRegression ? `Remove ${name}: a regression output needs no activation.` : `Remove ${name}.`,
        removeLayer(spec, last.index),
      ),
    ];
  },
};

/** "between -1 and 1", "of 0 and more". */
export function describeRange([low, high]: readonly [number, number]): string {
  if (high === Infinity) return `of ${low} and more`;
  if (low === -Infinity) return `of ${high} and less`;
  return `between ${low} and ${high}`;
}
