// Targets that the network cannot reach, or that are out of proportion to its initial outputs.
import type { CompiledRun, Resolved, SpecRule } from '../model-spec';
import type { QuickFix } from '../protocol/problem';
import { formatPercent, formatRounded } from './format';
import { formatInteger } from '../engine/format-count';
import { sampleTrainingSplit } from './training-sample';
import { removeLayer, setLoss, valueAt } from './quick-fixes';
import { dataWarning, isGiven, lastEffectiveLayer, layerWarning } from './warnings';

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
  checkData(resolved, run, threshold) {
    const { spec, model } = resolved;
    // With plain gradient descent, a linear regression scales with its target: no rate or initialization suits one
    // scale better.
    const isLinearRegression = model.layers.length === 1 && spec.optimizer.type === 'sgd';
    // A last layer that is given scales the outputs.
    if (run.labels !== null || isLinearRegression || isGiven(model.layers.at(-1)!)) return [];
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
    const factor = unit > 1 ? `divide it by ${formatInteger(unit)}` : `multiply it by ${formatRounded(1 / unit, 3)}`;
    const fix = scaleOutput(resolved, mean, std);
    return [
      {
        code: 'target-not-scaled',
        severity: 'warning',
        ...spec.data.range,
        message: `The target is not scaled: it is around ${formatRounded(mean, 3)} ± ${formatRounded(std, 2)}, but a new network predicts values near 0. ${effect}.`,
        remedy: `Scale the target in the data: subtract its mean and ${factor}.`,
        ...(fix && { fix }),
      },
    ];
  },
};

/** Appends a layer that is not trained and gives the outputs the mean and the scale of the targets. */
function scaleOutput({ spec, model, targetWidth }: Resolved, mean: number, std: number): QuickFix | undefined {
  const last = model.layers.length - 1;
  if (model.layers[last]!.outputShape.length > 1 || !(std > 0)) return undefined;
  const [scale, offset] = [Number(std.toPrecision(2)), Number(mean.toPrecision(2))];
  const weight = Array.from({ length: targetWidth }, (_, i) =>
    Array.from({ length: targetWidth }, (_value, j) => (i === j ? scale : 0)),
  );
  const bias = weight.map(() => offset);
  const path = spec.layers[last]!.path.slice(0, 1);
  const written = valueAt(spec.source.value, path);
  const count = Array.isArray(written) ? written.length : 0;
  return {
    title: 'Scale the output to the targets',
    changes: [
      { path: [...path, count], value: { type: 'linear', weight, bias, freeze: ['weight', 'bias'] }, insert: true },
      // The gradients of the layers before it are as large as the targets, which only matters to plain descent.
      ...(spec.optimizer.type === 'sgd' ? [{ path: ['optimizer'], value: { type: 'adam', lr: 0.005 } }] : []),
    ],
  };
}

/** More samples are no outliers. */
const MAX_OUTLIERS = 0.1;
/** In median absolute deviations, of which a standard deviation is 1.5. */
const FAR = 15;
const MIN_SAMPLES = 20;

/**
 * The targets that are no outliers: within so many median absolute deviations of the median (Leys et al., "Detecting
 * outliers", 2013).
 * @returns null where there are no outliers, or too many to be called so
 */
export function usualTargets(run: CompiledRun): readonly [low: number, high: number] | null {
  const { targets, targetWidth, samples } = sampleTrainingSplit(run);
  if (targetWidth !== 1 || samples < MIN_SAMPLES) return null;
  const center = median(targets);
  const spread = median(targets.map((value) => Math.abs(value - center)));
  const count = targets.reduce((sum, value) => sum + Number(Math.abs(value - center) > FAR * spread), 0);
  if (spread === 0 || count === 0 || count > MAX_OUTLIERS * samples) return null;
  return [center - FAR * spread, center + FAR * spread];
}

/** A squared error grows with the square of an outlier, so a few of them decide where the network goes. */
export const targetOutliers: SpecRule = {
  id: 'target-outliers',
  summary: 'A few targets are so far from all others that they make up most of a squared error.',
  threshold: {
    value: 0.5,
    quantity: 'share of the variance of the targets that outliers make up',
    source: 'Huber, "Robust estimation of a location parameter", 1964; half of the loss is theirs',
  },
  checkData(resolved, run, threshold) {
    if (run.labels !== null || run.model.loss.definition.estimates !== 'mean') return [];
    const { targets, samples } = sampleTrainingSplit(run);
    const range = usualTargets(run);
    if (!range) return [];
    const far = targets.filter((value) => value < range[0] || value > range[1]);
    const center = (range[0] + range[1]) / 2;
    const spread = (range[1] - range[0]) / 2 / FAR;
    const total = targets.reduce((sum, value) => sum + (value - center) ** 2, 0);
    const share = far.reduce((sum, value) => sum + (value - center) ** 2, 0) / total;
    if (!(share > threshold)) return [];
    const worst = far.reduce((a, b) => (Math.abs(b - center) > Math.abs(a - center) ? b : a));
    return [
      dataWarning(
        resolved,
        'target-outliers',
        `${far.length} of ${samples} targets are outliers: ${formatRounded(worst, 3)} is the furthest, and the others are around ${formatRounded(center, 3)} ± ${formatRounded(1.5 * spread, 2)}. They make up ${formatPercent(Number(share.toFixed(2)))} of a squared error, so the network follows them.`,
        'Use the loss "huber" or "mae", or correct these targets in the data.',
        setLoss('huber'),
      ),
    ];
  },
};

const median = (values: Float64Array): number => values.toSorted()[values.length >> 1] ?? NaN;

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
