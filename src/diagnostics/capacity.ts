// Networks that cannot represent what the data asks for.
import { numel } from '../engine/kernels/tensor';
import { declaredParameters, type LayerModel } from '../engine/network-model';
import type { Path, Spec, SpecRule } from '../model-spec';
import type { QuickFix, SpecChange } from '../protocol/problem';
import { formatPercent, formatRounded } from './format';
import { setOption } from './quick-fixes';
import {
  linearAccuracy,
  linearError,
  MAX_LINEAR_COLUMNS,
  MAX_NEIGHBORS,
  nearestNeighbor,
  nearestNeighborAccuracy,
} from './reference-fits';
import { classShares, sampleTrainingSplit } from './training-sample';
import { hasHiddenLayer, isAffine, isWeighted, layerWarning, onlySuccessor } from './warnings';

/** Fewer samples are no evidence. */
const MIN_SAMPLES = 20;

const isBias = ({ name }: { readonly name: string }): boolean => name.startsWith('bias');

/** Without a bias, a linear function is 0 where its input is. Eisenhauer, "Regression through the origin", 2003. */
export const missingBias: SpecRule = {
  id: 'missing-bias',
  summary: 'A linear regression trains no bias, and its targets have an offset.',
  threshold: {
    value: 0.1,
    quantity: 'variance that an intercept explains, as a share of that of the targets',
    source: 'Eisenhauer, "Regression through the origin", 2003: compare the errors of both fits',
  },
  checkData(resolved, run, threshold) {
    const { spec, model } = resolved;
    const { layers } = model;
    // In other networks, activations can give an offset too.
    if (run.labels !== null || run.dataset.inputShape.length > 1 || !layers.every(isAffine)) return [];
    const last = layers.findLastIndex(isWeighted);
    const biases = layers.flatMap((layer) =>
      declaredParameters(layer)
        .filter(isBias)
        .map((bias) => ({ bias, layer })),
    );
    const isTrained = biases.some(({ bias, layer }) => !layer.freeze.includes(bias.name));
    const isGiven = biases.some(({ bias }) => 'values' in bias.init);
    if (last < 0 || isTrained || isGiven) return [];
    const sample = sampleTrainingSplit(run);
    const [through, free] = [linearError(sample, false), linearError(sample, true)];
    const means = Array.from({ length: sample.targetWidth }, (_, j) => meanOf(sample.targets, j, sample.targetWidth));
    const variance =
      sample.targets.reduce((sum, value, i) => sum + (value - means[i % sample.targetWidth]!) ** 2, 0) / sample.samples;
    if (sample.samples < MIN_SAMPLES || through === null || free === null || variance === 0) return [];
    if (!(through - free > threshold * variance)) return [];
    const { name } = layers[last]!;
    const { path, freeze } = spec.layers[last]!;
    const isFrozen = freeze.some((each) => isBias({ name: each }));
    const others = freeze.filter((each) => !isBias({ name: each }));
    const fix: QuickFix = isFrozen
      ? {
          title: `Train the bias of ${name}`,
          changes: [{ path: [...path, 'freeze'], ...(others.length > 0 && { value: others }) }],
        }
      : { title: `Add the bias of ${name}`, changes: [{ path: [...path, 'bias'] }] };
    return [
      layerWarning(
        resolved,
        last,
        'missing-bias',
        `${isFrozen ? `The bias of ${name} is frozen` : `${name} has no bias`}, but the targets have an offset: around ${formatRounded(means[0]!, 3)}. The best linear fit has a mean squared error of ${formatRounded(through, 3)} without a bias, and of ${formatRounded(free, 3)} with one.`,
        isFrozen ? 'Remove "bias" from "freeze".' : 'Remove "bias": false.',
        fix,
      ),
    ];
  },
};

function meanOf(values: Float64Array, column: number, width: number): number {
  let sum = 0;
  for (let i = column; i < values.length; i += width) sum += values[i]!;
  return (sum * width) / values.length;
}

/** Units of a hidden layer that is widened. */
const USUAL_UNITS = 16;

/** Of two classes, one may well be all that is cut off. */
const MIN_CLASSES = 3;

/** A single unit sees its input along one direction, and all later layers see only that. */
export const narrowLayer: SpecRule = {
  id: 'narrow-layer',
  summary: 'A hidden layer has a single unit, and no single direction separates the classes, or a relu cuts it off.',
  threshold: {
    value: 0.1,
    quantity: 'accuracy of the nearest neighbor, minus that of the best linear fit',
    source: 'Cover, Hart, "Nearest neighbor pattern classification", 1967: at most twice the least error',
  },
  checkData(resolved, run, threshold) {
    const { spec, model } = resolved;
    const weighted = model.layers.flatMap((layer, index) => (isWeighted(layer) ? [{ layer, index }] : []));
    const hidden = weighted.slice(0, -1);
    const first = hidden.findIndex(({ layer }) => numel(layer.outputShape) === 1 && numel(layer.inputShape) > 1);
    // Wide layers after it can cut that direction into several pieces.
    const narrow = first < 0 ? [] : hidden.slice(first);
    if (narrow.length === 0 || !narrow.every(({ layer }) => numel(layer.outputShape) === 1)) return [];
    const sample = sampleTrainingSplit(run);
    const { classes } = sample;
    if (!classes || sample.samples < MIN_SAMPLES || sample.width > MAX_LINEAR_COLUMNS) return [];
    const count = classShares(classes).length;
    const linear = linearAccuracy(sample, classes, count);
    const nearest = nearestNeighborAccuracy(sample, classes, Math.min(MAX_NEIGHBORS, sample.samples));
    const { layer, index } = narrow[0]!;
    const next = onlySuccessor(model, index);
    const after = next === undefined ? undefined : model.layers[next];
    const isHalved = after?.definition.idleness?.name === 'dead' && count >= MIN_CLASSES;
    if (!isHalved && !(nearest > linear + threshold)) return [];
    const changes = narrow.map((each): SpecChange => unitsOf(spec.layers[each.index]!.path, each.layer));
    const evidence = isHalved
      ? `${after.name} cuts off one side of it, where all samples look the same: that hardly tells ${count} classes apart.`
      : `The best linear fit is right for ${formatPercent(linear)} of the training samples, the nearest neighbor for ${formatPercent(nearest)}.`;
    return [
      layerWarning(
        resolved,
        index,
        'narrow-layer',
        `${layer.name} has one unit, a bottleneck: all that follows sees the input along a single direction. ${evidence}`,
        `Use more units, such as "out_features": ${USUAL_UNITS}.`,
        { title: `Use ${USUAL_UNITS} units in ${narrow.map((each) => each.layer.name).join(', ')}`, changes },
      ),
    ];
  },
};

const unitsOf = (path: Path, { definition }: LayerModel): SpecChange => ({
  path: [...path, definition.windows === undefined ? 'out_features' : 'out_channels'],
  value: USUAL_UNITS,
});

/** Pooling a whole image before any weights leaves one number for each channel: shapes are lost. */
export const pooledAway: SpecRule = {
  id: 'pooled-away',
  summary: 'A pooling reduces the whole image to one number before any layer has looked at it.',
  check(resolved) {
    const { spec, model } = resolved;
    const index = model.layers.findIndex(
      ({ definition, inputShape, outputShape }) =>
        inputShape.length > 2 &&
        !definition.parameters &&
        numel(outputShape.slice(1)) === 1 &&
        numel(inputShape.slice(1)) > 1 &&
        outputShape.length === inputShape.length,
    );
    if (index < 0 || model.layers.slice(0, index).some(({ definition }) => definition.parameters)) return [];
    const { name, inputShape } = model.layers[index]!;
    return [
      layerWarning(
        resolved,
        index,
        'pooled-away',
        `${name} pools the whole image of ${inputShape.slice(1).join(' × ')} pixels before any layer with weights: one number is left for each channel, and all shapes are lost.`,
        'Put a convolution before it, and pool small windows.',
        replaceByConvolution(spec, index),
      ),
    ];
  },
};

function replaceByConvolution(spec: Spec, index: number): QuickFix {
  const { path, name } = spec.layers[index]!;
  const at = (offset: number): Path => [...path.slice(0, -1), Number(path.at(-1)) + offset];
  return {
    title: `Replace ${name} with a convolution and a smaller pooling`,
    changes: [
      { path, value: { type: 'conv2d', out_channels: 8, kernel_size: 3, padding: 1 } },
      { path: at(1), value: 'relu', insert: true },
      { path: at(2), value: { type: 'max_pool2d', kernel_size: 2 }, insert: true },
    ],
  };
}

/** Samples whose neighbors are measured. */
const MEASURED_SAMPLES = 200;

/** A kernel so sharp that no sample is similar to another only recognizes the samples it was fitted to. */
export const sharpKernel: SpecRule = {
  id: 'sharp-kernel',
  summary: 'The kernel is so sharp that even the nearest training samples are not similar.',
  threshold: {
    value: 3,
    quantity: 'median distance to the nearest sample, divided by the length scale of the kernel',
    source:
      'Gretton et al., "A kernel two-sample test", 2012, section 8: the scale is the median distance; at 3 scales the similarity is 1e-4',
  },
  checkData(resolved, run, threshold) {
    const { model, spec } = resolved;
    return model.layers.flatMap((layer, index) => {
      const { name, definition, options, inputShape } = layer;
      const scale = definition.lengthScale?.(options, inputShape);
      const { inputs, width, samples } = sampleTrainingSplit(run);
      if (!scale || index > 0 || samples < MIN_SAMPLES) return [];
      const count = Math.min(MEASURED_SAMPLES, samples);
      const distances = Array.from({ length: count }, (_, n) =>
        Math.sqrt(nearestNeighbor(inputs, width, samples, Math.floor((n * samples) / count)).squaredDistance),
      );
      const nearest = median(distances);
      if (!(nearest > threshold * scale.distance)) return [];
      const typical = median(distances.map((_, n) => distanceOf(inputs, width, n, samples - 1 - n)));
      const value = Number(formatRounded(scale.optionFor(typical), 1));
      return layerWarning(
        resolved,
        index,
        'sharp-kernel',
        `The kernel of ${name} is too sharp: its similarity falls to 1/e within ${formatRounded(scale.distance, 2)}, but the nearest training sample is ${formatRounded(nearest, 2)} away. All features are almost 0 for samples that it was not fitted to.`,
        `Lower "${scale.option}", for example to ${value}.`,
        {
          title: `Set ${scale.option} of ${name} to ${value}`,
          changes: [setOption(spec, spec.layers[index]!.path, definition.kind, scale.option, value)],
        },
      );
    });
  },
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

function distanceOf(rows: Float64Array, width: number, a: number, b: number): number {
  let sum = 0;
  for (let j = 0; j < width; j++) sum += (rows[a * width + j]! - rows[b * width + j]!) ** 2;
  return Math.sqrt(sum);
}

/** Where all samples are equally similar to each other, the features of a kernel are constant. */
export const flatKernel: SpecRule = {
  id: 'flat-kernel',
  summary: 'The kernel is so wide that all training samples are equally similar.',
  threshold: {
    value: 0.02,
    quantity: 'median distance of two samples, divided by the length scale of the kernel',
    source: 'Gretton et al., "A kernel two-sample test", 2012, section 8: at 0.02 scales all similarities are 0.9996',
  },
  checkData(resolved, run, threshold) {
    const { model, spec } = resolved;
    const [layer] = model.layers;
    const scale = layer?.definition.lengthScale?.(layer.options, layer.inputShape);
    const { inputs, width, samples } = sampleTrainingSplit(run);
    if (!layer || !scale || samples < MIN_SAMPLES) return [];
    const count = Math.min(MEASURED_SAMPLES, samples);
    const typical = median(Array.from({ length: count }, (_, n) => distanceOf(inputs, width, n, samples - 1 - n)));
    if (!(typical < threshold * scale.distance)) return [];
    const value = Number(formatRounded(scale.optionFor(typical), 1));
    return [
      layerWarning(
        resolved,
        0,
        'flat-kernel',
        `The kernel of ${layer.name} is too wide: its similarity falls to 1/e within ${formatRounded(scale.distance, 2)}, but two samples are only ${formatRounded(typical, 2)} apart. All samples look alike to it.`,
        `Raise "${scale.option}", for example to ${value}.`,
        {
          title: `Set ${scale.option} of ${layer.name} to ${value}`,
          changes: [setOption(spec, spec.layers[0]!.path, layer.definition.kind, scale.option, value)],
        },
      ),
    ];
  },
};

/** From this factor on, or its inverse, an activation changes the size of signals by more than initial weights do. */
export const activationScale: SpecRule = {
  id: 'activation-scale',
  summary: 'The factor of a hidden activation makes signals and gradients tiny or huge.',
  threshold: {
    value: 100,
    quantity: 'factor of an activation, or its inverse',
    source: 'He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015, section 2.2: each layer keeps the variance',
  },
  check(resolved, threshold) {
    const { model, spec } = resolved;
    if (!hasHiddenLayer(resolved)) return [];
    const last = model.layers.findLastIndex(isWeighted);
    const scaled = model.layers.flatMap(({ definition, options, name }, index) => {
      const scale = definition.scaledBy?.(options);
      const isExtreme = scale !== undefined && Math.max(scale.value, 1 / scale.value) > threshold;
      return isExtreme && index < last ? [{ ...scale, name, index }] : [];
    });
    const [first] = scaled;
    if (!first) return [];
    const isSmall = first.value < 1;
    return [
      layerWarning(
        resolved,
        first.index,
        'activation-scale',
        `The ${first.option} ${first.value} of ${first.name} makes activations and gradients ${formatRounded(isSmall ? 1 / first.value : first.value, 3)} times ${isSmall ? 'smaller' : 'larger'}.`,
        `Leave "${first.option}" at its default.`,
        {
          title: `Use the default ${first.option} of ${scaled.map(({ name }) => name).join(', ')}`,
          changes: scaled.map(({ index, option }) => ({ path: [...spec.layers[index]!.path, option] })),
        },
      ),
    ];
  },
};
