// One layer by itself for one sample, in float64: backward fed with one unit gradient an output gives its Jacobian.
import { kernelsOf } from '../../engine/kernels/create';
import { sizeOf, type Tensor } from '../../engine/kernels/tensor';
import { Network } from '../../engine/network';
import type { TrainingSession } from '../session';
import { follow, weightsUsed } from './sample';

export interface LocalJacobian {
  readonly sample: number;
  readonly outputs: number;
  readonly inputs: number;
  /** [outputs, inputs]: d output_i / d input_j of the layer, as its backward has it. */
  readonly values: Float64Array;
}

/** Larger ones are neither read nor needed. */
export const LARGEST_JACOBIAN = 4096;
/** Numbers of a few rows of one: a million of them are had at once. */
const LARGEST_ROWS = 2 ** 20;

/** Null where the layer is too large, where it does not exist, or where samples of a batch depend on each other. */
export function localJacobian(session: TrainingSession, layer: number, wanted: number | null): LocalJacobian | null {
  const model = session.network.model.layers[layer];
  if (!model || sizeOf(model.inputShape) * sizeOf(model.outputShape) > LARGEST_JACOBIAN) return null;
  return localRows(session, layer, wanted, Array.from({ length: sizeOf(model.outputShape) }, (_, i) => i));
}

/** The rows of these outputs alone, in their order: of a large layer the few that somebody asks about. */
export function localRows(session: TrainingSession, layer: number, wanted: number | null, rows: readonly number[]): LocalJacobian | null {
  const model = session.network.model.layers[layer];
  const followed = model && follow(session, wanted);
  if (!followed || rows.length === 0) return null;
  const [inputs, size, outputs] = [sizeOf(model.inputShape), sizeOf(model.outputShape), rows.length];
  if (outputs * Math.max(inputs, size) > LARGEST_ROWS) return null;
  const x = layer === 0 ? followed.input : followed.output(layer - 1);
  if (!x) return null;
  const input = Float64Array.from(x);
  const alone = new Network(
    { ...session.network.model, inputShape: model.inputShape, layers: [model], penalty: undefined },
    kernelsOf('reference', 'float64'),
    { batch: outputs, evaluationBatch: 0, optimizerTensors: 0 },
  );
  const own = session.network.parameters.filter((parameter) => parameter.layer === layer);
  alone.parameters.forEach(({ value }, i) => value.data.set(weightsUsed(session, followed, own[i])));
  const pass = alone.pass(outputs);
  for (let i = 0; i < outputs; i++) pass.input.data.set(input, i * inputs);
  drawAgain(pass.drawn[0], session.pass.drawn[layer], followed.row);
  pass.forward(0);
  const upstream = pass.outputGradients[0].data;
  upstream.fill(0);
  for (let i = 0; i < outputs; i++) upstream[i * size + rows[i]] = 1;
  pass.backward(0, true);
  const values = pass.inputGradient && Float64Array.from(pass.inputGradient.data);
  return values ? { sample: followed.sample, outputs, inputs, values } : null;
}

/** What the layer drew for the sample's row, in every row; evaluated, it draws nothing: then nothing is dropped. */
function drawAgain(to: Tensor | null, from: Tensor | null, row: number | null): void {
  if (!to) return;
  if (!from || row === null) {
    to.data.fill(1);
    return;
  }
  const width = from.data.length / from.shape[0];
  for (let i = 0; i < to.shape[0]; i++) to.data.set(from.data.subarray(row * width, (row + 1) * width), i * width);
}
