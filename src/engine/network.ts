// A network: parameters and gradients in flat arrays, and passes over batches. Shapes are checked before; nothing
// allocates after construction.
import type { Kernels } from './kernels/kernels';
import { numel, type Shape, type Shape1, type Tensor, view } from './kernels/tensor';
import { initializers, type InitializerOptions } from './initializers';
import { type Fans, initialValues, type InitializerDefinition } from './initializers/initializer';
import {
  type Buffer,
  declaredParameters,
  type NetworkModel,
  type NetworkSize,
  type NetworkTensors,
  type Parameter,
} from './network-model';
import { type ActivationSlots, reserveTensors, splitIntoTensors, workspaceShapes } from './network-tensors';
import { Pass } from './pass';
import { Random } from './random';

export class Network implements NetworkTensors {
  readonly parameters: readonly Parameter[];
  /** Bytes of all tensors. */
  readonly memoryBytes: number;
  readonly buffers: readonly Buffer[];
  /** The state of training: each parameter with its optimizer state, then the buffers. */
  readonly state: readonly Tensor[];
  readonly workspaces: readonly (readonly Tensor[])[];
  readonly #training: ActivationSlots;
  readonly #evaluation: ActivationSlots | undefined;
  /** Passes, keyed by batch size. */
  readonly #passes = {
    training: new Map<number, Pass>(),
    evaluation: new Map<number, Pass>(),
    gradientInEvaluation: new Map<number, Pass>(),
  };

  constructor(
    readonly model: NetworkModel,
    readonly kernels: Kernels,
    readonly size: NetworkSize,
  ) {
    const { reservation, parameters, scratch, buffers, workspace, training, evaluation } = reserveTensors(
      model,
      kernels.precision,
      size,
    );
    reservation.allocate(kernels);
    this.memoryBytes = reservation.plan.bytes;
    this.workspaces = model.layers.map((layer) => splitIntoTensors(workspace(), workspaceShapes(layer)));
    this.#training = training;
    this.#evaluation = evaluation;
    this.parameters = parameters.map(({ layer, declaration, value, gradient, previous, optimizerState }) => ({
      name: `${model.layers[layer]!.name}.${declaration.name}`,
      shortName: declaration.name,
      layer,
      users: model.layers.flatMap(({ sharedParameters }, user) =>
        user === layer || sharedParameters?.[declaration.name] === layer ? user : [],
      ),
      frozen: model.layers[layer]!.freeze.includes(declaration.name),
      value: value(),
      gradient: gradient(),
      previous: previous(),
      optimizerState: optimizerState.map((take) => take()),
      scratch: view(scratch(), declaration.shape),
      init: declaration.init,
    }));
    this.buffers = buffers.map(({ layer, declaration: { name, fill, values }, value }) => ({
      name: `${model.layers[layer]!.name}.${name}`,
      shortName: name,
      layer,
      value: value(),
      fill,
      ...(values && { values }),
    }));
    this.state = [
      ...this.parameters.flatMap(({ value, optimizerState }) => [value, ...optimizerState]),
      ...this.buffers.map(({ value }) => value),
    ];
  }

  /**
   * Initializes parameters and buffers, and clears gradients and optimizer state. Each parameter draws from the stream
   * of its own name, so that adding another layer does not change it.
   */
  initialize(seed: number): void {
    const random = new Random(seed, 'init');
    for (const parameter of this.parameters) {
      const { init, value, name } = parameter;
      if ('values' in init) value.data.set(init.values);
      else this.#initializeParameter(random.stream(name), parameter, init.initializer);
      if ('initializer' in init && init.zeroRow !== undefined) {
        const width = value.data.length / value.shape[0]!;
        value.data.fill(0, init.zeroRow * width, (init.zeroRow + 1) * width);
      }
      const given = this.model.layers[parameter.layer]!.givenValues?.[parameter.shortName];
      if (given) value.data.set(given);
      this.kernels.fill(parameter.gradient, 0);
      for (const state of parameter.optimizerState) this.kernels.fill(state, 0);
    }
    for (const { value, fill, values, shortName, layer } of this.buffers) {
      const { givenValues, fittedBuffers } = this.model.layers[layer]!;
      const known = givenValues?.[shortName] ?? fittedBuffers?.[shortName] ?? values;
      if (known) value.data.set(known);
      else this.kernels.fill(value, fill);
    }
  }

  zeroGradients(): void {
    for (const { gradient } of this.parameters) this.kernels.fill(gradient, 0);
  }

  /** The training pass over the first `batchSize` rows; always the same memory. */
  trainingPass(batchSize: number): Pass {
    return this.#cachedPass(this.#passes.training, this.#training, batchSize, true);
  }

  /** A forward and backward pass in the same memory with the layers in evaluation mode, to check their gradients. */
  gradientPassInEvaluation(batchSize: number): Pass {
    return this.#cachedPass(this.#passes.gradientInEvaluation, this.#training, batchSize, false);
  }

  /** A forward-only pass with its own memory, so that evaluation does not disturb a training step. */
  evaluationPass(batchSize: number): Pass {
    if (!this.#evaluation) throw new RangeError('this network has no memory for evaluation');
    return this.#cachedPass(this.#passes.evaluation, this.#evaluation, batchSize, false);
  }

  #cachedPass(passes: Map<number, Pass>, slots: ActivationSlots, batchSize: number, training: boolean): Pass {
    let pass = passes.get(batchSize);
    if (!pass) {
      pass = new Pass(this, slots, batchSize, training);
      passes.set(batchSize, pass);
    }
    return pass;
  }

  #initializeParameter(random: Random, parameter: Parameter, options: InitializerOptions): void {
    const definition: InitializerDefinition = initializers[options.type];
    // Biases use the fans of their layer's weights, be they its own or shared.
    const declared = declaredParameters(this.model.layers[parameter.layer]!);
    const isWeight = parameter.value.shape.length > 1;
    const weight = declared.find(({ name, shape }) => (isWeight ? name === parameter.shortName : shape.length > 1));
    const fans = weight?.fans ?? computeFans((weight ?? parameter.value).shape);
    parameter.value.data.set(initialValues(definition, random, parameter.value.shape, fans, options));
  }
}

/** Fans of weights [out, in, ...kernel], as in torch.nn.init. */
function computeFans(shape: Shape): Fans {
  const [out, ...rest] = shape as Shape1;
  if (rest.length === 0) return { fanIn: out, fanOut: out };
  return { fanIn: numel(rest), fanOut: out * numel(rest.slice(1)) };
}
