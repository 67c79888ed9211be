// The filters of a convolution, laid out as tiles: a row an output channel, a column an input channel.
import type { TrainingSession } from '../session';
import { evenly } from './evenly';
import { type EdgeKind, tensorOfEdges } from './picture';
import { defineQuestion } from './question';
import { follow } from './sample';
import { tensorTried, type Tried, tryOut } from './tried';

export interface FiltersAnswer {
  /** Name of the parameter. */
  readonly parameter: string;
  /** [output channels, input channels of a group, height, width]. */
  readonly shape: readonly number[];
  /** The channels that are shown. */
  readonly outputs: Uint32Array;
  readonly inputs: Uint32Array;
  /** [outputs · height, inputs · width]. */
  readonly rows: number;
  readonly columns: number;
  readonly cells: Float64Array;
}

export interface FiltersRequest {
  readonly layer: number;
  readonly edges: EdgeKind;
  /** As they would be with these weights and inputs; their gradient is then of the loss of one sample alone. */
  readonly tried?: Tried;
  /** Its number in the data; null for the first of the step's batch. */
  readonly sample?: number | null;
}

/** Channels of either side that are drawn. */
const MOST = 16;

export const filters = defineQuestion({
  about: 'filters',
  /** Null where the layer is no convolution, there is no such value yet, or not of what is tried. */
  answer(session: TrainingSession, { layer, edges, tried, sample = null }: FiltersRequest): FiltersAnswer | null {
    const weight = session.network.parameters.find((parameter) => parameter.layer === layer && parameter.shortName === 'weight');
    if (weight?.value.shape.length !== 4) return null;
    const followed = tried ? follow(session, sample) : null;
    const out = followed && tried ? tryOut(session, followed.sample, tried) : null;
    const tensor = tried ? out && tensorTried(out, weight.name, edges) : tensorOfEdges(session, weight, edges);
    if (!tensor) return null;
    const [outputChannels, inputChannels, height, width] = tensor.shape;
    const some = (count: number): Uint32Array => evenly(Uint32Array.from({ length: count }, (_, i) => i), MOST);
    const [outputs, inputs] = [some(outputChannels), some(inputChannels)];
    const [rows, columns] = [outputs.length * height, inputs.length * width];
    const cells = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const channel = outputs[Math.floor(row / height)] * inputChannels + inputs[Math.floor(column / width)];
        cells[row * columns + column] = tensor.data[(channel * height + (row % height)) * width + (column % width)];
      }
    }
    return { parameter: weight.name, shape: tensor.shape, outputs, inputs, rows, columns, cells };
  },
});
