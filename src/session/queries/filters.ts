// The filters of a convolution as tiles: one row per output channel, one column per input channel.
import type { FiltersRequest, ConvFilters } from '../../protocol/queries';
import type { TrainingSession } from '../session';
import { takeEvenlySpaced } from './evenly-spaced';
import { edgeTensor } from './network-graph';
import { defineQuery } from './query';
import { followSample } from './followed-sample';
import { counterfactualTensor, runCounterfactual } from './counterfactual';
import type { Shape4 } from '../../engine/kernels/tensor';

/** Maximum number of channels that are drawn in each direction. */
const MAX_CHANNELS = 16;

export const filters = defineQuery({
  type: 'filters',
  /**
   * Null if the layer is not a convolution, if there is no such value yet, or if a counterfactual has no such value.
   */
  resolve(
    session: TrainingSession,
    { layer, edges, counterfactual, sample = null }: FiltersRequest,
  ): ConvFilters | null {
    const weight = session.network.parameters.find(
      (parameter) => parameter.layer === layer && parameter.shortName === 'weight',
    );
    if (weight?.value.shape.length !== 4) return null;
    const followed = counterfactual ? followSample(session, sample) : null;
    const counterfactualPass =
      followed && counterfactual ? runCounterfactual(session, followed.sample, counterfactual) : null;
    const tensor = counterfactual
      ? counterfactualPass && counterfactualTensor(counterfactualPass, weight.name, edges)
      : edgeTensor(session, weight, edges);
    if (!tensor) return null;
    const [outputChannels, inputChannels, height, width] = tensor.shape as Shape4;
    const shownChannels = (count: number): Uint32Array =>
      takeEvenlySpaced(
        Uint32Array.from({ length: count }, (_, i) => i),
        MAX_CHANNELS,
      );
    const [outputs, inputs] = [shownChannels(outputChannels), shownChannels(inputChannels)];
    const [rows, columns] = [outputs.length * height, inputs.length * width];
    const cells = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const channel = outputs[Math.floor(row / height)]! * inputChannels + inputs[Math.floor(column / width)]!;
        cells[row * columns + column] = tensor.data[(channel * height + (row % height)) * width + (column % width)]!;
      }
    }
    return { parameter: weight.name, shape: tensor.shape, outputs, inputs, rows, columns, cells };
  },
});
