// Wraps a custom layer as a layer definition. Its functions work on copies, so that they cannot change the run, and
// their results are validated before they are used.
import { createOps } from '../autograd/create-ops';
import { Tape } from '../autograd/tape';
import type { FormulaContext, LayerFormulas } from '../formulas/definition';
import { chainRule, deriveFormulas } from '../formulas/derive';
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
  parseInputCount,
  parseParameterDeclarations,
  checkParameterGradient,
  findMisnamedGradient,
  equalValues,
  checkShape,
  checkInputGradients,
  checkTensor,
} from './validation';
import { describeValue, readGradients, readShape, readTensor } from './foreign-value';
import { cloneTensor, cloneTensors, CustomCode, deepFreeze, type Tensors } from './custom-code';
import type { BackwardCall, ForwardCall, Gradients, InputGradients, Layer } from './contract';
import { createDraws, drawSeeds } from './draws';
import { OwnFormulas } from './own-formulas';
import type { LayerCallObserver, LayerIdentity, LayerModule } from './layer-module';
import { customLayerSpec, type CustomOptions } from './custom-layer-spec';

/** A completed forward pass, with the copies that it used. */
interface RecordedForward {
  readonly tape: Tape;
  readonly inputs: readonly [Tensor, ...Tensor[]];
  readonly parameters: Tensors;
  readonly y: Tensor;
}

const cloneInputs = ({ input, otherInputs }: ForwardContext<unknown>): [Tensor, ...Tensor[]] => [
  cloneTensor(input),
  ...otherInputs.map(cloneTensor),
];
const copyShapes = (shapes: readonly Shape[]): Shape[] => shapes.map((shape) => [...shape]);
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
  readonly #code: CustomCode;
  readonly #layer: Layer;
  readonly #tapeHolder: { tape: Tape } = { tape: new Tape(new Float64Array(0)) };
  readonly #ops = createOps(this.#tapeHolder);
  /** Declarations by input shape and options, cached so that they cannot change. */
  readonly #outputShapes = new Map<string, Shape>();
  readonly #declarations = new Map<string, readonly ParameterDeclaration[]>();
  /** The latest forward pass of each output tensor. */
  readonly #recordings = new WeakMap<Tensor, RecordedForward>();

  readonly #ownFormulas: OwnFormulas | null;
  #latest: RecordedForward | null = null;
  #derived: LayerFormulas | null = null;

  constructor(identity: LayerIdentity, module: LayerModule, watch: LayerCallObserver) {
    this.#code = new CustomCode(identity, module, watch);
    this.#layer = this.#validatedExport();
    const { parameters, forward, backward, surrogate, formulas } = this.#layer;
    this.#ownFormulas = formulas === undefined ? null : new OwnFormulas(this.#code, formulas);
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
      formulas: (context) => this.#formulas(context),
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
    const { autograd, kinkSides } = definition;
    this.definition = {
      ...definition,
      allowingNonFinite: {
        ...definition,
        forward: this.#code.allowingNonFinite(definition.forward),
        backward: this.#code.allowingNonFinite(definition.backward),
        ...(autograd && { autograd: this.#code.allowingNonFinite(autograd) }),
        ...(kinkSides && { kinkSides: this.#code.allowingNonFinite(kinkSides) }),
      },
    };
  }

  /** Those of the file, or else what the latest forward pass recorded; null before the first. */
  #formulas({ inputs, shapes, options: { options } }: FormulaContext<CustomOptions>): LayerFormulas | null {
    if (this.#ownFormulas) {
      const equations = this.#ownFormulas.equations(shapes[0], options, shapes);
      return { equations, reading: shapes.every(({ length }) => length === 1) ? 'rows' : 'sample' };
    }
    const recording = this.#latest;
    if (!recording) return null;
    const parameters = Object.keys(recording.parameters);
    return (this.#derived ??=
      deriveFormulas({
        nodes: recording.tape.nodes,
        inputs: Object.fromEntries(recording.inputs.map((tensor, i) => [inputs[i]!, tensor])),
        parameters: recording.parameters,
        output: recording.y,
      }) ?? chainRule(inputs, parameters));
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
    const y = this.#code.observe('forward', () => readTensor(this.#layer.surrogate?.forward(call)));
    this.#code.requireValid('forward', checkTensor(y, 'a surrogate output', output.shape));
    output.data.set((y as Tensor).data);
  }

  /** Observes the surrogate, if there is one. Checks nothing, because the same forward pass has run before. */
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
    const y = this.#code.observe('forward', () => (this.#layer.surrogate ?? this.#layer).forward(call));
    observer.finish();
    this.#code.requireValid('forward', checkTensor(y, 'an output', output.shape));
    observer.returned?.(y.data);
    output.data.set(y.data);
  }

  #operationGraph(context: ForwardContext<CustomOptions>): OperationGraph | null {
    const { tape, inputs, parameters, y } = this.#code.allowingNonFinite(() => this.#forward(context, true))();
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
      locate: ({ call }) => (call ? this.#code.module.locate(call) : null),
    };
  }

  #validatedExport(): Layer {
    const layer = this.#code.validatedExport(
      'a layer',
      'Write: export default { forward({ x, ops }) { … } };',
      ['backward', 'parameters', 'outputShape'],
      ['formulas', 'inputCount', 'random', 'surrogate'],
    ) as Layer;
    if (layer.inputCount !== undefined && !parseInputCount(layer.inputCount))
      throw this.#code.createError(
        'load',
        `exports a layer whose "inputCount" is ${describeValue(layer.inputCount)}`,
        'Write a whole number of 1 or more, or { min: 2, max: Infinity }.',
      );
    if (layer.random !== undefined && typeof layer.random !== 'boolean')
      throw this.#code.createError(
        'load',
        `exports a layer whose "random" is ${describeValue(layer.random)}`,
        'Write "random: true" for a layer that draws random numbers.',
      );
    const surrogate: unknown = layer.surrogate;
    if (surrogate !== undefined) {
      const { reason, forward } = (surrogate ?? {}) as Partial<Record<string, unknown>>;
      if (typeof reason !== 'string' || reason.trim() === '' || typeof forward !== 'function')
        throw this.#code.createError(
          'load',
          'exports a layer whose "surrogate" has no reason or no forward function',
          'Write: surrogate: { reason: "straight-through estimator", forward: ({ x }) => x }.',
        );
      if (layer.backward === undefined)
        throw this.#code.createError(
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
      ? this.#code.observe('outputShape', () =>
          readShape(this.#code.call(outputShape, [...inputs[0]], deepFreeze(options), copyShapes(inputs))),
        )
      : inputs[0];
    this.#code.requireValid('outputShape', checkShape(shape));
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
    const declared = this.#code.observe('parameters', () =>
      parseParameterDeclarations(
        this.#code.call(this.#layer.parameters, [...inputs[0]], deepFreeze(options), copyShapes(inputs)),
      ),
    );
    if ('message' in declared) throw this.#code.violationError('parameters', declared);
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
    const [returned, result] = this.#code.observe('forward', () => {
      const value = this.#code.call(this.#layer.forward, call);
      return [value, readTensor(value)] as const;
    });
    this.#code.requireUnmodified('forward', {
      ...inputPairs(inputs, context),
      ...parameterPairs(parameters, originalParameters),
    });
    this.#code.requireValid('forward', checkTensor(result, 'an output', output.shape));
    // The tape knows the tensor that was returned, and not a copy.
    const y = tape.isTracked(returned as Tensor) ? (returned as Tensor) : (result as Tensor);
    if (!this.#layer.backward && !tape.isTracked(y)) {
      throw this.#code.createError(
        'forward',
        'does not compute its output with ops, so autograd cannot differentiate it',
        'Use the operations in "ops", or write "backward" as well.',
      );
    }
    const { data } = result as Tensor;
    this.#code.requireFinite('forward', { 'an output': result as Tensor }, [...inputs, ...Object.values(parameters)]);
    output.data.set(data);
    const recording = { tape, inputs, parameters, y };
    this.#recordings.set(output, recording);
    this.#latest = recording;
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
    this.#code.requireFinite('backward', checkedGradients, [...inputs, y, gradOutput, ...Object.values(parameters)]);
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
    const returned = this.#code.observe('backward', () =>
      readGradients(this.#code.call(this.#layer.backward, call)),
    ) as Gradients | InputGradients | null | undefined;
    this.#code.requireUnmodified('backward', {
      ...inputPairs(inputs, context),
      output: [y, output],
      'upstream gradient': [dy, gradOutput],
      ...parameterPairs(parameters, originalParameters),
    });
    if (typeof returned !== 'object' || returned === null) {
      throw this.#code.createError(
        'backward',
        `returned ${describeValue(returned)} instead of gradients`,
        returned === undefined ? 'Is a "return" missing?' : 'Return { dx, parameters: { … } }.',
      );
    }
    const names = Object.keys(gradParameters);
    const isJoin = inputs.length > 1;
    if (isJoin) this.#code.requireValid('backward', checkInputGradients(returned, inputs));
    const dInputs = isJoin ? (returned as InputGradients).dInputs : [(returned as Gradients).dx];
    const { dInputs: _, ...named } = returned as Partial<InputGradients>;
    this.#code.requireValid('backward', findMisnamedGradient(isJoin ? { ...named, dx: dInputs[0] } : returned, names));
    if (!isJoin) this.#code.requireValid('backward', checkTensor(dInputs[0], '"dx"', input.shape));
    const parameterGradients = returned.parameters ?? {};
    for (const name of names)
      this.#code.requireValid(
        'backward',
        checkParameterGradient(parameterGradients[name], name, originalParameters[name]!.shape, input.shape[0]!),
      );
    const checkedInputs = Object.fromEntries(
      dInputs.map((gradient, i) => [isJoin ? `"dInputs[${i}]"` : '"dx"', gradient]),
    );
    this.#code.requireFinite('backward', { ...checkedInputs, ...parameterGradients }, [
      ...inputs,
      y,
      dy,
      ...Object.values(parameters),
    ]);
    [context.gradInput, ...context.gradOtherInputs].forEach((gradient, i) => gradient?.data.set(dInputs[i]!.data));
    for (const name of names) accumulate(gradParameters[name]!.data, parameterGradients[name]!.data);
  }
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
