// The step as a list of nodes, forward and then backward, each with its numbers; values per sample are those of the
// followed one.
import type { NodeId, TensorPreview, StepNode, StepGraph } from '../../protocol/queries';
import type { Shape } from '../../engine/kernels/tensor';
import type { TrainingSession } from '../session';
import { cachedNodeFormula, cachedNodeNames } from '../node-formulas';
import { targetGradientOf } from '../target-gradient';
import { defineQuery } from './query';
import { followSample, weightsBeforeUpdate } from './followed-sample';

/** Maximum number of rows and columns that are sent. */
const MAX_PREVIEW_SIDE = 8;

export const stepGraph = defineQuery({
  type: 'step_graph',
  resolve(session: TrainingSession, { sample }: { readonly sample: number | null }): StepGraph | null {
    const followed = followSample(session, sample);
    if (!followed) return null;
    const { network, progress, updateRatios } = session;
    const { layers } = network.model;
    const parametersOf = (layer: number) => network.parameters.filter((parameter) => parameter.layer === layer);
    const names = cachedNodeNames(network);
    const graph: StepNode[] = [];
    const add = (id: NodeId, name: string, shape: Shape, data: ArrayLike<number> | undefined): void => {
      graph.push({ id, name, shape, formula: cachedNodeFormula(network, id), preview: previewOf(data, shape) });
    };
    const { inputShape } = network.model;
    add({ of: 'input' }, names.input, inputShape, followed.input);
    layers.forEach(({ outputShape }, layer) => {
      for (const parameter of parametersOf(layer)) {
        const { shape } = parameter.value;
        add(
          { of: 'parameter', layer, parameter: parameter.shortName },
          names.parameter(parameter.name),
          shape,
          weightsBeforeUpdate(session, followed, parameter),
        );
      }
      add({ of: 'output', layer }, names.layer(layer), outputShape, followed.output(layer));
    });
    const last = layers.length > 0 ? layers[layers.length - 1]!.outputShape : network.model.inputShape;
    add({ of: 'target' }, names.target, last, followed.target);
    add({ of: 'loss' }, names.loss, [], session.loss === null ? undefined : [session.loss]);
    const isBackward = progress.hasOutputGradient(layers.length - 1);
    add({ of: 'loss_gradient' }, names.loss, [], isBackward ? [1] : undefined);
    add(
      { of: 'target_gradient' },
      names.target,
      last,
      isBackward && followed.row !== null ? targetGradientOf(session, followed.row) : undefined,
    );
    for (let layer = layers.length - 1; layer >= 0; layer--) {
      const { outputShape } = layers[layer]!;
      add({ of: 'output_gradient', layer }, names.layer(layer), outputShape, followed.outputGradient(layer));
      for (const { shortName, name, gradient } of parametersOf(layer)) {
        add(
          { of: 'parameter_gradient', layer, parameter: shortName },
          names.parameter(name),
          gradient.shape,
          progress.hasParameterGradients(layer) ? gradient.data : undefined,
        );
      }
    }
    add({ of: 'input_gradient' }, names.input, inputShape, followed.inputGradient);
    for (const { layer, shortName, name, value, previous, frozen } of network.parameters) {
      if (frozen) continue;
      const done = updateRatios.has(name);
      // After a measured update, `previous` holds the update itself.
      add(
        { of: 'update', layer, parameter: shortName },
        names.parameter(name),
        previous.shape,
        done ? previous.data : undefined,
      );
      add(
        { of: 'updated', layer, parameter: shortName },
        names.parameter(name),
        value.shape,
        done ? value.data : undefined,
      );
    }
    return { sample: followed.sample, inBatch: followed.row !== null, nodes: graph };
  },
});

function previewOf(data: ArrayLike<number> | undefined, shape: Shape): TensorPreview | null {
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
