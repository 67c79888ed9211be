// The network as a graph: some units of each layer with their values for the followed sample, and the weights between
// them. Large layers are thinned out evenly, and their size is given.
import type { EdgeKind, NetworkGraphRequest, UnitColumn, WeightEdges, NetworkGraph } from '../../protocol/queries';
import { numel, type Shape3, type Tensor } from '../../engine/kernels/tensor';
import type { Network } from '../../engine/network';
import { type Parameter, parametersUsedBy, structureOf } from '../../engine/network-model';
import { inputsOf } from '../../engine/network-graph';
import type { TrainingSession } from '../session';
import { takeEvenlySpaced } from './evenly-spaced';
import { inputAxes, evaluateGrid } from './input-grid';
import { defineQuery } from './query';
import { followSample } from './followed-sample';
import { counterfactualTensor, type CounterfactualPass, runCounterfactual } from './counterfactual';

/** Maximum number of units that are drawn per column. */
const MAX_UNITS = 10;
/** Points per side of a unit's map, for few units and for many; a line has more. */
const MAP_SIDE = { fine: 28, coarse: 14 };
const MAX_FINE_MAPS = 16;
const LINE_POINTS = 40;
/** Pixels per side of a feature map that are sent. */
const MAX_FEATURE_MAP_SIDE = 32;

export const networkGraph = defineQuery({
  type: 'network_graph',
  /** Null also if the counterfactual is not possible. */
  resolve(session: TrainingSession, { sample, edges, maps, counterfactual }: NetworkGraphRequest): NetworkGraph | null {
    const { network, run } = session;
    const followed = followSample(session, sample);
    const counterfactualPass =
      followed && counterfactual ? runCounterfactual(session, followed.sample, counterfactual) : null;
    if (!followed || (counterfactual && !counterfactualPass)) return null;
    const valuesOf = (layer: number) =>
      counterfactualPass
        ? (layer < 0 ? counterfactualPass.pass.input : counterfactualPass.pass.outputs[layer]!).data
        : layer < 0
          ? followed.input
          : followed.output(layer);
    const gradientsOf = (layer: number) =>
      counterfactualPass
        ? (layer < 0 ? counterfactualPass.pass.inputGradient : counterfactualPass.pass.outputGradients[layer])?.data
        : layer < 0
          ? undefined
          : followed.outputGradient(layer);
    const shapes = [run.dataset.inputShape, ...network.model.layers.map(({ outputShape }) => outputShape)];
    const shown = shapes.map((shape) =>
      takeEvenlySpaced(
        Uint32Array.from({ length: unitCount(shape) }, (_, i) => i),
        MAX_UNITS,
      ),
    );
    const columns = shapes.map((shape, i): UnitColumn => {
      const [values, gradients] = [valuesOf(i - 1), gradientsOf(i - 1)];
      return {
        units: unitCount(shape),
        shown: shown[i]!,
        values: values ? valuesOfUnits(values, shape, shown[i]!) : null,
        gradients: gradients ? valuesOfUnits(gradients, shape, shown[i]!) : null,
        maps: values && isImage(shape) ? featureMaps(values, shape, shown[i]!) : null,
      };
    });
    // The grid overwrites the memory of an evaluated sample, so it comes last.
    const edgeList = edgesBetween(session, shown, edges, counterfactualPass);
    const gridMapsByColumn = maps ? gridMaps(session, counterfactualPass?.network ?? network, shown) : null;
    return {
      sample: followed.sample,
      inBatch: followed.row !== null,
      columns: gridMapsByColumn
        ? columns.map((column, i) => ({ ...column, maps: gridMapsByColumn[i] ?? column.maps }))
        : columns,
      edges: edgeList,
    };
  },
});

const isImage = (shape: readonly number[]): shape is Shape3 => shape.length === 3;
const unitCount = (shape: readonly number[]): number => (isImage(shape) ? shape[0] : numel(shape));

/** Values of the shown units; for an image, the mean of each channel. */
function valuesOfUnits(
  values: Float32Array | Float64Array,
  shape: readonly number[],
  shown: Uint32Array,
): Float64Array {
  if (!isImage(shape)) return Float64Array.from(shown, (unit) => values[unit]!);
  const size = shape[1] * shape[2];
  return Float64Array.from(shown, (channel) => {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += values[channel * size + i]!;
    return sum / size;
  });
}

function featureMaps(
  values: Float32Array | Float64Array,
  [, height, width]: Shape3,
  shown: Uint32Array,
): UnitColumn['maps'] {
  const stride = Math.ceil(Math.max(height, width) / MAX_FEATURE_MAP_SIDE);
  const [h, w] = [Math.ceil(height / stride), Math.ceil(width / stride)];
  const cells = new Float64Array(shown.length * h * w);
  shown.forEach((channel, i) => {
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++)
        cells[(i * h + y) * w + x] = values[(channel * height + y * stride) * width + x * stride]!;
  });
  return quantize(cells, w, h);
}

/** Quantizes to a byte over the range of all values, with 0 in the middle if there are both signs. */
function quantize(cells: Float64Array, width: number, height: number): NonNullable<UnitColumn['maps']> {
  let [low, high] = [0, 0];
  for (const cell of cells) if (Number.isFinite(cell)) [low, high] = [Math.min(low, cell), Math.max(high, cell)];
  if (low < 0) [low, high] = [-Math.max(-low, high), Math.max(-low, high)];
  const span = high - low || 1;
  return {
    width,
    height,
    low,
    high,
    pixels: Uint8Array.from(cells, (cell) => Math.round((255 * ((Number.isFinite(cell) ? cell : low) - low)) / span)),
  };
}

/** The output of each shown unit over the range of one or two inputs; null for networks with more. */
function gridMaps(
  session: TrainingSession,
  network: Network,
  shown: readonly Uint32Array[],
): readonly UnitColumn['maps'][] | null {
  const axes = inputAxes(session);
  if (!axes) return null;
  const side = shown.reduce((sum, units) => sum + units.length, 0) <= MAX_FINE_MAPS ? MAP_SIDE.fine : MAP_SIDE.coarse;
  const [columns, rows] = axes.length === 1 ? [LINE_POINTS, 1] : [side, side];
  const cells = shown.map((units) => new Float64Array(units.length * columns * rows));
  evaluateGrid(network, axes, columns, rows, (pass, from, size) => {
    [pass.input, ...pass.outputs].forEach(({ data }, i) => {
      const width = data.length / pass.batchSize;
      shown[i]!.forEach((unit, at) => {
        for (let k = 0; k < size; k++) {
          // Rows from the top, as images are drawn.
          const [x, y] = [(from + k) % columns, rows - 1 - Math.floor((from + k) / columns)];
          cells[i]![(at * rows + y) * columns + x] = data[k * width + unit]!;
        }
      });
    });
  });
  return cells.map((each) => quantize(each, columns, rows));
}

/** Undefined if the step has not computed it yet. */
export function edgeTensor(
  { progress, updateRatios }: TrainingSession,
  weight: Parameter,
  kind: EdgeKind,
): Tensor | undefined {
  const known = {
    weight: true,
    gradient: progress.hasParameterGradients(weight.layer),
    update: updateRatios.has(weight.name),
  }[kind];
  return known ? { weight: weight.value, gradient: weight.gradient, update: weight.previous }[kind] : undefined;
}

function edgesBetween(
  session: TrainingSession,
  shown: readonly Uint32Array[],
  kind: EdgeKind,
  counterfactualPass: CounterfactualPass | null,
): WeightEdges[] {
  const { network } = session;
  return network.model.layers.flatMap((model, layer): WeightEdges[] => {
    if (structureOf(model) !== 'weighted_sum') return [];
    const weight = parametersUsedBy(network, layer).find(({ shortName }) => shortName === 'weight');
    if (!weight) return [];
    const tensor = counterfactualPass
      ? counterfactualTensor(counterfactualPass, weight.name, kind)
      : edgeTensor(session, weight, kind);
    if (!tensor) return [{ layer, parameter: weight.name, values: null, maxMagnitude: 0 }];
    // The first column is the network's input.
    const [to, from] = [shown[layer + 1]!, shown[inputsOf(network.model, layer)[0]! + 1]!];
    const width = tensor.shape[1]!;
    const values = new Float64Array(to.length * from.length);
    to.forEach((unit, i) =>
      from.forEach((before, j) => (values[i * from.length + j] = tensor.data[unit * width + before]!)),
    );
    const { min, max } = (counterfactualPass?.network ?? network).kernels.moments(tensor);
    return [{ layer, parameter: weight.name, values, maxMagnitude: Math.max(Math.abs(min), Math.abs(max)) }];
  });
}
