// The outputs of a network on an image larger than those of the data: samples side by side, or one sample at any place.
import type { OutputMap, OutputMapRequest } from '../../protocol/queries';
import type { OutputMapInfo } from '../../protocol/model-info';
import { createKernels } from '../../engine/kernels/create-kernels';
import type { Shape, Shape3 } from '../../engine/kernels/tensor';
import { classProbabilities } from '../class-probabilities';
import { outputMapWork, SlidingNetwork } from '../output-map';
import type { TrainingSession } from '../session';
import { takeEvenlySpaced } from './evenly-spaced';
import { followedIndex } from './followed-sample';
import { predictedClass } from './predictions';
import { defineQuery } from './query';

/** More work or larger images would hold up training. */
const MAX_WORK = 2e8;
const MAX_PIXELS = 512 * 512;
const MAX_TILES = 8;
/** With more outputs, maps are too many to read. */
const MAX_OUTPUTS = 64;

const networks = new WeakMap<TrainingSession, { readonly tiles: number; readonly network: SlidingNetwork }>();

const largeShape = (session: TrainingSession, tiles: number): Shape3 => {
  const [channels, height, width] = session.run.dataset.inputShape as Shape3;
  return [channels, height * tiles, width * tiles];
};

/** The largest image up to this size that can be computed without a noticeable wait; 0 for none. */
function largestTiles(session: TrainingSession, info: OutputMapInfo, wanted: number): number {
  for (let tiles = Math.max(1, Math.min(MAX_TILES, Math.trunc(wanted))); tiles > 0; tiles--) {
    const shape = largeShape(session, tiles);
    if (shape[1] * shape[2] <= MAX_PIXELS && outputMapWork(session.network.model, info, shape) <= MAX_WORK)
      return tiles;
  }
  return 0;
}

function slidingNetwork(session: TrainingSession, info: OutputMapInfo, tiles: number): SlidingNetwork {
  const known = networks.get(session);
  if (known?.tiles === tiles) return known.network;
  const { deterministic, backend, simd256 } = session.kernelOptions;
  const network = new SlidingNetwork(session.network, info, largeShape(session, tiles), () =>
    createKernels(session.run.precision, { deterministic, backend, simd256 }),
  );
  networks.set(session, { tiles, network });
  return network;
}

/** The followed sample, and others of the split that was held out the most, evenly chosen. */
function chooseSamples({ run: { split } }: TrainingSession, sample: number, count: number): readonly number[] {
  const pool = [split.test, split.validation, split.train].find(({ length }) => length > 0) ?? split.train;
  const others = [...takeEvenlySpaced(pool, count)].filter((each) => each !== sample);
  return [sample, ...others].slice(0, count);
}

/** Within the large image. */
const clamp = (at: number, most: number): number => Math.max(0, Math.min(most, Math.trunc(at) || 0));

function placeSamples(
  session: TrainingSession,
  { sample, place }: OutputMapRequest,
  tiles: number,
): OutputMap['placed'] {
  const { dataset, labels } = session.run;
  const [, height, width] = dataset.inputShape as Shape3;
  const first = followedIndex(session, sample);
  const labelOf = (at: number): number | null => (labels && dataset.targetSize === 1 ? dataset.targets[at]! : null);
  if (place) {
    const row = clamp(place.row, height * (tiles - 1));
    const column = clamp(place.column, width * (tiles - 1));
    return [{ sample: first, row, column, label: labelOf(first) }];
  }
  return chooseSamples(session, first, tiles * tiles).map((at, i) => ({
    sample: at,
    row: Math.floor(i / tiles) * height,
    column: (i % tiles) * width,
    label: labelOf(at),
  }));
}

/** The samples on a background of the color of the first one's first pixel. */
function drawImage({ run: { dataset } }: TrainingSession, shape: Shape, placed: OutputMap['placed']): Float64Array {
  const [channels, allRows, allColumns] = shape as Shape3;
  const [, height, width] = dataset.inputShape as Shape3;
  const size = height * width;
  const image = new Float64Array(channels * allRows * allColumns);
  for (let c = 0; c < channels; c++) {
    const plane = c * allRows * allColumns;
    image.fill(dataset.inputs[(placed[0]!.sample * channels + c) * size]!, plane, plane + allRows * allColumns);
    for (const { sample, row, column } of placed)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          image[plane + (row + y) * allColumns + column + x] =
            dataset.inputs[(sample * channels + c) * size + y * width + x]!;
  }
  return image;
}

export const outputMap = defineQuery({
  type: 'output_map',
  /** Null for a network that cannot take larger images, or has more outputs than can be shown. */
  resolve(session: TrainingSession, request: OutputMapRequest): OutputMap | null {
    const { run, network, model } = session;
    const info = model.outputMap;
    const outputs = run.targetWidth;
    if (!info || outputs > MAX_OUTPUTS) return null;
    const tiles = largestTiles(session, info, request.tiles);
    if (tiles === 0) return null;
    const imageShape = largeShape(session, tiles);
    const placed = placeSamples(session, request, tiles);
    const image = drawImage(session, imageShape, placed);
    const sliding = slidingNetwork(session, info, tiles);
    sliding.copyWeights();
    const { rows, columns } = sliding;
    const values = new Float64Array(outputs * rows * columns);
    const hasClasses = run.labels !== null && run.dataset.targetSize === 1;
    const classes = hasClasses ? new Uint32Array(rows * columns) : null;
    const threshold = network.model.loss.definition.threshold ?? 0;
    let areProbabilities = false;
    sliding.run(image, (position, given) => {
      const probabilities = hasClasses ? classProbabilities(network.model, given) : null;
      areProbabilities = probabilities !== null;
      for (let k = 0; k < outputs; k++) values[k * rows * columns + position] = (probabilities ?? given)[k]!;
      if (classes) classes[position] = predictedClass(given, 0, outputs, threshold);
    });
    const [, height, width] = run.dataset.inputShape as Shape3;
    return {
      sample: placed[0]!.sample,
      tiles,
      image: Float32Array.from(image),
      imageShape,
      placed,
      window: { height, width },
      rows,
      columns,
      stride: info.stride,
      outputs,
      values,
      areProbabilities,
      classes,
    };
  },
});
