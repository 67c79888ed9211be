// A network on an image that is larger than its input. Its first layers only move windows, so they run once over the
// whole image. The others run for each position of the window that they saw in training: a fully connected layer
// becomes a convolution whose kernel is its input. Source: Sermanet et al., "OverFeat: integrated recognition,
// localization and detection using convolutional networks", 2014, section 3.5.
import type { OutputMapInfo } from '../protocol/model-info';
import type { Kernels } from '../engine/kernels/kernels';
import { numel, type Shape, type Tensor } from '../engine/kernels/tensor';
import { Network } from '../engine/network';
import { inputsOf, NETWORK_INPUT } from '../engine/network-graph';
import { type LayerModel, macsOf, type NetworkModel, ownParameters, receptiveWindowOf } from '../engine/network-model';

/** Positions that the last layers compute at once. */
const MAX_POSITION_BATCH = 64;

interface Stride {
  readonly down: number;
  readonly right: number;
}

const NO_STRIDE: Stride = { down: 1, right: 1 };

/** The distance of two neighboring outputs of a layer in pixels of the image; null if it does not move a window. */
function strideOf(model: NetworkModel, index: number, strides: readonly Stride[]): Stride | null {
  const layer = model.layers[index]!;
  const window = receptiveWindowOf(layer);
  if (window === 'all' || layer.outputShape.length !== 3 || layer.inputShape.length !== 3) return null;
  const given = inputsOf(model, index).map((input) => (input === NETWORK_INPUT ? NO_STRIDE : strides[input]!));
  const down = Math.max(...given.map((stride) => stride.down));
  const right = Math.max(...given.map((stride) => stride.right));
  if (window === 'pointwise') return { down, right };
  // Outputs between pixels, after upsampling, are no positions of a window.
  if (window.length !== 2 || window.some((axis) => axis.stride < 1)) return null;
  return { down: down * window[0]!.stride, right: right * window[1]!.stride };
}

/** Whether the layers from `cut` on take nothing from those before it but the output of the last of them. */
const isCleanCut = (model: NetworkModel, cut: number): boolean =>
  model.layers
    .slice(cut)
    .every(
      ({ sharedParameters = {} }, i) =>
        inputsOf(model, cut + i).every((input) => input >= cut - 1) &&
        Object.values(sharedParameters).every((owner) => owner >= cut),
    );

/** The first layers, which run over a whole image; null if the network has none, such as one of linear layers. */
export function findSlidingLayers(model: NetworkModel): OutputMapInfo | null {
  if (model.inputShape.length !== 3) return null;
  const strides: Stride[] = [];
  for (const index of model.layers.keys()) {
    const stride = strideOf(model, index, strides);
    if (!stride) break;
    strides.push(stride);
  }
  let count = strides.length;
  while (count > 0 && !isCleanCut(model, count)) count--;
  const hasWindows = model.layers.slice(0, count).some((layer) => Array.isArray(receptiveWindowOf(layer)));
  const stride = strides[count - 1];
  return hasWindows && stride ? { layersOverImage: count, stride } : null;
}

/** The first layers for an image of another size; null if a layer cannot take it. */
function resizedLayers({ layers }: NetworkModel, count: number, inputShape: Shape): readonly LayerModel[] | null {
  const resized: LayerModel[] = [];
  for (const [index, layer] of layers.slice(0, count).entries()) {
    const { definition, options } = layer;
    const [input, ...others] = inputsOf({ layers }, index).map((source) =>
      source === NETWORK_INPUT ? inputShape : resized[source]!.outputShape,
    ) as [Shape, ...Shape[]];
    if (definition.checkInput?.(input, options) || definition.checkInputs?.([input, ...others], options)) return null;
    const own: LayerModel = {
      ...layer,
      inputShape: input,
      ...(others.length > 0 && { otherInputShapes: others }),
      outputShape: definition.outputShape(input, options, others),
    };
    const sizes = (each: LayerModel): number[] => ownParameters(each).map(({ shape }) => numel(shape));
    if (sizes(own).join() !== sizes(layer).join()) return null;
    resized.push(own);
  }
  return resized;
}

/** The other layers as a network of their own, on what they saw in training. */
const remainingModel = (model: NetworkModel, count: number): NetworkModel => ({
  inputShape: model.layers[count - 1]!.outputShape,
  layers: model.layers.slice(count).map((layer, i) => ({
    ...layer,
    inputs: inputsOf(model, count + i).map((input) => input - count),
    ...(layer.sharedParameters && {
      sharedParameters: Object.fromEntries(
        Object.entries(layer.sharedParameters).map(([name, owner]) => [name, owner - count]),
      ),
    }),
  })),
  loss: model.loss,
});

/**
 * The work for the map of an image of this height and width: multiply-adds, and at least one operation for each number
 * that a layer reads or a window copies. Infinite if the network cannot take the image.
 */
export function outputMapWork(model: NetworkModel, { layersOverImage }: OutputMapInfo, imageShape: Shape): number {
  const resized = resizedLayers(model, layersOverImage, imageShape);
  if (!resized) return Infinity;
  const sum = (layers: readonly LayerModel[]): number =>
    layers.reduce((total, layer) => total + Math.max(numel(layer.inputShape), macsOf(layer)), 0);
  const [, height = 0, width = 0] = resized.at(-1)!.outputShape;
  const window = numel(model.layers[layersOverImage - 1]!.outputShape);
  return sum(resized) + height * width * (window + sum(model.layers.slice(layersOverImage)));
}

/** A network for images of one size, larger than those it was trained on, with the weights of another network. */
export class SlidingNetwork {
  readonly rows: number;
  readonly columns: number;
  readonly #overImage: Network;
  readonly #perPosition: Network;

  /** @throws RangeError if the network cannot take such an image */
  constructor(
    readonly source: Network,
    { layersOverImage }: OutputMapInfo,
    imageShape: Shape,
    createKernels: () => Kernels,
  ) {
    const { model } = source;
    const layers = resizedLayers(model, layersOverImage, imageShape);
    if (!layers) throw new RangeError('the network cannot take an image of this size');
    const rest = remainingModel(model, layersOverImage);
    const [, height = 0, width = 0] = layers.at(-1)!.outputShape;
    const [, windowHeight = 0, windowWidth = 0] = rest.inputShape;
    this.rows = height - windowHeight + 1;
    this.columns = width - windowWidth + 1;
    const build = (part: NetworkModel, evaluationBatchSize: number): Network =>
      new Network(part, createKernels(), { batchSize: 1, evaluationBatchSize, optimizerStateTensors: 0 });
    this.#overImage = build({ inputShape: imageShape, layers, loss: model.loss }, 1);
    this.#perPosition = build(rest, Math.min(MAX_POSITION_BATCH, this.rows * this.columns));
  }

  /** Takes the current weights and running statistics of the network. */
  copyWeights(): void {
    for (const part of [this.#overImage, this.#perPosition])
      for (const kind of ['parameters', 'buffers'] as const) {
        const all = new Map(this.source[kind].map(({ name, value }) => [name, value.data]));
        for (const { name, value } of part[kind]) value.data.set(all.get(name)!);
      }
  }

  /**
   * @param image [channels, height, width]
   * @param onPosition called for each position, row by row; the outputs are valid until it returns
   */
  run(image: ArrayLike<number>, onPosition: (position: number, outputs: Tensor['data']) => void): void {
    const whole = this.#overImage.evaluationPass(1);
    whole.input.data.set(image);
    whole.forwardAll();
    const features = whole.prediction;
    const count = this.rows * this.columns;
    const { evaluationBatchSize } = this.#perPosition.size;
    for (let from = 0; from < count; from += evaluationBatchSize) {
      const size = Math.min(evaluationBatchSize, count - from);
      const pass = this.#perPosition.evaluationPass(size);
      for (let i = 0; i < size; i++) this.#copyWindow(pass.input, i, features, from + i);
      pass.forwardAll();
      const width = pass.prediction.data.length / size;
      for (let i = 0; i < size; i++) onPosition(from + i, pass.prediction.data.subarray(i * width, (i + 1) * width));
    }
  }

  /** Copies what the remaining layers see at a position into a row of their batch. */
  #copyWindow({ data, shape }: Tensor, row: number, features: Tensor, position: number): void {
    const [, channels = 0, height = 0, width = 0] = shape;
    const [, , allRows = 0, allColumns = 0] = features.shape;
    const top = Math.floor(position / this.columns);
    const left = position % this.columns;
    for (let c = 0, to = row * channels * height * width; c < channels; c++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++, to++)
          data[to] = features.data[(c * allRows + top + y) * allColumns + left + x]!;
  }
}
