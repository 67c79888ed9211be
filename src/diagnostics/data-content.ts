// Data that contains too little to learn from: constant columns, contradictions, a single class, random labels.
import { EqualInputs } from '../data-profile/equal-inputs';
import { structureOf } from '../engine/network-model';
import { countClasses } from '../engine/datasets/count-classes';
import type { CompiledRun, Resolved, SpecRule } from '../model-spec';
import type { QuickFix } from '../protocol/problem';
import { formatPercent } from './format';
import { insertBefore, setOption } from './quick-fixes';
import { linearAccuracy, MAX_LINEAR_COLUMNS, MAX_NEIGHBORS, nearestNeighborAccuracy } from './reference-fits';
import { classShares, sampleTrainingSplit } from './training-sample';
import { dataWarning } from './warnings';

/** Column names are listed for tables with up to this many columns; pixels of an image are often constant. */
const MAX_NAMED_COLUMNS = 100;
/** With fewer samples, equal ones are no evidence. */
const MIN_SAMPLES = 4;

/** A constant column carries no information; a constant target leaves nothing to learn. */
export const constantData: SpecRule = {
  id: 'constant-data',
  codes: ['constant-target', 'constant-inputs', 'constant-feature'],
  summary: 'An input column, all inputs or the target never change in the training split.',
  checkData(resolved, run) {
    const sample = sampleTrainingSplit(run);
    if (sample.samples < MIN_SAMPLES) return [];
    const { targetWidth, targets, width } = sample;
    const isLimited = resolved.spec.source.has(['data', 'limit']);
    if (isConstant(targets, targetWidth, sample.samples).every(Boolean))
      return [
        dataWarning(
          resolved,
          'constant-target',
          'Every training sample has the same target: the network only learns a constant.',
          isLimited
            ? 'The file may be sorted: use all samples, or "pick": "random".'
            : 'Check the target column, or train on samples that differ.',
          isLimited ? { title: 'Use all samples', changes: [{ path: ['data', 'limit'] }] } : undefined,
        ),
      ];
    const constant = isConstant(sample.inputs, width, sample.samples);
    const count = constant.filter(Boolean).length;
    if (count === width)
      return [
        dataWarning(
          resolved,
          'constant-inputs',
          'All training inputs are equal: the network cannot tell the samples apart.',
          'Check the input columns, and that the transforms do not remove what differs.',
        ),
      ];
    if (count === 0 || run.dataset.inputShape.length > 1 || width > MAX_NAMED_COLUMNS) return [];
    // A token at the start of every sequence is no column.
    if (run.model.layers.some(({ definition }) => definition.indexCount)) return [];
    const names = constant.flatMap((flag, i) => (flag ? [run.dataset.featureNames?.[i] ?? `input ${i + 1}`] : []));
    return [
      dataWarning(
        resolved,
        'constant-feature',
        `${names.join(', ')} ${count === 1 ? 'has' : 'have'} the same value in every training sample.`,
        'Leave such columns out of "inputs".',
      ),
    ];
  },
};

const isConstant = (values: Float64Array, width: number, samples: number): boolean[] =>
  Array.from({ length: width }, (_, j) => {
    for (let i = 1; i < samples; i++) if (values[i * width + j] !== values[j]) return false;
    return true;
  });

/** From this share of the largest class on, a network that ignores its input looks good. */
const IMBALANCED_SHARE = 0.9;

/** Accuracy says little where one class dominates. */
export const imbalancedClasses: SpecRule = {
  id: 'imbalanced-classes',
  summary: 'One class dominates the training split.',
  threshold: {
    value: IMBALANCED_SHARE,
    quantity: 'share of the largest class',
    source: 'Chawla, "Data mining for imbalanced datasets", 2005: accuracy says little where one class dominates',
  },
  checkData(resolved, run, threshold) {
    const { classes, samples } = sampleTrainingSplit(run);
    const { definition, options } = run.model.loss;
    // Class weights are there because of it.
    const isWeighted = definition.classOptions?.(options).weight !== undefined;
    if (!classes || !run.labels || samples < 20 || isWeighted) return [];
    const shares = classShares(classes);
    const { index, share: largest } = shares[0]!;
    if (largest < threshold || shares.length === 1) return [];
    const name = run.labels[index];
    return [
      dataWarning(
        resolved,
        'imbalanced-classes',
        `${formatPercent(largest)} of the training samples have the class ${name}. Always predicting ${name} already has an accuracy of ${formatPercent(largest)}.`,
        'Compare the accuracy with that share and look at the confusion matrix. Give the rare classes a larger "weight" in the loss, or repeat their samples.',
        weighClasses(resolved, run),
      ),
    ];
  },
};

/** Weights in inverse proportion to the frequency of each class; undefined where the loss has none. */
function weighClasses({ spec, model }: Resolved, run: CompiledRun): QuickFix | undefined {
  const { definition, options } = model.loss;
  const { weight, ignoreIndex } = definition.classOptions?.(options) ?? {};
  const counts = countClasses(run, run.split.train);
  if (!definition.classOptions || weight !== undefined || ignoreIndex !== undefined || !counts) return undefined;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const value = counts.map((count) => Number((total / counts.length / Math.max(1, count)).toPrecision(2)));
  return {
    title: 'Weigh the classes by how rare they are',
    changes: [setOption(spec, ['loss'], spec.loss.type, 'weight', value)],
  };
}

/** Equal inputs with different classes cannot both be right. */
export const contradictorySamples: SpecRule = {
  id: 'contradictory-samples',
  summary: 'Training samples with equal inputs have different classes.',
  threshold: {
    value: 0.1,
    quantity: 'share of samples that contradict another',
    source: 'half of that share is the least error of any classifier on them',
  },
  checkData(resolved, run, threshold) {
    // Text goes on in several ways after the same characters.
    if (resolved.spec.data.type === 'text') return [];
    const { classes, inputs, width, samples } = sampleTrainingSplit(run);
    if (!classes || isConstant(inputs, width, samples).every(Boolean)) return [];
    const equal = new EqualInputs();
    classes.forEach((one, i) => equal.add(i, inputs.subarray(i * width, (i + 1) * width), [one]));
    const share = equal.report().contradictory / samples;
    if (share < threshold) return [];
    return [
      dataWarning(
        resolved,
        'contradictory-samples',
        `${formatPercent(share)} of the training samples share their input with a sample of another class.`,
        'Check how labels were joined to inputs, or add inputs that tell these samples apart.',
      ),
    ];
  },
};

/**
 * If classes follow from the inputs, the nearest neighbor of a sample has its class more often than by chance.
 * Leave-one-out 1-nearest-neighbor accuracy: Cover, Hart, "Nearest neighbor pattern classification", 1967.
 */
export const unrelatedLabels: SpecRule = {
  id: 'unrelated-labels',
  summary: 'The nearest neighbor of a training sample has its class no more often than chance.',
  checkData(resolved, run) {
    const sample = sampleTrainingSplit(run);
    const { classes } = sample;
    if (!classes || sample.samples < 50) return [];
    // Indices that are near each other are not alike.
    if (run.model.layers.some(({ definition }) => definition.indexCount)) return [];
    const shares = classShares(classes);
    const chance = shares.reduce((sum, { share }) => sum + share * share, 0);
    const largest = shares[0]!.share;
    if (largest >= IMBALANCED_SHARE || shares.length < 2) return [];
    const count = Math.min(MAX_NEIGHBORS, sample.samples);
    const deviation = Math.sqrt((chance * (1 - chance)) / count);
    const related = chance + 2 * deviation;
    const accuracy = nearestNeighborAccuracy(sample, classes, count, related);
    // Neighbors do not show a linear relation hidden in many noisy columns, but a linear fit does.
    if (accuracy > related || linearAccuracy(sample, classes, shares.length) > largest + 4 * deviation) return [];
    return [
      dataWarning(
        resolved,
        'unrelated-labels',
        `The labels hardly follow from the inputs: the most similar sample has the same class in ${formatPercent(accuracy)} of the cases, and chance is ${formatPercent(chance)}. A network can only memorize them.`,
        'Check that labels and inputs were not shuffled apart, and watch the validation loss.',
      ),
    ];
  },
};

/** A network without activations has linear decision boundaries, which cannot separate some data. */
export const notLinearlySeparable: SpecRule = {
  id: 'not-linearly-separable',
  summary: 'The network is linear, and no line separates the classes.',
  checkData(resolved, run) {
    if (!isLinearNetwork(resolved)) return [];
    const sample = sampleTrainingSplit(run);
    const { classes } = sample;
    if (!classes || sample.samples < 20 || sample.width > MAX_LINEAR_COLUMNS) return [];
    const shares = classShares(classes);
    const largest = shares[0]!.share;
    const accuracy = linearAccuracy(sample, classes, shares.length);
    const deviation = Math.sqrt((largest * (1 - largest)) / sample.samples);
    // Even a useless line, fitted to these samples, gains about one deviation per column.
    if (shares.length < 2 || accuracy > largest + (2 + Math.sqrt(sample.width)) * deviation) return [];
    const separable = largest + 4 * deviation;
    const neighbors = Math.min(MAX_NEIGHBORS, sample.samples);
    if (nearestNeighborAccuracy(sample, classes, neighbors, separable) < separable) return [];
    return [
      dataWarning(
        resolved,
        'not-linearly-separable',
        `This network is linear, but no line separates the classes: the best linear fit is right for ${formatPercent(accuracy)} of the training samples, and the largest class has ${formatPercent(largest)}.`,
        'Add a hidden layer with an activation, such as { "type": "linear", "out_features": 8 }, "tanh".',
        insertBefore(resolved.spec, firstLinear(resolved), 'Add a hidden layer', [
          { type: 'linear', out_features: 8 },
          'tanh',
        ]),
      ),
    ];
  },
};

const firstLinear = ({ model }: Resolved): number =>
  model.layers.findIndex((layer) => structureOf(layer) === 'weighted_sum');

/** Whether the network has a single linear layer, followed at most by an output activation. */
function isLinearNetwork({ model: { layers } }: Resolved): boolean {
  const definitions = layers.map(({ definition }) => definition);
  const linear = layers.flatMap((layer) => (structureOf(layer) === 'weighted_sum' ? layer.definition : []));
  return (
    linear.length === 1 &&
    definitions.every((each) => each === linear[0] || each.passThrough || each.outputMeaning !== undefined)
  );
}
