// Wraps a custom layer as a layer definition. Its functions work on copies, so that they cannot change the run, and
// their results are validated before they are used.
import type { SourceLocation, LayerCall } from '../../protocol/problem';
import { createOps } from '../autograd/create-ops';
import { Tape } from '../autograd/tape';
import type { Shape, Tensor } from '../kernels/tensor';
import {
  type BackwardContext,
  type ForwardContext,
  type ForwardObserver,
  inputTensorName,
  type LayerDefinition,
  type OperationGraph,
  type ParameterDeclaration,
} from '../layers/layer';
import {
  type ContractViolation,
  parseInputCount,
  parseParameterDeclarations,
  checkParameterGradient,
  findMisnamedGradient,
  findNonFinite,
  equalValues,
  checkShape,
  checkInputGradients,
  checkTensor,
} from './validation';
import { describeThrown, describeValue, readGradients, readShape, readTensor, readThrownError } from './foreign-value';
import type { BackwardCall, ForwardCall, Gradients, InputGradients, Layer } from './contract';
import { createDraws, drawSeeds } from './draws';
import type { LayerCallObserver, LayerIdentity, LayerModule } from './layer-module';
import { describeCall, CustomLayerError } from './custom-layer-error';
import { customLayerSpec, type CustomOptions } from './custom-layer-spec';

type Tensors = Readonly<Record<string, Tensor>>;

/** A completed forward pass, with the copies that it used. */
interface RecordedForward {
  readonly tape: Tape;
  readonly inputs: readonly [Tensor, ...Tensor[]];
  readonly parameters: Tensors;
  readonly y: Tensor;
}

const cloneTensor = ({ shape, data }: Tensor): Tensor => ({ shape: [...shape], data: data.slice() });
const cloneInputs = ({ input, otherInputs }: ForwardContext<unknown>): [Tensor, ...Tensor[]] => [
  cloneTensor(input),
  ...otherInputs.map(cloneTensor),
];
const copyShapes = (shapes: readonly Shape[]): Shape[] => shapes.map((shape) => [...shape]);
const cloneTensors = (tensors: Tensors): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, cloneTensor(tensor)]));

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}

/** @throws LayerFault where the module exports no layer. */
export function createCustomLayer(
  identity: LayerIdentity,
  module: LayerModule,
  observer: LayerCallObserver,
): LayerDefinition<'custom', CustomOptions> {
  return new CustomLayer(identity, module, observer).definition;
}

class CustomLayer {
  definition: LayerDefinition<'custom', CustomOptions>;
  readonly #identity: LayerIdentity;
  readonly #module: LayerModule;
  readonly #observer: LayerCallObserver;
  /** Its functions are called on the default export, so that they can use `this`. */
  readonly #layer: Layer;
  readonly #tapeHolder: { tape: Tape } = { tape: new Tape(new Float64Array(0)) };
  readonly #ops = createOps(this.#tapeHolder);
  /** Declarations by input shape and options, cached so that they cannot change. */
  readonly #outputShapes = new Map<string, Shape>();
  readonly #declarations = new Map<string, readonly ParameterDeclaration[]>();
  /** The latest forward pass of each output tensor. */
  readonly #recordings = new WeakMap<Tensor, RecordedForward>();
  #requiresFinite = true;

  constructor(identity: LayerIdentity, module: LayerModule, watch: LayerCallObserver) {
    this.#identity = identity;
    this.#module = module;
    this.#observer = watch;
    this.#layer = this.#guard('load', () => this.#validatedExport());
    const { parameters, forward, backward, surrogate } = this.#layer;
    const count = parseInputCount(this.#layer.inputCount ?? 1);
    this.definition = {
      kind: 'custom',
      summary: customLayerSpec.summary,
      options: customLayerSpec.options,
      sourceLocations: {
        forward: module.locate(forward),
        backward: backward ? module.locate(backward) : null,
        locate: (error) => module.locate(error),
      },
      ...(count && { inputCount: count }),
      outputShape: (input, options, otherInputs = []) => this.#outputShape([input, ...otherInputs], options),
      ...(parameters && {
        parameters: (input: Shape, options: CustomOptions, otherInputs: readonly Shape[] = []) =>
          this.#parameterDeclarations([input, ...otherInputs], options),
      }),
      forward: (context) => void this.#forward(context),
      backward: (context) => (backward ? this.#manualBackward(context) : this.#autogradBackward(context)),
      ...(backward && {
        autograd: (context: BackwardContext<CustomOptions>) =>
          this.#isDifferentiable(context) && (this.#autogradBackward(context), true),
      }),
      kinkSides: (context) => this.#forward(context).tape.kinkSides(),
      operationGraph: (context) => this.#operationGraph(context),
      observedForward: (context, observer) => this.#observedForward(context, observer),
      ...(this.#layer.random === true && {
        sampleMask: drawSeeds,
        modes: () => ({
          training: 'draws new random numbers in every step',
          evaluation: 'is called with training = false',
        }),
      }),
      ...(surrogate && {
        surrogate: { reason: surrogate.reason, forward: (context) => this.#surrogateForward(context) },
      }),
    };
    const { definition } = this;
    const allowingNonFinite =
      <Arguments extends readonly unknown[], Result>(work: (...all: Arguments) => Result) =>
      (...all: Arguments): Result => {
        this.#requiresFinite = false;
        try {
          return work(...all);
        } finally {
          this.#requiresFinite = true;
        }
      };
    const { autograd, kinkSides } = definition;
    this.definition = {
      ...definition,
      allowingNonFinite: {
        ...definition,
        forward: allowingNonFinite(definition.forward),
        backward: allowingNonFinite(definition.backward),
        ...(autograd && { autograd: allowingNonFinite(autograd) }),
        ...(kinkSides && { kinkSides: allowingNonFinite(kinkSides) }),
      },
    };
  }

  /** What every call gets beside tensors. */
  #environment({ input, options, training, mask }: ForwardContext<CustomOptions>) {
    const random = createDraws(this.#layer.random === true ? mask : null, input.shape[0]!, input.data);
    return { options: deepFreeze(options.options), ops: this.#ops, training, random };
  }

  #surrogateForward(context: ForwardContext<CustomOptions>): void {
    const { input, parameters, output } = context;
    this.#tapeHolder.tape = new Tape(input.data);
    const inputs = cloneInputs(context);
    const call: ForwardCall = {
      x: inputs[0],
      inputs,
      parameters: cloneTensors(parameters),
      ...this.#environment(context),
    };
    const y = this.#observe('forward', () => readTensor(this.#layer.surrogate?.forward(call)));
    this.#requireValid('forward', checkTensor(y, 'a surrogate output', output.shape));
    output.data.set((y as Tensor).data);
  }

  /** Of the surrogate, if there is one. Checks nothing, because the same forward pass has run before. */
  #observedForward(context: ForwardContext<CustomOptions>, observer: ForwardObserver): void {
    const { input, parameters, output } = context;
    this.#tapeHolder.tape = new Tape(input.data);
    const inputs = cloneInputs(context).map((tensor) => observer.start(tensor)) as [Tensor, ...Tensor[]];
    const call: ForwardCall = {
      x: inputs[0],
      inputs,
      parameters: Object.fromEntries(
        Object.entries(cloneTensors(parameters)).map(([name, tensor]) => [name, observer.start(tensor)]),
      ),
      ...this.#environment(context),
    };
    const y = this.#observe('forward', () => (this.#layer.surrogate ?? this.#layer).forward(call));
    observer.finish();
    this.#requireValid('forward', checkTensor(y, 'an output', output.shape));
    output.data.set(y.data);
  }

  #operationGraph(context: ForwardContext<CustomOptions>): OperationGraph | null {
    this.#requiresFinite = false;
    try {
      const { tape, inputs, parameters, y } = this.#forward(context, true);
      if (!tape.isTracked(y)) return null;
      const [input, ...otherInputs] = inputs;
      return {
        nodes: tape.nodes,
        input,
        parameters: {
          ...Object.fromEntries(otherInputs.map((tensor, i) => [inputTensorName(i + 1), tensor])),
          ...parameters,
        },
        output: y,
        locate: ({ call }) => (call ? this.#module.locate(call) : null),
      };
    } finally {
      this.#requiresFinite = true;
    }
  }

  #validatedExport(): Layer {
    const { defaultExport } = this.#module;
    const remedy = 'Write: export default { forward({ x, ops }) { … } };';
    if (typeof defaultExport !== 'object' || defaultExport === null) {
      throw this.#createError(
        'load',
        defaultExport === undefined
          ? 'has no default export'
          : `exports ${describeValue(defaultExport)} as its default, not a layer`,
        remedy,
      );
    }
    const layer = readLayer(defaultExport as Layer);
    if (typeof layer.forward !== 'function')
      throw this.#createError('load', 'exports a layer without "forward"', remedy);
    for (const name of ['backward', 'parameters', 'outputShape'] as const) {
      if (layer[name] !== undefined && typeof layer[name] !== 'function') {
        throw this.#createError(
          'load',
          `exports a layer whose "${name}" is ${describeValue(layer[name])}`,
          `Make "${name}" a function, or omit it.`,
        );
      }
    }
    if (layer.inputCount !== undefined && !parseInputCount(layer.inputCount))
      throw this.#createError(
        'load',
        `exports a layer whose "inputCount" is ${describeValue(layer.inputCount)}`,
        'Write a whole number of 1 or more, or { min: 2, max: Infinity }.',
      );
    if (layer.random !== undefined && typeof layer.random !== 'boolean')
      throw this.#createError(
        'load',
        `exports a layer whose "random" is ${describeValue(layer.random)}`,
        'Write "random: true" for a layer that draws random numbers.',
      );
    const surrogate: unknown = layer.surrogate;
    if (surrogate !== undefined) {
      const { reason, forward } = (surrogate ?? {}) as Partial<Record<string, unknown>>;
      if (typeof reason !== 'string' || reason.trim() === '' || typeof forward !== 'function')
        throw this.#createError(
          'load',
          'exports a layer whose "surrogate" has no reason or no forward function',
          'Write: surrogate: { reason: "straight-through estimator", forward: ({ x }) => x }.',
        );
      if (layer.backward === undefined)
        throw this.#createError(
          'load',
          'exports a layer with a "surrogate" but without "backward"',
          'Write "backward" as well, or remove "surrogate".',
        );
    }
    return layer;
  }

  #outputShape(inputs: readonly [Shape, ...Shape[]], { options }: CustomOptions): Shape {
    const key = JSON.stringify([inputs, options]);
    const cached = this.#outputShapes.get(key);
    if (cached) return cached;
    const { outputShape } = this.#layer;
    const shape: unknown = outputShape
      ? this.#observe('outputShape', () =>
          readShape(this.#call(outputShape, [...inputs[0]], deepFreeze(options), copyShapes(inputs))),
        )
      : inputs[0];
    this.#requireValid('outputShape', checkShape(shape));
    this.#outputShapes.set(key, shape as Shape);
    return shape as Shape;
  }

  #parameterDeclarations(
    inputs: readonly [Shape, ...Shape[]],
    { options }: CustomOptions,
  ): readonly ParameterDeclaration[] {
    const key = JSON.stringify([inputs, options]);
    const cached = this.#declarations.get(key);
    if (cached) return cached;
    const declared = this.#observe('parameters', () =>
      parseParameterDeclarations(
        this.#call(this.#layer.parameters, [...inputs[0]], deepFreeze(options), copyShapes(inputs)),
      ),
    );
    if ('message' in declared) throw this.#violationError('parameters', declared);
    this.#declarations.set(key, declared.parameters);
    return declared.parameters;
  }

  #forward(context: ForwardContext<CustomOptions>, recordsCalls = false): RecordedForward {
    const { input, parameters: originalParameters, output } = context;
    const tape = new Tape(input.data, recordsCalls);
    const inputs = cloneInputs(context);
    const parameters = cloneTensors(originalParameters);
    for (const tensor of [...inputs, ...Object.values(parameters)]) tape.watch(tensor);
    this.#tapeHolder.tape = tape;
    const call: ForwardCall = { x: inputs[0], inputs, parameters, ...this.#environment(context) };
    const [returned, result] = this.#observe('forward', () => {
      const value = this.#call(this.#layer.forward, call);
      return [value, readTensor(value)] as const;
    });
    this.#requireUnmodified('forward', {
      ...inputPairs(inputs, context),
      ...parameterPairs(parameters, originalParameters),
    });
    this.#requireValid('forward', checkTensor(result, 'an output', output.shape));
    // The tape knows the tensor that was returned, and not a copy.
    const y = tape.isTracked(returned as Tensor) ? (returned as Tensor) : (result as Tensor);
    if (!this.#layer.backward && !tape.isTracked(y)) {
      throw this.#createError(
        'forward',
        'does not compute its output with ops, so autograd cannot differentiate it',
        'Use the operations in "ops", or write "backward" as well.',
      );
    }
    const { data } = result as Tensor;
    this.#requireFinite('forward', { 'an output': result as Tensor }, [...inputs, ...Object.values(parameters)]);
    output.data.set(data);
    const recording = { tape, inputs, parameters, y };
    this.#recordings.set(output, recording);
    return recording;
  }

  /** The forward pass of a backward pass: the latest one if it used the same numbers, otherwise a new one. */
  #recordedForward(context: BackwardContext<CustomOptions>): RecordedForward {
    const recording = this.#recordings.get(context.output);
    const { input, otherInputs, parameters } = context;
    if (
      recording &&
      [input, ...otherInputs].every(({ data }, i) => equalValues(recording.inputs[i]!.data, data)) &&
      Object.entries(parameters).every(([name, { data }]) => equalValues(recording.parameters[name]!.data, data))
    ) {
      return recording;
    }
    return this.#forward(context);
  }

  #isDifferentiable(context: BackwardContext<CustomOptions>): boolean {
    const { tape, y } = this.#recordedForward(context);
    return tape.isTracked(y);
  }

  #autogradBackward(context: BackwardContext<CustomOptions>): void {
    const { gradOutput, gradInput, gradOtherInputs, gradParameters } = context;
    const { tape, inputs, parameters, y } = this.#recordedForward(context);
    const names = Object.keys(gradParameters);
    const operands = [...inputs, ...names.map((name) => parameters[name]!)];
    const gradients = tape.gradients(y, gradOutput.data, operands);
    const labels = [...inputs.map((_, i) => (i === 0 ? 'x' : inputTensorName(i))), ...names];
    const checkedGradients = Object.fromEntries(
      operands.map(({ shape }, i) => [`a gradient of ${labels[i]}`, { shape, data: gradients[i]! }]),
    );
    this.#requireFinite('backward', checkedGradients, [...inputs, y, gradOutput, ...Object.values(parameters)]);
    [gradInput, ...gradOtherInputs].forEach((gradient, i) => gradient?.data.set(gradients[i]!));
    names.forEach((name, i) => accumulate(gradParameters[name]!.data, gradients[inputs.length + i]!));
  }

  #manualBackward(context: BackwardContext<CustomOptions>): void {
    const { input, output, parameters: originalParameters, gradOutput, gradParameters } = context;
    const inputs = cloneInputs(context);
    const [y, dy] = [output, gradOutput].map(cloneTensor) as [Tensor, Tensor];
    const parameters = cloneTensors(originalParameters);
    this.#tapeHolder.tape = new Tape(input.data);
    const call: BackwardCall = { x: inputs[0], inputs, y, dy, parameters, ...this.#environment(context) };
    const returned = this.#observe('backward', () => readGradients(this.#call(this.#layer.backward, call))) as
      Gradients | InputGradients | null | undefined;
    this.#requireUnmodified('backward', {
      ...inputPairs(inputs, context),
      output: [y, output],
      'upstream gradient': [dy, gradOutput],
      ...parameterPairs(parameters, originalParameters),
    });
    if (typeof returned !== 'object' || returned === null) {
      throw this.#createError(
        'backward',
        `returned ${describeValue(returned)} instead of gradients`,
        returned === undefined ? 'Is a "return" missing?' : 'Return { dx, parameters: { … } }.',
      );
    }
    const names = Object.keys(gradParameters);
    const isJoin = inputs.length > 1;
    if (isJoin) this.#requireValid('backward', checkInputGradients(returned, inputs));
    const dInputs = isJoin ? (returned as InputGradients).dInputs : [(returned as Gradients).dx];
    const { dInputs: _, ...named } = returned as Partial<InputGradients>;
    this.#requireValid('backward', findMisnamedGradient(isJoin ? { ...named, dx: dInputs[0] } : returned, names));
    if (!isJoin) this.#requireValid('backward', checkTensor(dInputs[0], '"dx"', input.shape));
    const parameterGradients = returned.parameters ?? {};
    for (const name of names)
      this.#requireValid(
        'backward',
        checkParameterGradient(parameterGradients[name], name, originalParameters[name]!.shape, input.shape[0]!),
      );
    const checkedInputs = Object.fromEntries(
      dInputs.map((gradient, i) => [isJoin ? `"dInputs[${i}]"` : '"dx"', gradient]),
    );
    this.#requireFinite('backward', { ...checkedInputs, ...parameterGradients }, [
      ...inputs,
      y,
      dy,
      ...Object.values(parameters),
    ]);
    [context.gradInput, ...context.gradOtherInputs].forEach((gradient, i) => gradient?.data.set(dInputs[i]!.data));
    for (const name of names) accumulate(gradParameters[name]!.data, parameterGradients[name]!.data);
  }

  /** Calls a function of the layer on its default export. */
  #call<Args extends readonly unknown[], Result>(
    work: ((...args: Args) => Result) | undefined,
    ...args: Args
  ): Result | undefined {
    return work && Reflect.apply<unknown, Args, Result>(work, this.#module.defaultExport, args);
  }

  #observe<Result>(call: LayerCall, work: () => Result): Result {
    this.#observer.enter(this.#identity.index, call);
    try {
      return this.#guard(call, work);
    } finally {
      this.#observer.leave();
    }
  }

  /** Runs custom code, or reads what it returned. What it throws becomes an error of the layer. */
  #guard<Result>(call: LayerCall, work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw this.#errorFromThrown(call, error);
    }
  }

  #errorFromThrown(call: LayerCall, thrown: unknown): CustomLayerError {
    if (isOwnError(thrown)) return thrown;
    const error = readThrownError(thrown);
    const place = error ? this.#module.locate(thrown) : this.#locate(call);
    return this.#createError(
      call,
      describeThrown(thrown),
      error ? 'Fix it there.' : 'Throw an Error, which records where it was thrown.',
      place,
      error?.stack ?? null,
    );
  }

  #requireUnmodified(
    call: LayerCall,
    tensors: Readonly<Record<string, readonly [copy: Tensor, original: Tensor]>>,
  ): void {
    for (const [name, [copy, original]] of Object.entries(tensors)) {
      if (equalValues(copy.data, original.data)) continue;
      throw this.#createError(
        call,
        `changed its ${name} in place, although it is still needed`,
        'Write results into a new tensor, such as ops.tensor(x.shape).',
      );
    }
  }

  /** Finite inputs must have finite results; other results are not the layer's fault. */
  #requireFinite(call: LayerCall, results: Tensors, inputs: readonly Tensor[]): void {
    if (!this.#requiresFinite) return;
    for (const [name, tensor] of Object.entries(results)) {
      const where = findNonFinite(tensor);
      if (where === null || inputs.some((each) => findNonFinite(each) !== null)) continue;
      const what = name.startsWith('a') || name.startsWith('"') ? name : `a gradient of ${name}`;
      throw this.#createError(
        call,
        `returned ${what} with ${where}, although its input was finite`,
        'Keep the computation in range, or lower the learning rate.',
      );
    }
  }

  #requireValid(call: LayerCall, violation: ContractViolation | null): void {
    if (violation) throw this.#violationError(call, violation);
  }

  #violationError = (call: LayerCall, { message, remedy }: ContractViolation): CustomLayerError =>
    this.#createError(call, message, remedy);

  #locate(call: LayerCall): SourceLocation {
    return this.#module.locate(
      call === 'load' || call === 'async' ? undefined : (this.#layer[call] ?? this.#layer.forward),
    );
  }

  #createError(
    call: LayerCall,
    what: string,
    remedy: string,
    place?: SourceLocation,
    stack: string | null = null,
  ): CustomLayerError {
    const { name } = this.#identity;
    const subject =
      call === 'load' ? `The file of ${name}` : describeCall(call, name).replace(/^./, (first) => first.toUpperCase());
    const location = place ?? (call === 'load' ? this.#module.locate(undefined) : this.#locate(call));
    return new CustomLayerError({ layer: name, call, message: `${subject} ${what}.`, remedy, place: location, stack });
  }
}

/** The engine's own error, thrown in the constructor before its layer exists. */
function isOwnError(thrown: unknown): thrown is CustomLayerError {
  try {
    return thrown instanceof CustomLayerError;
  } catch {
    return false;
  }
}

/** The members of a default export, read once, because a getter may return something else each time. */
function readLayer(exported: Layer): Layer {
  const { forward, backward, parameters, outputShape, inputCount, random, surrogate } = exported;
  return {
    forward,
    ...(backward !== undefined && { backward }),
    ...(parameters !== undefined && { parameters }),
    ...(outputShape !== undefined && { outputShape }),
    ...(inputCount !== undefined && { inputCount }),
    ...(random !== undefined && { random }),
    ...(surrogate !== undefined && { surrogate }),
  };
}

const inputPairs = (
  copies: readonly Tensor[],
  { input, otherInputs }: ForwardContext<unknown>,
): Record<string, readonly [Tensor, Tensor]> =>
  Object.fromEntries(
    [input, ...otherInputs].map((original, i) => [inputTensorName(i), [copies[i]!, original] as const]),
  );

const parameterPairs = (copies: Tensors, originals: Tensors): Record<string, readonly [Tensor, Tensor]> =>
  Object.fromEntries(Object.entries(copies).map(([name, copy]) => [`parameter ${name}`, [copy, originals[name]!]]));

function accumulate(sum: Tensor['data'], addend: Tensor['data']): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += addend[i]!;
}
