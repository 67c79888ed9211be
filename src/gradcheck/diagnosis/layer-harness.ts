// Runs one layer in isolation on its own tensors. Samples of the real batch go in, a random output gradient arrives,
// and the gradients that the backward pass returns are compared with differences of the forward pass.
import { runToCompletion } from '../../engine/cooperative-task';
import { MemoryPlan, numel, type Shape, type Tensor } from '../../engine/kernels/tensor';
import {
  type BackwardContext,
  type ForwardContext,
  inputTensorName,
  type JacobianStructure,
  type LayerDefinition,
  type OperationGraph,
} from '../../engine/layers/layer';
import { createLayerContext } from '../../engine/isolated-layer';
import type { Pass } from '../../engine/pass';
import { parametersUsedBy } from '../../engine/network-model';
import type { Random } from '../../engine/random';
import { structureMatchesShapes } from '../cached-activations';
import type { ForwardPrecision } from '../forward-precision';
import { isolatedDefinitionOf } from '../guard-custom-layer';
import {
  argumentsNow,
  buildForwardGraph,
  type ForwardGraph,
  type GraphSetup,
  remeasureEdges,
  remeasureWithResults,
} from './forward-graph';
import { forwardGraphOf } from './operation-forward-graph';
import type { Remeasurement } from './forward-graph-results';
import { divisors } from './forward-graph-change';
import { defaultOptionsOf } from './default-options';
import { DIFFERENCE_RULES, roundOffError } from './five-point-derivative';
import { detectMixedSamples, detectRandomness, type ForwardFault } from './forward-faults';
import { penaltyGradientOf } from './hypotheses/penalty';
import {
  DerivativeCache,
  runForward,
  areSamplesIndependent,
  dotWithUpstream,
  outputDerivatives,
} from './output-derivatives';
import {
  type Overrides,
  type Dimension,
  type Jacobians,
  type LayerExperiment,
  maxAbs,
  type ForwardJacobian,
  type GradientComparison,
} from './gradient-comparison';

/**
 * Limits for a layer without a declared Jacobian structure: perturbations of one tensor, and numbers computed in total.
 */
const MAX_PERTURBATIONS = 2000;
/** The same for made-up inputs. */
const MAX_PROBE_PERTURBATIONS = 64;
const MAX_NUMBERS_WRITTEN = 4e6;
/** Limits of a sample's Jacobian: its size, and the number of outputs, each of which takes one backward call. */
const MAX_JACOBIAN_SIZE = 65_536;
const MAX_BACKWARD_CALLS = 1024;
/** The largest Jacobian of all samples' outputs with respect to a parameter. */
const MAX_PARAMETER_JACOBIAN_SIZE = 262_144;
/** The most entries of a parameter that are perturbed to find out what each reaches. */
const MAX_PARAMETER_ENTRIES = 1024;

/** Sizes that wrong factors often equal: the positions of an image, and the length of each axis. */
function sizesOf(input: Shape, output: Shape): Dimension[] {
  const named = (shape: Shape, of: string): Dimension[] => {
    const places = shape.length > 1 ? [{ name: `positions in ${of}`, size: numel(shape.slice(1)) }] : [];
    const axes =
      shape.length > 1 ? shape.map((size, axis) => ({ name: `entries along axis ${axis + 1} of ${of}`, size })) : [];
    return [...places, ...axes];
  };
  return [...named(output, 'the output'), ...named(input, 'the input')].filter(({ size }) => size > 1);
}

/** The rows of a batch, over and over. */
const repeatRows = (batch: Tensor['data'], length: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => batch[i % batch.length]!);

/** A tensor that a layer can be differentiated by, and where its backward pass writes the gradient. */
interface Operand {
  readonly value: Tensor;
  readonly gradient: Tensor;
}

/** Gradients by tensor. */
type Gradients = ReadonlyMap<string, Float64Array>;

interface ExtraBackwardCalls {
  readonly withOtherInput: Gradients;
  /** dL/dx with the output gradient of the previous call. */
  readonly withPreviousUpstream: Float64Array;
  readonly firstRepeat: Gradients;
  readonly secondRepeat: Gradients;
}

export interface HarnessSetup {
  readonly layer: number;
  /** Number of samples; rows of the batch are repeated if it has fewer. */
  readonly samples: number;
  /** What the layer's outputs are called: units or classes. */
  readonly outputs: string;
  readonly random: Random;
  /** Whether the declared Jacobian structures have held so far. */
  readonly trusted: boolean;
  readonly precision: ForwardPrecision;
  /** Makes up inputs instead of using those of the batch. */
  readonly makeInput?: (batch: Float64Array, random: Random) => Float64Array;
}

export class LayerHarness {
  readonly definition: LayerDefinition;
  /** The layer to differentiate numerically: the layer itself, or its declared surrogate. */
  readonly #numericDefinition: LayerDefinition;
  /** Null if its forward pass can be differentiated. */
  forwardFault: ForwardFault | null = null;
  /** Whether the layer rejected the input: it threw, or every output is NaN. */
  refusesInput = false;
  readonly #precision: ForwardPrecision;
  readonly #maxPerturbations: number;
  readonly context: BackwardContext<unknown>;
  readonly samples: number;
  /** Arguments that forward or backward must not write to, but has. */
  readonly overwrites: { readonly by: 'forward' | 'backward'; readonly tensor: string }[] = [];
  readonly #displayName: string;
  readonly #reach: JacobianStructure | undefined;
  #upstream: Float64Array = new Float64Array(0);
  readonly #input: Float64Array;
  /** Entries after these are copies of rows of the batch. */
  readonly #batchLength: number;
  #output: Float64Array = new Float64Array(0);
  #previousCall: LayerExperiment['previousCall'] = { upstream: new Float64Array(0), input: new Float64Array(0) };
  #gradients: ReadonlyMap<string, Float64Array> = new Map();
  #otherInput: Float64Array = new Float64Array(0);
  /** The parameters and the further inputs. */
  readonly #operandValues: ReadonlyMap<string, Float64Array>;
  /** What the layer can be differentiated by, and where its backward pass writes the gradients. */
  readonly #tensors: ReadonlyMap<string, Operand>;
  /** Results of further calls, which only explanations need. */
  #extraCallsCache: ExtraBackwardCalls | null = null;
  readonly #comparisons = new Map<string, GradientComparison>();
  readonly #derivativeCaches = new Map<string, DerivativeCache>();
  readonly #penalties: ReadonlyMap<string, Float64Array | null>;
  readonly #defaults: unknown;
  readonly #dimensions: readonly Dimension[];
  #samplesIndependent: boolean | null = null;

  /** Runs the layer a few times. A cooperative task. */
  static *create(pass: Pass, setup: HarnessSetup): Generator<undefined, LayerHarness> {
    const harness = new LayerHarness(pass, setup);
    yield* harness.#prepare(setup);
    return harness;
  }

  private constructor(pass: Pass, { layer, samples, outputs, random, trusted, precision, makeInput }: HarnessSetup) {
    const { network } = pass;
    const { kernels } = network;
    const model = network.model.layers[layer]!;
    this.definition = isolatedDefinitionOf(model);
    const { surrogate } = this.definition;
    this.#numericDefinition = surrogate
      ? { ...this.definition, forward: (context) => surrogate.forward(context) }
      : this.definition;
    this.#precision = precision;
    this.#maxPerturbations = makeInput ? MAX_PROBE_PERTURBATIONS : MAX_PERTURBATIONS;
    this.#displayName = model.definition.sourceLocations ? model.name : model.definition.kind;
    this.samples = samples;
    const own = parametersUsedBy(network, layer);
    const [firstInput, ...otherInputs] = pass.layerInputs(layer) as readonly [Tensor, ...Tensor[]];
    const declared = model.definition.jacobianStructure;
    this.#reach =
      trusted && structureMatchesShapes(declared, numel(model.inputShape), numel(model.outputShape), own)
        ? declared
        : undefined;
    const buffers = Object.fromEntries(
      network.buffers.filter((buffer) => buffer.layer === layer).map(({ shortName, value }) => [shortName, value]),
    );
    const isolated = createLayerContext(kernels, model, samples, pass.training);
    const { input: x, mask } = isolated;
    const drawn = pass.masks[layer];
    // Repeats the masks of the batch the way its rows are repeated.
    if (drawn) mask?.data.set(repeatRows(drawn.data, mask.data.length));
    this.context = { ...isolated, buffers, mask: drawn ? mask : null, workspace: network.workspaces[layer]! };
    this.#operandValues = new Map([
      ...otherInputs.map(({ data }, i): [string, Float64Array] => [
        inputTensorName(i + 1),
        repeatRows(data, isolated.otherInputs[i]!.data.length),
      ]),
      ...own.map(({ shortName, value }): [string, Float64Array] => [shortName, Float64Array.from(value.data)]),
    ]);
    this.#tensors = new Map([
      ...isolated.otherInputs.map((value, i): [string, Operand] => [
        inputTensorName(i + 1),
        { value, gradient: isolated.gradOtherInputs[i]! },
      ]),
      ...own.map(({ shortName }): [string, Operand] => [
        shortName,
        { value: isolated.parameters[shortName]!, gradient: isolated.gradParameters[shortName]! },
      ]),
      ['input', { value: x, gradient: isolated.gradInput! }],
    ]);
    this.#penalties = new Map(own.map((parameter) => [parameter.shortName, penaltyGradientOf(network, parameter)]));
    this.#defaults = defaultOptionsOf(model);
    this.#batchLength = firstInput.data.length;
    const rows = repeatRows(firstInput.data, x.data.length);
    this.#input = makeInput ? makeInput(rows, random) : rows;
    this.#dimensions = [
      { name: 'samples in the batch', size: pass.batchSize, isolatedSize: samples },
      { name: outputs, size: numel(model.outputShape) },
      { name: 'inputs', size: numel(model.inputShape) },
      ...sizesOf(model.inputShape, model.outputShape),
      ...[...this.#operandValues.keys()].flatMap((name) =>
        this.#tensor(name).shape.map((size, axis) => ({
          name: `entries along axis ${axis} of ${name}`,
          size,
        })),
      ),
    ];
  }

  *#prepare({ makeInput, random }: HarnessSetup): Generator<undefined, void> {
    // A custom layer may not accept the changed rows.
    if (!makeInput) {
      const copies = this.#input.slice();
      // Duplicate rows would hide which one was used.
      for (let i = this.#batchLength; i < this.#input.length; i++) this.#input[i]! *= random.uniform(0.8, 1.2);
      this.#load(this.#input);
      if (runForward(this.context, this.definition).some(Number.isNaN)) this.#input.set(copies);
      yield;
    }
    this.#load(this.#input);
    const isCustom = this.definition.sourceLocations !== undefined;
    this.refusesInput = isCustom && runForward(this.context, this.definition).every(Number.isNaN);
    yield;
    if (isCustom && !this.refusesInput)
      this.forwardFault =
        (yield* detectRandomness(this.context, this.definition)) ??
        // Random numbers belong to places in the batch.
        (this.definition.sampleMask ? null : yield* detectMixedSamples(this.context, this.definition));
    yield;
    this.#output = Float64Array.from(this.context.output.data);
    const normal = (n: number): Float64Array => Float64Array.from({ length: n }, () => random.normal(0, 1));
    this.#upstream = normal(this.#output.length);
    this.#previousCall = {
      upstream: normal(this.#output.length),
      input: this.#input.map((value) => value * random.uniform(0.5, 1.5)),
    };
    this.#otherInput = this.#input.map((value) => value * random.uniform(0.5, 1.5));
    // The previous call comes first and numeric values come last, because a layer may keep state.
    this.#runForwardBackward(this.#previousCall.input, this.#previousCall.upstream);
    yield;
    this.#gradients = this.#runForwardBackward(this.#input, this.#upstream, true);
    this.#output = Float64Array.from(this.context.output.data);
    yield;
  }

  /** The gradient of one tensor: `input`, or the short name of a parameter. */
  comparison(tensor: string): GradientComparison {
    return runToCompletion(this.compare(tensor));
  }

  /** The same as a cooperative task; cached. */
  *compare(tensor: string): Generator<undefined, GradientComparison> {
    const comparison = this.#comparisons.get(tensor) ?? (yield* this.#compare(tensor));
    this.#comparisons.set(tensor, comparison);
    return comparison;
  }

  /** From the layer's backward pass, for the input and each parameter. */
  get gradients(): ReadonlyMap<string, Float64Array> {
    return this.#gradients;
  }

  get output(): Float64Array {
    return this.#output;
  }

  get input(): Float64Array {
    return this.#input;
  }

  get upstream(): Float64Array {
    return this.#upstream;
  }

  /** What the backward pass returns for another output gradient. */
  gradientsFor(upstream: Float64Array): ReadonlyMap<string, Float64Array> {
    return this.#runForwardBackward(this.#input, upstream);
  }

  /** What autograd recorded of the forward pass; null unless it is a custom layer that uses `ops`. */
  operationGraph(): OperationGraph | null {
    this.#load(this.#input);
    return this.definition.operationGraph?.(this.context) ?? null;
  }

  /** The graph of the forward pass, found by perturbing numbers; null if it cannot be found. */
  *forwardGraph(): Generator<undefined, ForwardGraph | null> {
    this.#load(this.#input);
    return yield* buildForwardGraph(this.#graphSetup);
  }

  /** The same for a layer that uses `ops`, made from what autograd recorded. */
  *forwardGraphOfOperations(): Generator<undefined, ForwardGraph | null> {
    const operations = this.operationGraph();
    return operations && (yield* forwardGraphOf(operations, this.#graphSetup));
  }

  /** Whether a wrong gradient is right if all random draws of a call are the same, whatever their order. */
  *dependsOnOrderOfDraws(tensor: string): Generator<undefined, boolean> {
    const { mask } = this.context;
    if (!mask || !this.definition.sourceLocations || !this.definition.sampleMask) return false;
    const seeds = mask.data.slice();
    mask.data.set(seeds.map((seed) => -1 - seed));
    try {
      const input = this.#input.slice();
      const analytic = this.#runForwardBackward(input, this.#upstream).get(tensor)!;
      const numeric = yield* this.#numericGradient(tensor, { input });
      const tolerance = DIFFERENCE_RULES[this.#precision].tolerance * maxAbs(numeric);
      return analytic.every((value, i) => Number.isNaN(numeric[i]) || Math.abs(value - numeric[i]!) <= tolerance);
    } finally {
      mask.data.set(seeds);
    }
  }

  /** The same with other values of a parameter, while the results of all calls of `Math` stay as they are. */
  *forwardGraphWith(
    graph: ForwardGraph,
    name: string,
    values: Float64Array,
  ): Generator<undefined, ForwardGraph | null> {
    this.#load(this.#input);
    this.#tensor(name).data.set(values);
    const changed = yield* remeasureEdges(this.#graphSetup, graph);
    this.#load(this.#input);
    return changed;
  }

  /** How the graph is measured again with other results. */
  remeasurementOf(graph: ForwardGraph): Remeasurement {
    const { input, output } = this.context;
    const setup = this.#graphSetup;
    const [sample, places] = [input.shape.slice(1), numel(input.shape.slice(2))];
    return {
      argumentsAtZero: () => {
        this.#load(this.#input);
        input.data.fill(0);
        const values = argumentsNow(setup, graph);
        this.#load(this.#input);
        return values;
      },
      withResults: (results, isFollowed) => {
        this.#load(this.#input);
        return remeasureWithResults(setup, graph, results, isFollowed);
      },
      counts: [
        ...new Set([
          ...[...sample, numel(sample), places, this.samples, this.samples * places, output.shape.at(-1)!],
          // A flat input may be made of groups.
          ...divisors(numel(sample)),
        ]),
      ]
        .filter((count) => count > 1)
        .slice(0, 9),
    };
  }

  get #graphSetup(): GraphSetup {
    return {
      context: this.context,
      definition: this.#numericDefinition,
      tensors: new Map([...this.#tensors].map(([name, { value }]) => [name, value])),
    };
  }

  /** The inputs and the parameters, by their short names; `input` comes last. */
  get tensors(): readonly string[] {
    return [...this.#tensors.keys()];
  }

  *#compare(tensor: string): Generator<undefined, GradientComparison> {
    const analytic = this.#gradients.get(tensor) ?? new Float64Array(0);
    const numeric = yield* this.#numericGradient(tensor, {});
    const layer: LayerExperiment = {
      kind: this.definition.kind,
      isCustom: this.definition.sourceLocations !== undefined,
      displayName: this.#displayName,
      samples: this.samples,
      upstream: this.#upstream,
      inputShape: this.context.input.shape,
      outputShape: this.context.output.shape,
      options: this.context.options,
      parameters: this.#operandValues,
      shapeOf: (name) => this.#tensor(name).shape,
      buffers: new Map(Object.entries(this.context.buffers).map(([name, { data }]) => [name, Float64Array.from(data)])),
      input: this.#input,
      output: this.#output,
      previousCall: this.#previousCall,
      isElementwise: () => this.#isElementwise(),
      repeatBackward: () => [
        this.#extraCalls.firstRepeat.get(tensor) ?? analytic,
        this.#extraCalls.secondRepeat.get(tensor) ?? analytic,
      ],
      defaultOptions: this.#defaults,
      ignoresInput: () => this.#ignoresInput(tensor, analytic, numeric),
      ignoresUpstream: () => this.#ignoresUpstream(tensor, analytic),
      numericGradientWith: (change) => this.#numericGradientWith(tensor, change),
      linearResponse: (values) => this.#linearResponse(values),
      jacobianDiagonal: () => this.#jacobianDiagonal(),
      entryPerOutput: () => this.#entryPerOutput(tensor),
      forwardJacobian: () => this.#forwardJacobian(),
      jacobians: () => this.#jacobians(analytic, numeric),
      parameterJacobians: () => this.#parameterJacobians(tensor),
      gradientFor: (upstream) => this.#runForwardBackward(this.#input, upstream).get(tensor) ?? new Float64Array(0),
    };
    return {
      subject: tensor === 'input' ? 'input' : this.context.parameters[tensor] ? 'parameter' : 'other_input',
      tensor,
      analytic,
      numeric,
      layer,
      loss: null,
      stride: this.#strideOf(tensor),
      hasFiniteOutput: this.#output.every(Number.isFinite),
      noise:
        roundOffError(maxAbs(this.#output), DIFFERENCE_RULES[this.#precision]) *
        this.#upstream.reduce((sum, each) => sum + Math.abs(each), 0),
      tolerance: DIFFERENCE_RULES[this.#precision].tolerance,
      penalty: this.#penalties.get(tensor) ?? null,
      shape: this.#tensor(tensor).shape,
      value: tensor === 'input' ? this.#input : (this.#operandValues.get(tensor) ?? new Float64Array(0)),
      dimensions: this.#dimensions,
    };
  }

  get #extraCalls(): ExtraBackwardCalls {
    this.#extraCallsCache ??= {
      withOtherInput: this.#runForwardBackward(this.#otherInput, this.#upstream),
      withPreviousUpstream:
        this.#runForwardBackward(this.#input, this.#previousCall.upstream).get('input') ?? new Float64Array(0),
      firstRepeat: this.#runForwardBackward(this.#input, this.#upstream),
      secondRepeat: this.#runForwardBackward(this.#input, this.#upstream),
    };
    return this.#extraCallsCache;
  }

  #strideOf(tensor: string): number {
    if (this.#reach) return 1;
    const moves = Math.min(
      this.#maxPerturbations,
      Math.max(100, MAX_NUMBERS_WRITTEN / this.context.output.data.length),
    );
    return Math.ceil(this.#tensor(tensor).data.length / moves);
  }

  /** The same gradients from autograd; null if it cannot differentiate the layer. */
  autograd(): ReadonlyMap<string, Float64Array> | null {
    const { context, definition } = this;
    this.#load(this.#input);
    context.gradOutput.data.set(this.#upstream);
    for (const { data } of Object.values(context.gradParameters)) data.fill(0);
    definition.forward(context);
    if (!definition.autograd?.(context)) return null;
    const gradients = this.#copyGradients();
    return new Map([['input', gradients.get('input')!], ...gradients]);
  }

  #copyGradients(): Map<string, Float64Array> {
    return new Map([...this.#tensors].map(([name, { gradient }]) => [name, Float64Array.from(gradient.data)]));
  }

  #isElementwise(): boolean {
    const given = this.#gradients.get('input') ?? [];
    if (given.length !== this.#upstream.length) return false;
    return this.#extraCalls.withPreviousUpstream.every(
      (value, i) => Math.abs(value / this.#previousCall.upstream[i]! - given[i]! / this.#upstream[i]!) < 1e-9,
    );
  }

  #tensor(name: string): Tensor {
    const found = this.#tensors.get(name);
    if (!found) throw new RangeError(`no tensor ${name}`);
    return found.value;
  }

  #load(input: Float64Array): void {
    this.context.input.data.set(input);
    for (const [name, value] of this.#operandValues) this.#tensor(name).data.set(value);
  }

  /** Runs forward and backward, and records which read-only arguments they write to. */
  #runForwardBackward(
    input: Float64Array,
    upstream: Float64Array,
    recordsOverwrites = false,
  ): Map<string, Float64Array> {
    const { context } = this;
    this.#load(input);
    context.gradOutput.data.set(upstream);
    for (const { gradient } of this.#tensors.values()) gradient.data.fill(0);
    const runWatched = (
      by: 'forward' | 'backward',
      tensors: readonly (readonly [string, Tensor])[],
      work: () => void,
    ): void => {
      const before = tensors.map(([, { data }]) => data.slice());
      work();
      if (!recordsOverwrites) return;
      tensors.forEach(([tensor, { data }], i) => {
        if (data.some((value, at) => !Object.is(value, before[i]![at]))) this.overwrites.push({ by, tensor });
      });
    };
    const operands = [...this.#tensors].map(([name, { value }]) => [name, value] as const);
    runWatched('forward', operands, () => this.definition.forward(context));
    const given = [['output', context.output], ['upstream gradient', context.gradOutput], ...operands] as const;
    runWatched('backward', given, () => this.definition.backward(context));
    return this.#copyGradients();
  }

  *#numericGradientWith(tensor: string, change: Overrides): Generator<undefined, Float64Array | null> {
    return this.#hasMatchingSizes(change) ? yield* this.#numericGradient(tensor, change) : null;
  }

  /** dS/d tensor by central differences, where S is the sum of output times output gradient. */
  *#numericGradient(
    name: string,
    { upstream = this.#upstream, input = this.#input, options, parameters }: Overrides,
  ): Generator<undefined, Float64Array> {
    this.#load(input);
    for (const [each, values] of parameters ?? []) this.#tensor(each).data.set(values);
    const context = options === undefined ? this.context : { ...this.context, options };
    const tensor = this.#tensor(name);
    const result = new Float64Array(tensor.data.length).fill(NaN);
    const reach = this.#reach;
    const rows = this.samples;
    const width = this.context.output.data.length / rows;
    const inputs = this.context.input.data.length / rows;
    if (reach === 'weighted_sum' && (name === 'input' || name === 'weight')) {
      const slice = this.#singleInputLayer(width);
      for (let i = 0; i < inputs; i++) {
        slice.load(i);
        const perturbed = name === 'input' ? slice.context.input : slice.context.parameters.weight!;
        const count = name === 'input' ? rows : width;
        const out = yield* outputDerivatives(
          slice.context,
          this.definition,
          perturbed,
          Array.from({ length: count }, (_, k) => k),
        );
        for (let k = 0; k < count; k++)
          result[k * inputs + i] = dotWithUpstream(out, upstream, width, name === 'input' ? { row: k } : { column: k });
        yield;
      }
      return result;
    }
    const all = Array.from(tensor.data, (_, i) => i);
    if (reach !== undefined) {
      const groups =
        name === 'input' ? Array.from({ length: rows }, (_, row) => all.slice(row * width, (row + 1) * width)) : [all];
      for (const group of groups) {
        const out = yield* outputDerivatives(context, this.definition, tensor, group);
        group.forEach((entry, column) => (result[entry] = dotWithUpstream(out, upstream, width, { column })));
        yield;
      }
      return result;
    }
    // Only the output gradient differs: such requests are frequent and share their derivatives.
    const isUnchanged = input === this.#input && options === undefined && parameters === undefined;
    const cached = isUnchanged ? this.#derivativeCaches.get(name) : undefined;
    if (cached?.isComplete) return cached.writeGradient(result, upstream);
    const cache = new DerivativeCache();
    const chosen = all.filter((i) => i % this.#strideOf(name) === 0);
    const definition = this.#numericDefinition;
    const unperturbed = runForward(context, definition);
    if (name === 'input' && (this.#samplesIndependent ??= yield* areSamplesIndependent(context, this.definition))) {
      // One number of each sample at a time.
      const ofRow = Array.from({ length: rows }, (_, row) => chosen.filter((i) => Math.floor(i / inputs) === row));
      for (let k = 0; k < Math.max(...ofRow.map(({ length }) => length)); k++) {
        const group = ofRow.flatMap((own, row) => (k < own.length ? [{ row, entry: own[k]! }] : []));
        const out = yield* outputDerivatives(
          context,
          definition,
          tensor,
          group.map(({ entry }) => entry),
          this.#precision,
          unperturbed,
        );
        yield;
        for (const { row, entry } of group) {
          result[entry] = dotWithUpstream(out, upstream, width, { row });
          if (isUnchanged) cache.add(entry, out, row * width, (row + 1) * width);
        }
      }
    } else {
      for (const i of chosen) {
        const out = yield* outputDerivatives(context, definition, tensor, [i], this.#precision, unperturbed);
        yield;
        result[i] = dotWithUpstream(out, upstream, width, {});
        if (isUnchanged) cache.add(i, out);
      }
    }
    if (isUnchanged) this.#derivativeCaches.set(name, cache);
    return result;
  }

  /** A weighted sum of a single input: what the others contribute is constant. */
  #singleInputLayer(width: number): { readonly context: ForwardContext<unknown>; load(i: number): void } {
    const { kernels, options, input, parameters, buffers, training, mask, workspace } = this.context;
    const plan = new MemoryPlan(kernels.precision);
    for (const shape of [[this.samples, 1], [width, 1], [width], [this.samples, width]]) plan.reserve(shape);
    const [x, weight, bias, output] = kernels.allocate(plan) as [Tensor, Tensor, Tensor, Tensor];
    const own: Record<string, Tensor> = parameters.bias ? { weight, bias } : { weight };
    const inputs = input.data.length / this.samples;
    return {
      context: {
        kernels,
        options,
        parameters: own,
        buffers,
        training,
        input: x,
        otherInputs: [],
        output,
        mask,
        workspace,
        internals: {},
      },
      load(i) {
        for (let row = 0; row < x.data.length; row++) x.data[row] = input.data[row * inputs + i]!;
        for (let unit = 0; unit < width; unit++) weight.data[unit] = parameters.weight!.data[unit * inputs + i]!;
      },
    };
  }

  #hasMatchingSizes({ upstream, input, options }: Overrides): boolean {
    const { context } = this;
    return (
      (options === undefined || this.#sizesWith(options) === this.#sizesWith(context.options)) &&
      (upstream?.length ?? context.output.data.length) === context.output.data.length &&
      (input?.length ?? context.input.data.length) === context.input.data.length
    );
  }

  /** The output shape and the intermediate values that the layer would have with these options. */
  #sizesWith(options: unknown): string {
    // The code of a custom layer checks its sizes itself.
    if (this.definition.sourceLocations) return '';
    const [[, ...input], others] = [this.context.input.shape, this.context.otherInputs];
    const otherShapes = others.map(({ shape }) => shape.slice(1));
    const { outputShape, internals } = this.definition;
    return JSON.stringify([outputShape(input, options, otherShapes), internals?.(input, options, otherShapes)]);
  }

  #linearResponse(values: Float64Array): Float64Array | null {
    const { context, definition } = this;
    if (values.length !== context.input.data.length) return null;
    this.#load(new Float64Array(values.length));
    definition.forward(context);
    const zero = Float64Array.from(context.output.data);
    this.#load(values);
    definition.forward(context);
    return Float64Array.from(context.output.data, (value, i) => value - zero[i]!);
  }

  *#jacobianDiagonal(): Generator<undefined, Float64Array> {
    this.#load(this.#input);
    const { input, output } = this.context;
    const diagonal = new Float64Array(Math.min(input.data.length, output.data.length, MAX_PERTURBATIONS));
    for (let i = 0; i < diagonal.length; i++) {
      diagonal[i] = (yield* outputDerivatives(this.context, this.#numericDefinition, input, [i], this.#precision))[i]!;
      yield;
    }
    return diagonal;
  }

  *#hasIndependentSamples(): Generator<undefined, boolean> {
    this.#load(this.#input);
    return (this.#samplesIndependent ??= yield* areSamplesIndependent(this.context, this.#numericDefinition));
  }

  *#forwardJacobian(): Generator<undefined, ForwardJacobian | null> {
    const { samples, context } = this;
    const definition = this.#numericDefinition;
    const [inputs, outputs] = [context.input.data.length / samples, context.output.data.length / samples];
    if (inputs * outputs > MAX_JACOBIAN_SIZE || !(yield* this.#hasIndependentSamples())) return null;
    const numeric = new Float64Array(samples * outputs * inputs);
    this.#load(this.#input);
    for (let i = 0; i < inputs; i++) {
      const out = yield* outputDerivatives(
        context,
        definition,
        context.input,
        Array.from({ length: samples }, (_, row) => row * inputs + i),
        this.#precision,
      );
      yield;
      for (let row = 0; row < samples; row++)
        for (let k = 0; k < outputs; k++) numeric[(row * outputs + k) * inputs + i] = out[row * outputs + k]!;
    }
    return { inputs, outputs, numeric };
  }

  *#entryPerOutput(tensor: string): Generator<undefined, Int32Array | null> {
    const { data } = this.#tensor(tensor);
    if (tensor === 'input' || data.length > MAX_PARAMETER_ENTRIES) return null;
    this.#load(this.#input);
    const { output } = this.context;
    const entries = new Int32Array(output.data.length).fill(-1);
    this.definition.forward(this.context);
    const unperturbed = output.data.slice();
    for (let entry = 0; entry < data.length; entry++) {
      const start = data[entry]!;
      data[entry] = start + 1;
      this.definition.forward(this.context);
      data[entry] = start;
      for (let i = 0; i < unperturbed.length; i++) {
        if (output.data[i] === unperturbed[i]) continue;
        if (entries[i]! >= 0) return null;
        entries[i] = entry;
      }
      yield;
    }
    return entries;
  }

  *#jacobians(analytic: Float64Array, numeric: Float64Array): Generator<undefined, Jacobians | null> {
    const { samples } = this;
    if (this.context.output.data.length / samples > MAX_BACKWARD_CALLS) return null;
    const forwardJacobian = yield* this.#forwardJacobian();
    if (!forwardJacobian) return null;
    const { inputs, outputs, numeric: right } = forwardJacobian;
    const analyticJacobian = new Float64Array(right.length);
    for (let k = 0; k < outputs; k++) {
      const inputGradient =
        this.#runForwardBackward(
          this.#input,
          this.#upstream.map((_, i) => (i % outputs === k ? 1 : 0)),
        ).get('input') ?? [];
      yield;
      for (let row = 0; row < samples; row++)
        for (let i = 0; i < inputs; i++)
          analyticJacobian[(row * outputs + k) * inputs + i] = inputGradient[row * inputs + i]!;
    }
    const isConsistent = (jacobian: Float64Array, gradient: Float64Array): boolean => {
      const tolerance = 1e-6 * maxAbs(gradient);
      return gradient.every((value, at) => {
        const [row, i] = [Math.floor(at / inputs), at % inputs];
        let sum = 0;
        for (let k = 0; k < outputs; k++)
          sum += this.#upstream[row * outputs + k]! * jacobian[(row * outputs + k) * inputs + i]!;
        return Number.isNaN(value) || Number.isNaN(sum) || Math.abs(sum - value) <= tolerance;
      });
    };
    return isConsistent(analyticJacobian, analytic) && isConsistent(right, numeric)
      ? { outputs, inputs, analytic: analyticJacobian, numeric: right }
      : null;
  }

  /**
   * From forward and from backward, the outputs of all samples by the entries of a parameter; null if that is too
   * large.
   */
  *#parameterJacobians(tensor: string): Generator<undefined, Jacobians | null> {
    const inputs = this.#tensor(tensor).data.length;
    const outputs = this.context.output.data.length;
    if (tensor === 'input' || inputs * outputs > MAX_PARAMETER_JACOBIAN_SIZE || outputs > MAX_BACKWARD_CALLS)
      return null;
    const numeric = new Float64Array(outputs * inputs);
    const analytic = new Float64Array(outputs * inputs);
    this.#load(this.#input);
    for (let i = 0; i < inputs; i++) {
      const out = yield* outputDerivatives(
        this.context,
        this.#numericDefinition,
        this.#tensor(tensor),
        [i],
        this.#precision,
      );
      for (let k = 0; k < outputs; k++) numeric[k * inputs + i] = out[k]!;
      yield;
    }
    const unit = new Float64Array(outputs);
    for (let k = 0; k < outputs; k++) {
      unit.fill(0);
      unit[k] = 1;
      analytic.set(this.#runForwardBackward(this.#input, unit).get(tensor) ?? [], k * inputs);
      yield;
    }
    return { inputs, outputs, numeric, analytic };
  }

  /** Whether backward returns the same for another output gradient. */
  #ignoresUpstream(tensor: string, analytic: Float64Array): boolean {
    const other = this.#runForwardBackward(this.#input, this.#previousCall.upstream).get(tensor);
    return other !== undefined && analytic.every((value, i) => Object.is(value, other[i]));
  }

  /** Whether backward returns the same for another input, although the right gradient differs. */
  *#ignoresInput(tensor: string, analytic: Float64Array, numeric: Float64Array): Generator<undefined, boolean> {
    const other = this.#extraCalls.withOtherInput.get(tensor);
    if (!other || analytic.some((value, i) => Math.abs(value - other[i]!) > 1e-12 * Math.abs(value))) return false;
    const right = yield* this.#numericGradient(tensor, { input: this.#otherInput });
    return numeric.some((value, i) => Math.abs(value - right[i]!) > 1e-3 * Math.abs(value));
  }
}
