// One batch on its way through a network, forward and back; in memory that the network has planned.
import type { TargetData } from './datasets/dataset';
import { type Precision, type Tensor, type TensorData, view } from './kernels/tensor';
import type { BackwardContext } from './layers/layer';
import type { LossContext } from './losses/loss';
import type { Network, Parameter } from './network';
import { addPenaltyGradient, isPenalized, penaltyValue } from './penalty';
import { Random } from './random';

/** Gives a tensor, once all of them are allocated. */
export type Take = () => Tensor;

/** The tensors of a pass, for the largest batch. */
export interface ActivationSlots {
  readonly input: Take;
  readonly target: Take;
  readonly outputs: readonly Take[];
  /** What layers draw for a step, by layer; empty for a pass that never goes backward. */
  readonly drawn: readonly (Take | null)[];
  /** Empty for a pass that never goes backward. */
  readonly gradients: readonly Take[];
}

/** One batch on its way forward and back. Tensors carry the batch in front. */
export class Pass {
  readonly input: Tensor;
  readonly target: Tensor;
  /** Output of each layer. */
  readonly outputs: readonly Tensor[];
  /** What layers draw for a step, such as dropout's mask; null for the others, and in evaluation. */
  readonly drawn: readonly (Tensor | null)[];
  /** dL/d input; only written when asked for. */
  readonly inputGradient: Tensor | undefined;
  /** dL/d output of each layer. */
  readonly outputGradients: readonly Tensor[];
  // Made once: a training step makes no garbage.
  readonly #steps: readonly BackwardContext<unknown>[];
  readonly #firstWithInput: BackwardContext<unknown> | undefined;
  readonly #loss: LossContext<unknown>;
  /** By layer: parameters with a penalty; none in a pass that only evaluates. */
  readonly #penalized: readonly (readonly Parameter[])[];

  constructor(
    readonly network: Network,
    slots: ActivationSlots,
    readonly batch: number,
    /** Whether the layers are in training mode. */
    readonly training: boolean,
  ) {
    const rows = (take: Take): Tensor => {
      const tensor = take();
      return view(tensor, [batch, ...tensor.shape.slice(1)]);
    };
    const { model, kernels, parameters, buffers } = network;
    this.input = rows(slots.input);
    this.target = rows(slots.target);
    this.outputs = slots.outputs.map(rows);
    this.drawn = slots.drawn.map((take) => (training && take ? rows(take) : null));
    const gradients = slots.gradients.map(rows);
    this.inputGradient = gradients[0];
    this.outputGradients = gradients.slice(1);
    this.#steps = model.layers.map(({ options }, index) => {
      const own = parameters.filter(({ layer }) => layer === index);
      return {
        kernels,
        options,
        parameters: Object.fromEntries(own.map(({ shortName, value }) => [shortName, value])),
        buffers: Object.fromEntries(buffers.filter(({ layer }) => layer === index).map(({ shortName, value }) => [shortName, value])),
        training,
        input: this.inputOf(index),
        output: this.outputs[index],
        drawn: this.drawn[index],
        workspace: network.workspaces[index],
        gradOutput: this.outputGradients[index],
        gradInput: index > 0 ? this.outputGradients[index - 1] : null,
        gradParameters: Object.fromEntries(own.map(({ shortName, gradient }) => [shortName, gradient])),
      };
    });
    this.#firstWithInput = this.#steps[0] && { ...this.#steps[0], gradInput: this.inputGradient ?? null };
    const { penalty } = model;
    this.#penalized = model.layers.map((_, index) =>
      penalty && gradients.length > 0 ? parameters.filter((own) => own.layer === index && isPenalized(penalty, own)) : [],
    );
    this.#loss = { kernels, options: model.loss.options, prediction: this.prediction, target: this.target };
  }

  /** The last layer's output, or the input of a network without layers. */
  get prediction(): Tensor {
    return this.outputs[this.outputs.length - 1] ?? this.input;
  }

  /** Copies samples into the batch: row `i` is sample `indices[from + i]`. */
  load(inputs: TensorData, targets: TargetData, indices: Uint32Array, from: number): void {
    gather(this.input, inputs, indices, from);
    gather(this.target, targets, indices, from);
  }

  /** Draws what layers need for a step, counted from 0: a pure function of seed, step and the layer's name. */
  drawFor(seed: number, step: number): void {
    this.network.model.layers.forEach(({ name, definition, options }, layer) => {
      const out = this.drawn[layer];
      if (out) definition.draw?.(out, new Random(seed, 'step').stream(name).stream(String(step)), options);
    });
  }

  forward(layer: number): void {
    this.network.model.layers[layer].definition.forward(this.#steps[layer]);
  }

  /** Forward as a step of training does it: what the layer keeps of the batches goes into its buffers, too. */
  forwardAndTrack(layer: number): void {
    this.forward(layer);
    this.network.model.layers[layer].definition.track?.(this.#steps[layer]);
  }

  /** The loss of the batch; in a training pass with the penalty. */
  loss(): number {
    return this.dataLoss() + this.penalty();
  }

  /** The loss of the batch without the penalty. */
  dataLoss(): number {
    return this.network.model.loss.definition.value(this.#loss);
  }

  /** The penalty alone; 0 where there is none. */
  penalty(): number {
    const { model, kernels } = this.network;
    let value = 0;
    if (model.penalty) for (const own of this.#penalized) value += penaltyValue(kernels, model.penalty, own);
    return value;
  }

  /** Writes dL/d prediction. */
  lossBackward(): void {
    const gradient = this.outputGradients[this.outputGradients.length - 1];
    if (gradient) this.network.model.loss.definition.gradient(this.#loss, gradient);
  }

  /** Adds to the gradients of the layer's parameters and writes that of its input; of the first layer only if asked. */
  backward(layer: number, inputGradient = false): void {
    const context = layer === 0 && inputGradient ? this.#firstWithInput : this.#steps[layer];
    const { model, kernels } = this.network;
    if (context) model.layers[layer].definition.backward(context);
    if (model.penalty) addPenaltyGradient(kernels, model.penalty, this.#penalized[layer]);
  }

  /** On which side of each kink inside it a layer computes; null where it does not say. */
  sides(layer: number): Int8Array | null {
    return this.network.model.layers[layer].definition.sides?.(this.#steps[layer]) ?? null;
  }

  /** How many of the batch's predictions are right; for targets that are classes. */
  correct(): number {
    const { threshold } = this.network.model.loss.definition;
    return this.network.kernels.countCorrect(this.prediction, this.target, threshold);
  }

  /** Forward through all layers from `first` on, and the loss. */
  evaluate(first = 0): number {
    for (let layer = first; layer < this.outputs.length; layer++) this.forward(layer);
    return this.loss();
  }

  inputOf(layer: number): Tensor {
    return layer === 0 ? this.input : this.outputs[layer - 1];
  }
}

/** Numbers in a row from which on it is copied as a whole, for which something small is made. */
const WIDE = 64;
/** Numbers of all inputs, 64 MB, up to which a copy is worth its memory. */
const MOST_COPIED = 2 ** 24;

/** Whether all inputs are rounded once and kept: rounding the numbers of a batch takes five times as long as copying them. @param bytes of each as it is stored */
export const isRoundedOnce = (precision: Precision, bytes: number, width: number, samples: number): boolean =>
  precision === 'float32' && bytes === 8 && width >= WIDE && width * samples <= MOST_COPIED;

/** Element by element: views and `set` cost more than what they copy, and would leave garbage in every step. */
export function gather({ shape, data }: Tensor, from: TensorData | TargetData, indices: Uint32Array, first: number): void {
  const rows = shape[0];
  const width = data.length / rows;
  if (width === 1) {
    for (let row = 0; row < rows; row++) data[row] = from[indices[first + row]];
    return;
  }
  if (width === 2) {
    for (let row = 0; row < rows; row++) {
      const at = indices[first + row] * 2;
      data[2 * row] = from[at];
      data[2 * row + 1] = from[at + 1];
    }
    return;
  }
  if (width >= WIDE) {
    for (let row = 0; row < rows; row++) {
      const at = indices[first + row] * width;
      data.set(from.subarray(at, at + width), row * width);
    }
    return;
  }
  for (let row = 0, to = 0; row < rows; row++) {
    let at = indices[first + row] * width;
    for (const end = to + width; to < end; to++) data[to] = from[at++];
  }
}
