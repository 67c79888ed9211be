// The network as a picture: some units of each layer with what they are for the followed sample, and the weights
// between those units. Large layers are thinned out evenly; how many there are is said.
import { sizeOf, type Tensor } from '../../engine/kernels/tensor';
import type { Network, Parameter } from '../../engine/network';
import type { TrainingSession } from '../session';
import { evenly } from './evenly';
import { axesOf, overGrid } from './grid';
import { defineQuestion } from './question';
import { follow } from './sample';
import { tensorTried, type Tried, type TriedOut, tryOut } from './tried';

export type EdgeKind = 'weight' | 'gradient' | 'update';

export interface PictureRequest {
  /** Number in the data of the sample to follow; null for the first of the step's batch. */
  readonly sample: number | null;
  /** What the edges show. */
  readonly edges: EdgeKind;
  /** Whether units show what they make of every input, for networks of one or two inputs. */
  readonly maps: boolean;
  /** Shows all as it would be with these weights and inputs; gradients are then of this sample's loss alone. */
  readonly tried?: Tried;
}

/** Units of a layer's output, or of the input. */
export interface Column {
  /** How many units there are; of an image, its channels. */
  readonly units: number;
  /** The ones that are shown. */
  readonly shown: Uint32Array;
  /** The followed sample's values; of an image the channel's mean. Null where the step has not come so far. */
  readonly values: Float64Array | null;
  /** dL/d value; null where the backward pass has not, or the sample is not in the batch. */
  readonly gradients: Float64Array | null;
  /**
   * A little picture a shown unit, [shown, height, width], 0 to 255 from `low` to `high`: what it gives over the inputs' range,
   * or the feature map of an image. Null where there is none.
   */
  readonly maps: { readonly width: number; readonly height: number; readonly pixels: Uint8Array; readonly low: number; readonly high: number } | null;
}

/** Between the shown units of a column and of the one before it. */
export interface Edges {
  readonly layer: number;
  /** Name of the parameter. */
  readonly parameter: string;
  /** [shown units, shown units before]; null where there is no such value yet. */
  readonly values: Float64Array | null;
  /** Of largest magnitude in the whole tensor, so that widths compare. */
  readonly largest: number;
}

export interface PictureAnswer {
  readonly sample: number;
  readonly inBatch: boolean;
  /** The input, then each layer. */
  readonly columns: readonly Column[];
  readonly edges: readonly Edges[];
}

/** Units of a column that are drawn. */
const MOST = 10;
/** Points of a little map a side, where there are few of them and where there are many; a line has more. */
const MAP = { fine: 28, coarse: 14 };
const FEW = 16;
const LINE = 40;
/** Pixels a side of a feature map that are sent. */
const LARGEST_MAP = 32;

export const picture = defineQuestion({
  about: 'picture',
  /** Null also where what is tried cannot be. */
  answer(session: TrainingSession, { sample, edges, maps, tried }: PictureRequest): PictureAnswer | null {
    const { network, run } = session;
    const followed = follow(session, sample);
    const out = followed && tried ? tryOut(session, followed.sample, tried) : null;
    if (!followed || (tried && !out)) return null;
    const valuesOf = (layer: number) => (out ? (layer < 0 ? out.pass.input : out.pass.outputs[layer]).data : layer < 0 ? followed.input : followed.output(layer));
    const gradientsOf = (layer: number) => (out ? (layer < 0 ? out.pass.inputGradient : out.pass.outputGradients[layer])?.data : layer < 0 ? undefined : followed.outputGradient(layer));
    const shapes = [run.dataset.inputShape, ...network.model.layers.map(({ outputShape }) => outputShape)];
    const shown = shapes.map((shape) => evenly(Uint32Array.from({ length: unitsOf(shape) }, (_, i) => i), MOST));
    const columns = shapes.map((shape, i): Column => {
      const [values, gradients] = [valuesOf(i - 1), gradientsOf(i - 1)];
      return {
        units: unitsOf(shape),
        shown: shown[i],
        values: values ? pick(values, shape, shown[i]) : null,
        gradients: gradients ? pick(gradients, shape, shown[i]) : null,
        maps: values && isImage(shape) ? featureMaps(values, shape, shown[i]) : null,
      };
    });
    // The grid goes through the memory of an evaluated sample: it comes last.
    const own = edgesOf(session, shown, edges, out);
    const drawn = maps ? gridMaps(session, out?.network ?? network, shown) : null;
    return {
      sample: followed.sample,
      inBatch: followed.row !== null,
      columns: drawn ? columns.map((column, i) => ({ ...column, maps: drawn[i] ?? column.maps })) : columns,
      edges: own,
    };
  },
});

const isImage = (shape: readonly number[]): boolean => shape.length === 3;
const unitsOf = (shape: readonly number[]): number => (isImage(shape) ? shape[0] : sizeOf(shape));

/** Values of the shown units; of an image the mean of each channel. */
function pick(values: Float32Array | Float64Array, shape: readonly number[], shown: Uint32Array): Float64Array {
  if (!isImage(shape)) return Float64Array.from(shown, (unit) => values[unit]);
  const size = shape[1] * shape[2];
  return Float64Array.from(shown, (channel) => {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += values[channel * size + i];
    return sum / size;
  });
}

function featureMaps(values: Float32Array | Float64Array, [, height, width]: readonly number[], shown: Uint32Array): Column['maps'] {
  const stride = Math.ceil(Math.max(height, width) / LARGEST_MAP);
  const [h, w] = [Math.ceil(height / stride), Math.ceil(width / stride)];
  const cells = new Float64Array(shown.length * h * w);
  shown.forEach((channel, i) => {
    for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) cells[(i * h + y) * w + x] = values[(channel * height + y * stride) * width + x * stride];
  });
  return quantized(cells, w, h);
}

/** To a byte over the range of all, 0 in the middle where there are both signs. */
function quantized(cells: Float64Array, width: number, height: number): NonNullable<Column['maps']> {
  let [low, high] = [0, 0];
  for (const cell of cells) if (Number.isFinite(cell)) [low, high] = [Math.min(low, cell), Math.max(high, cell)];
  if (low < 0) [low, high] = [-Math.max(-low, high), Math.max(-low, high)];
  const span = high - low || 1;
  return { width, height, low, high, pixels: Uint8Array.from(cells, (cell) => Math.round((255 * ((Number.isFinite(cell) ? cell : low) - low)) / span)) };
}

/** What each shown unit gives over the range of one or two inputs; null for networks with more. */
function gridMaps(session: TrainingSession, network: Network, shown: readonly Uint32Array[]): readonly Column['maps'][] | null {
  const axes = axesOf(session);
  if (!axes) return null;
  const side = shown.reduce((sum, units) => sum + units.length, 0) <= FEW ? MAP.fine : MAP.coarse;
  const [columns, rows] = axes.length === 1 ? [LINE, 1] : [side, side];
  const cells = shown.map((units) => new Float64Array(units.length * columns * rows));
  overGrid(network, axes, columns, rows, (pass, from, size) => {
    [pass.input, ...pass.outputs].forEach(({ data }, i) => {
      const width = data.length / pass.batch;
      shown[i].forEach((unit, at) => {
        for (let k = 0; k < size; k++) {
          // Rows from the top, as pictures are drawn.
          const [x, y] = [(from + k) % columns, rows - 1 - Math.floor((from + k) / columns)];
          cells[i][(at * rows + y) * columns + x] = data[k * width + unit];
        }
      });
    });
  });
  return cells.map((each) => quantized(each, columns, rows));
}

/** Undefined where the step has not come so far. */
export function tensorOfEdges({ progress, updateRatios }: TrainingSession, weight: Parameter, kind: EdgeKind): Tensor | undefined {
  const known = { weight: true, gradient: progress.backward(weight.layer), update: updateRatios.has(weight.name) }[kind];
  return known ? { weight: weight.value, gradient: weight.gradient, update: weight.previous }[kind] : undefined;
}

function edgesOf(session: TrainingSession, shown: readonly Uint32Array[], kind: EdgeKind, out: TriedOut | null): Edges[] {
  const { network } = session;
  return network.model.layers.flatMap(({ definition }, layer): Edges[] => {
    if (definition.reach !== 'weighted_sum') return [];
    const weight = network.parameters.find((parameter) => parameter.layer === layer && parameter.shortName === 'weight');
    if (!weight) return [];
    const tensor = out ? tensorTried(out, weight.name, kind) : tensorOfEdges(session, weight, kind);
    if (!tensor) return [{ layer, parameter: weight.name, values: null, largest: 0 }];
    const [to, from] = [shown[layer + 1], shown[layer]];
    const width = tensor.shape[1];
    const values = new Float64Array(to.length * from.length);
    to.forEach((unit, i) => from.forEach((before, j) => (values[i * from.length + j] = tensor.data[unit * width + before])));
    const { min, max } = (out?.network ?? network).kernels.moments(tensor);
    return [{ layer, parameter: weight.name, values, largest: Math.max(Math.abs(min), Math.abs(max)) }];
  });
}
