// The forward and backward pass of one batch, in memory that the network has allocated.
import type { TargetData } from './datasets/dataset';
import { gatherRows } from './gather-rows';
import { swapLeadingAxes, type Tensor, type TensorData, view } from './kernels/tensor';
import type { BackwardContext } from './layers/layer';
import type { LabeledCounts } from './kernels/kernels';
import { ignoreIndexOf, type LossContext, type LossDefinition, rowCount } from './losses/loss';
import { gradientRoutes, inputsOf, NETWORK_INPUT } from './network-graph';
import {
  declaredInternals,
  internalShape,
  type NetworkTensors,
  type Parameter,
  parametersUsedBy,
} from './network-model';
import type { ActivationSlots, InternalHandle, TensorHandle } from './network-tensors';
import { addPenaltyGradient, customPenaltyValue, isPenalized, penaltyArguments, penaltyValue } from './penalty';
import { Random } from './random';

/** A gradient that is added to another one. */
interface GradientSum {
  readonly sum: Tensor;
  readonly addend: Tensor;
}

/** A layer's backward pass. */
interface BackwardStep {
  readonly context: BackwardContext<unknown>;
  readonly sums: readonly GradientSum[];
}

/** One of the losses, and what it takes. */
export interface LossTerm {
  readonly definition: LossDefinition;
  /** With the output of its layer as the prediction. */
  readonly context: LossContext<unknown>;
  /** The factor of its value in the loss. */
  readonly weight: number;
  /** The layer whose output it takes. */
  readonly layer: number;
}

/** The forward and backward pass of one batch. Tensors have the batch in front. */
export class Pass {
  readonly input: Tensor;
  readonly target: Tensor;
  /** Output of each layer. */
  readonly outputs: readonly Tensor[];
  /** Random masks of a step, such as dropout's; null for other layers and in evaluation. */
  readonly masks: readonly (Tensor | null)[];
  /** dL/d input; written only on request. */
  readonly inputGradient: Tensor | undefined;
  /** dL/d output of each layer. */
  readonly outputGradients: readonly Tensor[];
  /** Intermediate values of each layer by name, and their gradients; as they are in memory. */
  readonly #internals: readonly Readonly<Record<string, Tensor>>[];
  readonly #internalGradients: readonly Readonly<Record<string, Tensor>>[];
  // Created once: a training step allocates nothing.
  readonly #inputs: readonly (readonly Tensor[])[];
  readonly #backwardSteps: readonly BackwardStep[];
  /** The same with the gradient of the network's input; undefined for layers that do not take it. */
  readonly #stepsWithInputGradient: readonly (BackwardStep | undefined)[];
  /** The loss of the prediction, then the auxiliary losses. */
  readonly losses: readonly [LossTerm, ...LossTerm[]];
  readonly #auxiliaryLosses: readonly LossTerm[];
  readonly #lossAddend: Tensor;
  /** Parameters with a penalty, by layer; none in a forward-only pass. */
  readonly #penalizedParameters: readonly (readonly Parameter[])[];
  /** Gradients of the custom penalty, keyed by parameter name; computed with the gradient of the loss. */
  #customPenaltyGradients: Readonly<Record<string, TensorData>> = {};

  constructor(
    readonly network: NetworkTensors,
    slots: ActivationSlots,
    readonly batchSize: number,
    /** Whether the layers are in training mode. */
    readonly training: boolean,
  ) {
    const rows = (take: TensorHandle): Tensor => {
      const tensor = take();
      return view(tensor, [batchSize, ...tensor.shape.slice(1)]);
    };
    const { model, kernels, parameters, buffers } = network;
    this.input = rows(slots.input);
    this.target = rows(slots.target);
    this.outputs = slots.outputs.map(rows);
    this.masks = slots.masks.map((take) => (training && take ? rows(take) : null));
    const named = (handles: readonly InternalHandle[]): Record<string, Tensor> =>
      Object.fromEntries(
        handles.map(([declared, take]) => [declared.name, view(take(), internalShape(declared, batchSize))]),
      );
    this.#internals = slots.internals.map(named);
    this.#internalGradients = slots.internalGradients.map(named);
    const gradients = slots.gradients.map(rows);
    this.inputGradient = gradients[0];
    this.outputGradients = gradients.slice(1);
    const { auxiliaryLosses = [] } = model;
    this.#inputs = Array.from({ length: model.layers.length + 1 + auxiliaryLosses.length }, (_, layer) =>
      inputsOf(model, layer).map((source) => (source === NETWORK_INPUT ? this.input : this.outputs[source]!)),
    );
    const routes = gradientRoutes(model);
    const backwardStep = (layer: number, inputGradient: boolean): BackwardStep => {
      const addends = slots.addends(layer).map((tensor) => view(tensor, [batchSize, ...tensor.shape.slice(1)]));
      const sums: GradientSum[] = [];
      const [gradInput = null, ...gradOtherInputs] = routes[layer]!.map(({ source, adds }) => {
        const addend = adds ? addends.shift() : undefined;
        const gradient = source === NETWORK_INPUT ? this.inputGradient : this.outputGradients[source];
        if (!gradient || (source === NETWORK_INPUT && !inputGradient)) return null;
        if (addend) sums.push({ sum: gradient, addend });
        return addend ?? gradient;
      });
      const used = parametersUsedBy(network, layer);
      const [input, ...otherInputs] = this.#inputs[layer]! as readonly [Tensor, ...Tensor[]];
      const context = {
        kernels,
        options: model.layers[layer]!.options,
        parameters: Object.fromEntries(used.map(({ shortName, value }) => [shortName, value])),
        buffers: Object.fromEntries(
          buffers.filter((buffer) => buffer.layer === layer).map(({ shortName, value }) => [shortName, value]),
        ),
        training,
        input,
        otherInputs,
        output: this.outputs[layer]!,
        mask: this.masks[layer]!,
        workspace: network.workspaces[layer]!,
        internals: this.#internals[layer]!,
        gradOutput: this.outputGradients[layer]!,
        gradInput,
        gradOtherInputs,
        gradParameters: Object.fromEntries(used.map(({ shortName, gradient }) => [shortName, gradient])),
        gradInternals: this.#internalGradients[layer] ?? {},
      };
      return { context, sums };
    };
    this.#backwardSteps = model.layers.map((_, layer) => backwardStep(layer, false));
    this.#stepsWithInputGradient = model.layers.map((_, layer) =>
      inputsOf(model, layer).includes(NETWORK_INPUT) ? backwardStep(layer, true) : undefined,
    );
    const { penalty } = model;
    this.#penalizedParameters = model.layers.map((_, index) =>
      penalty && gradients.length > 0
        ? parameters.filter((own) => own.layer === index && isPenalized(penalty, own))
        : [],
    );
    this.#auxiliaryLosses = auxiliaryLosses.map(({ definition, options, weight, layer, target }) => {
      const { shape } = this.outputs[layer]!;
      const source = target === 'inputs' ? this.input : this.target;
      const context = { kernels, options, prediction: this.outputs[layer]!, target: view(source, shape) };
      return { definition, context, weight, layer };
    });
    this.losses = [
      {
        definition: model.loss.definition,
        context: { kernels, options: model.loss.options, prediction: this.prediction, target: this.target },
        weight: 1,
        layer: model.layers.length - 1,
      },
      ...this.#auxiliaryLosses,
    ];
    this.#lossAddend = slots.lossAddend();
  }

  /** The last layer's output, or the input of a network without layers. */
  get prediction(): Tensor {
    return this.outputs[this.outputs.length - 1] ?? this.input;
  }

  /** Copies samples into the batch: row i is sample `indices[from + i]`. */
  loadBatch(inputs: TensorData, targets: TargetData, indices: Uint32Array, from: number): void {
    gatherRows(this.input, inputs, indices, from);
    gatherRows(this.target, targets, indices, from);
  }

  /** Draws the masks of a step (counted from 0): a pure function of the seed, the step and the layer's name. */
  sampleMasks(seed: number, step: number): void {
    this.network.model.layers.forEach(({ name, definition, options }, layer) => {
      const mask = this.masks[layer];
      if (mask) definition.sampleMask?.(mask, new Random(seed, 'step').stream(name).stream(String(step)), options);
    });
  }

  forward(layer: number): void {
    this.network.model.layers[layer]!.definition.forward(this.#backwardSteps[layer]!.context);
  }

  /** The forward pass of a training step, which also updates the layer's buffers. */
  forwardAndUpdateBuffers(layer: number): void {
    this.forward(layer);
    this.network.model.layers[layer]!.definition.updateBuffers?.(this.#backwardSteps[layer]!.context);
  }

  /** The loss of the batch, in a training pass with the penalty. */
  loss(): number {
    return this.dataLoss() + this.penalty();
  }

  /** The loss of the batch without the penalty. */
  dataLoss(): number {
    let value = this.lossValue();
    for (const auxiliary of this.#auxiliaryLosses)
      value += auxiliary.weight * auxiliary.definition.value(auxiliary.context);
    return value;
  }

  /** The value of one loss, by default that of the prediction, not weighted. */
  lossValue({ definition, context } = this.losses[0]): number {
    return definition.value(context);
  }

  /** The value of each loss, not weighted. */
  lossValues(): number[] {
    return this.losses.map((loss) => this.lossValue(loss));
  }

  /** The penalty alone; 0 by default. */
  penalty(): number {
    const { model, kernels } = this.network;
    let value = 0;
    if (model.penalty) for (const own of this.#penalizedParameters) value += penaltyValue(kernels, model.penalty, own);
    return value + this.customPenalty();
  }

  /** The custom part of the penalty; 0 without one. */
  customPenalty(): number {
    const { model, parameters } = this.network;
    return this.outputGradients.length > 0 ? customPenaltyValue(model.penalty, parameters) : 0;
  }

  /** Writes dL/d prediction, and the gradient of each output that an auxiliary loss takes. */
  lossBackward(): void {
    const gradient = this.outputGradients[this.outputGradients.length - 1];
    const [{ definition, context }] = this.losses;
    if (gradient) {
      definition.gradient(context, gradient);
      this.#auxiliaryLosses.forEach((_, i) => this.#addAuxiliaryGradient(i));
    }
    const { model, parameters } = this.network;
    const custom = model.penalty?.custom;
    if (gradient && custom)
      this.#customPenaltyGradients = custom.definition.gradients(penaltyArguments(custom, parameters));
  }

  #addAuxiliaryGradient(index: number): void {
    const { kernels } = this.network;
    const { definition, context, weight, layer } = this.#auxiliaryLosses[index]!;
    const gradient = this.outputGradients[layer]!;
    const isFirst =
      layer !== this.losses[0].layer && this.#auxiliaryLosses.findIndex((other) => other.layer === layer) === index;
    if (isFirst) {
      definition.gradient(context, gradient);
      kernels.scale(gradient, gradient, weight);
      return;
    }
    const addend = view(this.#lossAddend, gradient.shape);
    definition.gradient(context, addend);
    kernels.axpby(gradient, addend, 1, weight);
  }

  /** What a custom loss gets in a call. */
  get lossContext(): LossContext<unknown> {
    return this.losses[0].context;
  }

  /**
   * Adds to the gradients of the layer's parameters and to those of its inputs. Of an output that several layers take,
   * the last of them writes the gradient and the others add to it. @param inputGradient also that of the network's
   * input
   */
  backward(layer: number, inputGradient = false): void {
    const { context, sums } =
      (inputGradient ? this.#stepsWithInputGradient[layer] : undefined) ?? this.#backwardSteps[layer]!;
    const { model, kernels } = this.network;
    model.layers[layer]!.definition.backward(context);
    for (const { sum, addend } of sums) kernels.axpby(sum, addend, 1, 1);
    if (model.penalty) addPenaltyGradient(kernels, model.penalty, this.#penalizedParameters[layer]!);
    if (model.penalty?.custom) this.#addCustomPenaltyGradient(layer);
  }

  #addCustomPenaltyGradient(layer: number): void {
    for (const { layer: owner, name, gradient } of this.network.parameters) {
      const share = this.#customPenaltyGradients[name];
      if (owner === layer && share) for (let i = 0; i < share.length; i++) gradient.data[i]! += share[i]!;
    }
  }

  /** The side of each kink inside a layer, or after the last one the loss; null if it has none to report. */
  kinkSides(layer: number): Int8Array | null {
    const { layers, loss } = this.network.model;
    if (layer === layers.length) return loss.definition.kinkSides?.(this.lossContext) ?? null;
    return this.network.model.layers[layer]!.definition.kinkSides?.(this.#backwardSteps[layer]!.context) ?? null;
  }

  /** For targets that are classes: how many there are, at each position of sequences, and how many are predicted. */
  countCorrect(): LabeledCounts {
    const { model, kernels } = this.network;
    if (ignoreIndexOf(model.loss) !== undefined) return kernels.countLabeled(this.prediction, this.target);
    return {
      correct: kernels.countCorrect(this.prediction, this.target, model.loss.definition.threshold ?? 0),
      labeled: rowCount(this.target),
    };
  }

  /** What a loss as a mean over the batch divides by. Means of several batches are weighted by it. */
  meanWeight({ definition, context } = this.losses[0]): number {
    return definition.meanWeight?.(context) ?? this.batchSize;
  }

  /** The forward pass from layer `first` on. */
  forwardAll(first = 0): void {
    for (let layer = first; layer < this.outputs.length; layer++) this.forward(layer);
  }

  /** The same, and the loss. */
  evaluate(first = 0): number {
    this.forwardAll(first);
    return this.loss();
  }

  /** An intermediate value of a layer, [batch, ...shape]; undefined if there is none of that name. */
  internal(layer: number, name: string): Tensor | undefined {
    return this.#batchFirst(layer, name, this.#internals);
  }

  /** dL/d internal. */
  internalGradient(layer: number, name: string): Tensor | undefined {
    return this.#batchFirst(layer, name, this.#internalGradients);
  }

  #batchFirst(layer: number, name: string, tensors: readonly Readonly<Record<string, Tensor>>[]): Tensor | undefined {
    const model = this.network.model.layers[layer];
    const declared = model && declaredInternals(model).find((each) => each.name === name);
    const tensor = tensors[layer]?.[name];
    return tensor && declared?.timeFirst ? swapLeadingAxes(tensor) : tensor;
  }

  /** The inputs of a layer, in order; after the last layer, the prediction, then what each auxiliary loss takes. */
  layerInputs(layer: number): readonly Tensor[] {
    return this.#inputs[layer]!;
  }

  /** A layer's first input. */
  layerInput(layer: number): Tensor {
    return this.#inputs[layer]![0]!;
  }
}
