// The step as a list of nodes, forward and then backward, each with its numbers; values per sample are those of the
// followed one.
import type { TensorPreview, StepNode, StepGraph } from '../../protocol/queries';
import type { Shape, Tensor } from '../../engine/kernels/tensor';
import type { TrainingSession } from '../session';
import { defineQuery } from './query';
import { followSample, weightsBeforeUpdate } from './followed-sample';

/** The most rows and columns that are sent. */
const MAX_PREVIEW_SIDE = 8;

export const stepGraph = defineQuery({
  type: 'step_graph',
  resolve(session: TrainingSession, { sample }: { readonly sample: number | null }): StepGraph | null {
    const followed = followSample(session, sample);
    if (!followed) return null;
    const { network, progress, updateRatios } = session;
    const { layers } = network.model;
    const parametersOf = (layer: number) => network.parameters.filter((parameter) => parameter.layer === layer);
    const graph: StepNode[] = [
      {
        id: { of: 'input' },
        shape: network.model.inputShape,
        preview: previewOf(followed.input, network.model.inputShape),
      },
    ];
    layers.forEach(({ outputShape }, layer) => {
      for (const parameter of parametersOf(layer)) {
        const { shape } = parameter.value;
        graph.push({
          id: { of: 'parameter', layer, parameter: parameter.shortName },
          shape,
          preview: previewOf(weightsBeforeUpdate(session, followed, parameter), shape),
        });
      }
      graph.push({
        id: { of: 'output', layer },
        shape: outputShape,
        preview: previewOf(followed.output(layer), outputShape),
      });
    });
    const last = layers.length > 0 ? layers[layers.length - 1]!.outputShape : network.model.inputShape;
    graph.push({ id: { of: 'target' }, shape: last, preview: previewOf(followed.target, last) });
    for (let layer = layers.length - 1; layer >= 0; layer--) {
      const { outputShape } = layers[layer]!;
      graph.push({
        id: { of: 'output_gradient', layer },
        shape: outputShape,
        preview: previewOf(followed.outputGradient(layer), outputShape),
      });
      for (const { shortName, gradient } of parametersOf(layer)) {
        graph.push({
          id: { of: 'parameter_gradient', layer, parameter: shortName },
          shape: gradient.shape,
          preview: previewOf(progress.hasParameterGradients(layer) ? gradient.data : undefined, gradient.shape),
        });
      }
    }
    for (const { layer, shortName, name, value, previous, frozen } of network.parameters) {
      if (frozen) continue;
      const done = updateRatios.has(name);
      // After a measured update, `previous` holds the update itself.
      graph.push({
        id: { of: 'update', layer, parameter: shortName },
        shape: previous.shape,
        preview: previewOf(done ? previous.data : undefined, previous.shape),
      });
      graph.push({
        id: { of: 'updated', layer, parameter: shortName },
        shape: value.shape,
        preview: previewOf(done ? value.data : undefined, value.shape),
      });
    }
    return { sample: followed.sample, inBatch: followed.row !== null, nodes: graph };
  },
});

function previewOf(data: Tensor['data'] | undefined, shape: Shape): TensorPreview | null {
  if (!data) return null;
  const totalColumns = shape[shape.length - 1] ?? 1;
  const totalRows = data.length / totalColumns;
  const [rows, columns] = [Math.min(totalRows, MAX_PREVIEW_SIDE), Math.min(totalColumns, MAX_PREVIEW_SIDE)];
  const cells = Float64Array.from(
    { length: rows * columns },
    (_, i) => data[Math.floor(i / columns) * totalColumns + (i % columns)]!,
  );
  return { rows, columns, cells, totalRows, totalColumns };
}
