// Networks on images that do not look at all pixels, or at none beside each other, and augmentations that change what
// an image shows.
import { augmentations } from '../engine/augmentations';
import { type AugmentationDefinition, isImage } from '../engine/augmentations/augmentation';
import { numel, type Shape } from '../engine/kernels/tensor';
import type { LayerModel } from '../engine/network-model';
import { Random } from '../engine/random';
import type { CompiledRun, SpecRule } from '../model-spec';
import type { SpecChange } from '../protocol/problem';
import { formatPercent } from './format';
import { isCopy, removeLayer, setOption, valueAt } from './quick-fixes';
import { sampleTrainingSplit } from './training-sample';
import { isWeighted, layerWarning, warningAt } from './warnings';

/** The windows of a layer on images, along both axes; null for other layers. */
function windowsOf({ definition, options, inputShape }: LayerModel) {
  const field = definition.windows && inputShape.length === 3 ? definition.receptiveField?.(options, inputShape) : null;
  return Array.isArray(field) ? (field as readonly { readonly size: number; readonly stride: number }[]) : null;
}

const pixels = (shape: Shape): number => numel(shape.slice(1));

/** Details that are averaged away before a convolution has seen them are lost. */
export const pooledEarly: SpecRule = {
  id: 'pooled-early',
  summary: 'A pooling makes the image many times smaller before any layer has looked at it.',
  threshold: {
    value: 9,
    quantity: 'pixels before and after the first poolings, divided',
    source: 'He et al., "Deep residual learning for image recognition", 2016: a pooling of 2 × 2 after a convolution',
  },
  check(resolved, threshold) {
    const { model, spec } = resolved;
    const first = model.layers.findIndex(isWeighted);
    const before = model.layers.slice(0, Math.max(0, first));
    const pools = before.flatMap((layer, index) =>
      pixels(layer.outputShape) < pixels(layer.inputShape) ? [index] : [],
    );
    const images = model.inputShape.length === 3 && before.every(({ outputShape }) => outputShape.length === 3);
    if (!images || pools.length === 0) return [];
    const [start, end] = [model.inputShape, before.at(-1)!.outputShape];
    // A single pixel is the business of another rule.
    if (pixels(end) === 1 || pixels(start) < threshold * pixels(end)) return [];
    const { name } = model.layers[pools[0]!]!;
    const size = (shape: Shape): string => shape.slice(1).join(' × ');
    const path = spec.layers[first]!.path;
    const moved = valueAt(spec.source.value, spec.layers[pools[0]!]!.path);
    const isMovable = pools.length === 1 && windowsOf(model.layers[first]!) !== null && path.length === 2;
    const at = Number(path.at(-1));
    const isActivated = model.layers[first + 1]?.definition.jacobianStructure === 'elementwise';
    return [
      layerWarning(
        resolved,
        pools[0]!,
        'pooled-early',
        `${name} shrinks the image from ${size(start)} to ${size(end)} pixels before the first layer with weights: shapes smaller than a window are lost before anything has looked at them.`,
        `Put ${name} behind the first convolution, with small windows.`,
        isMovable
          ? {
              title: `Move ${name} behind ${model.layers[first]!.name}`,
              changes: [
                { path: [...path.slice(0, -1), at + (isActivated ? 2 : 1)], value: smallerWindow(moved), insert: true },
                ...removeLayer(spec, pools[0]!).changes,
              ],
            }
          : removeLayer(spec, pools[0]!),
      ),
    ];
  },
};

/** The same pooling with the usual window. */
function smallerWindow(written: unknown): unknown {
  const type =
    typeof written === 'object' && written !== null ? (written as { readonly type?: unknown }).type : written;
  return { type, kernel_size: 2 };
}

/** A stride larger than the window leaves pixels between the windows out. */
export const skippedPixels: SpecRule = {
  id: 'skipped-pixels',
  summary: 'The stride of a layer is larger than its window, so that most of the image is never looked at.',
  threshold: {
    value: 0.5,
    quantity: 'share of the pixels between the windows',
    source: 'Dumoulin, Visin, "A guide to convolution arithmetic for deep learning", 2016, section 2.3',
  },
  check(resolved, threshold) {
    const { model, spec } = resolved;
    return model.layers.flatMap((layer, index) => {
      const windows = windowsOf(layer);
      if (!windows || isCopy(spec, index) || pixels(layer.inputShape) === 1) return [];
      const seen = windows.reduce((share, { size, stride }) => share * Math.min(1, size / stride), 1);
      if (!(1 - seen > threshold)) return [];
      const { path, type } = spec.layers[index]!;
      // A window as large as the stride sees each pixel once.
      const size = windows.map(({ stride }) => stride);
      const isConvolution = layer.definition.windows === 'convolution';
      const stride = size.map((each) => Math.min(2, each));
      const changes: SpecChange[] = isConvolution
        ? [
            setOption(spec, path, type, 'kernel_size', 3),
            { path: [...path, 'stride'], value: stride },
            { path: [...path, 'padding'], value: 1 },
          ]
        : [setOption(spec, path, type, 'kernel_size', size)];
      return layerWarning(
        resolved,
        index,
        'skipped-pixels',
        `${layer.name} moves its windows of ${windows.map((each) => each.size).join(' × ')} by ${windows.map((each) => each.stride).join(' × ')}: it never looks at ${formatPercent(Number((1 - seen).toFixed(2)))} of its input.`,
        isConvolution ? 'Use a smaller "stride", or larger windows.' : 'Use windows at least as large as the "stride".',
        {
          title: isConvolution
            ? `Use windows of 3 and a stride of ${stride[0]} in ${layer.name}`
            : `Let the windows of ${layer.name} cover its input`,
          changes,
        },
      );
    });
  },
};

/** Pixels that are seen one by one and then averaged have no place: what is left is a histogram of colors. */
export const pixelsAlone: SpecRule = {
  id: 'pixels-alone',
  summary: 'All convolutions have windows of one pixel, and a pooling over the image forgets where pixels are.',
  check(resolved) {
    const { model, spec } = resolved;
    const convolutions = model.layers.flatMap((layer, index) =>
      layer.definition.windows === 'convolution' && pixels(layer.inputShape) > 1 ? [{ layer, index }] : [],
    );
    const isSingle = ({ layer }: { readonly layer: LayerModel }): boolean =>
      windowsOf(layer)?.every(({ size, stride }) => size === 1 && stride === 1) === true;
    if (convolutions.length === 0 || !convolutions.every(isSingle)) return [];
    // A layer that takes the whole image has a weight for each place.
    const last = convolutions.at(-1)!.index;
    const next = model.layers.slice(last + 1).find(isWeighted);
    const seesPlaces = !next || numel(next.inputShape) > (model.layers[last]!.outputShape[0] ?? 0);
    const poolings = model.layers.filter((layer) => windowsOf(layer) && layer.definition.windows === 'pooling');
    if (
      seesPlaces ||
      poolings.some((layer) => windowsOf(layer)!.some(({ size }) => size > 1) && pixels(layer.outputShape) > 1)
    )
      return [];
    const { layer, index } = convolutions[0]!;
    return [
      layerWarning(
        resolved,
        index,
        'pixels-alone',
        `${layer.name} and all other convolutions have windows of one pixel: no layer compares a pixel with its neighbors, so the network sees how frequent colors are, but no shapes.`,
        'Use "kernel_size": 3 with "padding": 1.',
        {
          title: 'Use windows of 3 × 3',
          changes: convolutions
            .filter((each) => !isCopy(spec, each.index))
            .flatMap((each): SpecChange[] => {
              const { path } = spec.layers[each.index]!;
              return [
                { path: [...path, 'kernel_size'], value: 3 },
                { path: [...path, 'padding'], value: 1 },
              ];
            }),
        },
      ),
    ];
  },
};

/** Channels of colors: gray, with transparency, and those in between. */
const MAX_COLORS = 4;

/** A convolution over rows as channels mixes up columns and colors. */
export const channelsLast: SpecRule = {
  id: 'channels-last',
  summary: 'Images have their channels on the last axis, where image layers expect the width.',
  check(resolved) {
    const { model, spec } = resolved;
    const [channels = 0, height = 0, width = 0] = model.inputShape;
    const isLast = model.inputShape.length === 3 && width <= MAX_COLORS && channels > MAX_COLORS && height > MAX_COLORS;
    if (!isLast || !model.layers[0]!.definition.windows) return [];
    const hasLayout = (spec.data.options as { readonly layout?: string }).layout === 'as_is';
    return [
      warningAt(
        resolved,
        ['data'],
        'channels-last',
        `A sample is ${channels} × ${height} × ${width}, which image layers take as ${channels} channels of ${height} × ${width} pixels. It looks like an image of ${channels} × ${height} pixels with its ${width} channels last.`,
        hasLayout ? 'Write "layout": "hwc".' : 'Move the channels to the first axis.',
        hasLayout
          ? { title: 'Read the channels from the last axis', changes: [{ path: ['data', 'layout'], value: 'hwc' }] }
          : undefined,
      ),
    ];
  },
};

/** Fewer images of a class have no typical one, and more of them say no more. */
const [MIN_OF_CLASS, MAX_OF_CLASS] = [8, 40];

/** An arrow to the left becomes one to the right. */
export const augmentationChangesClass: SpecRule = {
  id: 'augmentation-changes-class',
  summary: 'An augmentation turns images of one class into images like those of another.',
  threshold: {
    value: 0.5,
    quantity: 'distance of changed images from those of another class, divided by that from their own',
    source: 'Shorten, Khoshgoftaar, "A survey on image data augmentation", 2019: safe if the label stays right',
  },
  checkData(resolved, run, threshold) {
    const { inputShape } = run.dataset;
    const { classes } = sampleTrainingSplit(run);
    if (!classes || !run.labels || run.augmentations.length === 0 || !isImage(inputShape)) return [];
    return resolved.spec.augment.flatMap(({ type }, index) => {
      const definition = augmentations[type] as AugmentationDefinition;
      const change = changeBy(definition, run.augmentations[index]!.options, inputShape);
      const changed = [identity, (image: Float64Array) => autocorrelation(image, inputShape)]
        .map((describe) => changedClass(run, classes, change, describe, threshold))
        .find((each) => each !== null);
      if (!changed) return [];
      const [from, to] = changed.map((each) => run.labels![each] ?? String(each));
      return warningAt(
        resolved,
        ['augment', index],
        'augmentation-changes-class',
        `${type} changes the class: images of ${from} become like those of ${to}, but keep their label.`,
        `Remove ${type}.`,
        { title: `Remove ${type}`, changes: [{ path: ['augment', index] }] },
      );
    });
  },
};

const identity = (image: Float64Array): Float64Array => image;

/** Draws of an augmentation, of which the one that changes the image most counts. */
const DRAWS = 4;

function changeBy(definition: AugmentationDefinition, options: unknown, shape: Shape) {
  const [width = 1, height = 1, channels = 1] = shape.toReversed();
  const random = new Random(0, 'change of a class');
  return (image: Float64Array): Float64Array =>
    Array.from({ length: DRAWS }, () => {
      const data = image.slice();
      definition.apply({ options, data, from: 0, channels, height, width, scratch: image.slice(), random });
      return data;
    }).reduce((a, b) => (squaredDistance(b, image) > squaredDistance(a, image) ? b : a));
}

/** Pixels between two values that are multiplied, at most, along each axis. */
const MAX_LAG = 3;

/** What an image has in common with itself a few pixels away: its directions and textures, wherever they are. */
function autocorrelation(image: Float64Array, shape: Shape): Float64Array {
  const [width = 1, height = 1] = shape.toReversed();
  const first = image.subarray(0, width * height);
  const mean = first.reduce((sum, value) => sum + value, 0) / first.length;
  const out: number[] = [];
  for (let dy = 0; dy <= MAX_LAG; dy++)
    for (let dx = -MAX_LAG; dx <= MAX_LAG; dx++) {
      let sum = 0;
      for (let y = 0; y + dy < height; y++)
        for (let x = Math.max(0, -dx); x < width && x + dx < width; x++)
          sum += (first[y * width + x]! - mean) * (first[(y + dy) * width + x + dx]! - mean);
      out.push(sum);
    }
  const variance = out[MAX_LAG] ?? 0;
  return Float64Array.from(out, (value) => (variance > 0 ? value / variance : 0));
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += (a[j]! - b[j]!) ** 2;
  return sum;
}

const meanOf = (rows: readonly Float64Array[]): Float64Array =>
  rows.reduce((sum, row) => sum.map((value, j) => value + row[j]! / rows.length), new Float64Array(rows[0]!.length));

/** The first class whose changed images are much more like those of another class than like their own. */
function changedClass(
  run: CompiledRun,
  classes: Int32Array,
  change: (image: Float64Array) => Float64Array,
  describe: (image: Float64Array) => Float64Array,
  threshold: number,
): readonly [from: number, to: number] | null {
  const { inputs, width } = sampleTrainingSplit(run);
  const images = new Map<number, Float64Array[]>();
  classes.forEach((each, i) => {
    const own = images.get(each) ?? [];
    if (own.length < MAX_OF_CLASS) own.push(inputs.subarray(i * width, (i + 1) * width));
    images.set(each, own);
  });
  const means = [...images].flatMap(([index, own]) =>
    own.length < MIN_OF_CLASS
      ? []
      : [{ index, before: meanOf(own.map(describe)), after: meanOf(own.map((image) => describe(change(image)))) }],
  );
  for (const { index: from, before, after } of means) {
    const own = squaredDistance(after, before);
    const to = means.find(
      (each) =>
        each.index !== from &&
        squaredDistance(after, each.before) < threshold ** 2 * own &&
        // Two classes with about the same mean differ in other ways.
        squaredDistance(before, each.before) > threshold * own,
    );
    if (to) return [from, to.index];
  }
  return null;
}
