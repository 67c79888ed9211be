// One layer alone, on tensors of its own: samples of the real batch go in, a random gradient comes from above, and
// what backward makes of it is put beside differences of forward.
import { MemoryPlan, sizeOf, type Shape, type Tensor } from '../../engine/kernels/tensor';
import type { BackwardContext, ForwardContext, LayerDefinition, Reach } from '../../engine/layers/layer';
import type { Pass } from '../../engine/network';
import type { Random } from '../../engine/random';
import { fits } from '../stages';
import { defaultsOf } from './defaults';
import { roundOffIn } from './difference';
import { penaltyOf } from './penalty';
import { KeptSlopes, outputOf, rowsApart, shareOf, slopes, STEP } from './slopes';
import { type Change, type Dimension, type Jacobians, type LayerTrial, largest, type Slopes, type Trial } from './trial';

/** Differences for one tensor of a layer that does not say what its numbers reach: most, and numbers written in all. */
const MOST_MOVES = 2000;
const MOST_WRITTEN = 4e6;
/** Largest Jacobian of one sample. */
const MOST_SLOPES = 1024;
/** The same where only forward is asked. */
const MOST_SLOPES_FORWARD = 65_536;
/** Entries of a parameter that are moved to see what each reaches. */
const MOST_ENTRIES = 1024;

/** Gradients by tensor. */
type Gradients = ReadonlyMap<string, Float64Array>;

interface MoreCalls {
  readonly withOther: Gradients;
  /** dL/dx with the upstream gradient of the call before. */
  readonly withBefore: Float64Array;
  readonly once: Gradients;
  readonly twice: Gradients;
}

export class LayerBench {
  readonly definition: LayerDefinition;
  readonly context: BackwardContext<unknown>;
  readonly samples: number;
  /** Arguments that forward or backward has written to and must not. */
  readonly mutated: { readonly by: 'forward' | 'backward'; readonly tensor: string }[] = [];
  readonly #called: string;
  readonly #reach: Reach | undefined;
  readonly #upstream: Float64Array;
  readonly #input: Float64Array;
  readonly #output: Float64Array;
  readonly #before: { readonly upstream: Float64Array; readonly input: Float64Array };
  readonly #gradients: ReadonlyMap<string, Float64Array>;
  readonly #otherInput: Float64Array;
  readonly #values: ReadonlyMap<string, Float64Array>;
  /** More calls, for explanations only. */
  #calls: MoreCalls | null = null;
  readonly #trials = new Map<string, Trial>();
  readonly #slopesOf = new Map<string, KeptSlopes>();
  readonly #penalties: ReadonlyMap<string, Float64Array | null>;
  readonly #defaults: unknown;
  readonly #dimensions: readonly Dimension[];
  #apart: boolean | null = null;

  /**
   * @param samples how many; rows of the batch again and again where it has fewer.
   * @param outputs what the layer's outputs are called: units, classes.
   * @param trusted whether what layers say they reach has held so far.
   */
  constructor(pass: Pass, layer: number, samples: number, outputs: string, random: Random, trusted: boolean) {
    const { network } = pass;
    const { kernels } = network;
    const model = network.model.layers[layer];
    this.definition = model.definition;
    this.#called = model.definition.kind === 'custom' ? model.name : model.definition.kind;
    this.samples = samples;
    const own = network.parameters.filter((parameter) => parameter.layer === layer);
    const declared = model.definition.reach;
    this.#reach = trusted && fits(declared, sizeOf(model.inputShape), sizeOf(model.outputShape), own) ? declared : undefined;
    const buffers = Object.fromEntries(network.buffers.filter((buffer) => buffer.layer === layer).map(({ shortName, value }) => [shortName, value]));
    const input: Shape = [samples, ...model.inputShape];
    const output: Shape = [samples, ...model.outputShape];
    const plan = new MemoryPlan(kernels.precision);
    for (const shape of [input, output, output, input, output]) plan.reserve(shape);
    for (const { value } of own) for (let twice = 0; twice < 2; twice++) plan.reserve(value.shape);
    const [x, y, gradOutput, gradInput, mask, ...parameters] = kernels.allocate(plan);
    const named = (odd: number): Record<string, Tensor> =>
      Object.fromEntries(own.map(({ shortName }, i) => [shortName, parameters[2 * i + odd]]));
    const drawn = pass.drawn[layer];
    // What the layer drew for the batch, again and again as its rows are.
    if (drawn) for (let i = 0; i < mask.data.length; i++) mask.data[i] = drawn.data[i % drawn.data.length];
    this.context = {
      kernels, options: model.options, parameters: named(0), buffers, training: pass.training,
      input: x, output: y, drawn: drawn && mask, workspace: network.workspaces[layer], gradOutput, gradInput, gradParameters: named(1),
    };
    own.forEach(({ value }, i) => parameters[2 * i].data.set(value.data));
    this.#values = new Map(own.map(({ shortName, value }) => [shortName, Float64Array.from(value.data)]));
    this.#penalties = new Map(own.map((parameter) => [parameter.shortName, penaltyOf(network.model, parameter)]));
    this.#defaults = defaultsOf(model);
    const normal = (n: number): Float64Array => Float64Array.from({ length: n }, () => random.normal(0, 1));
    const batch = pass.inputOf(layer).data;
    this.#input = Float64Array.from(x.data, (_, i) => batch[i % batch.length]);
    // Rows that come twice would hide which one was taken.
    const copies = this.#input.slice();
    for (let i = batch.length; i < this.#input.length; i++) this.#input[i] *= random.uniform(0.8, 1.2);
    // A layer of the user's own may not take them.
    this.#load(this.#input);
    if (outputOf(this.context, this.definition).some(Number.isNaN)) this.#input.set(copies);
    this.#upstream = normal(sizeOf(output));
    this.#before = { upstream: normal(sizeOf(output)), input: this.#input.map((value) => value * random.uniform(0.5, 1.5)) };
    this.#otherInput = this.#input.map((value) => value * random.uniform(0.5, 1.5));
    this.#dimensions = [
      { name: 'samples in the batch', size: pass.batch, tried: samples },
      { name: outputs, size: sizeOf(model.outputShape) },
      { name: 'inputs', size: sizeOf(model.inputShape) },
    ];
    // The call before comes first, and numeric values last: a layer may keep what it saw.
    this.#run(this.#before.input, this.#before.upstream);
    this.#gradients = this.#run(this.#input, this.#upstream, true);
    this.#output = Float64Array.from(y.data);
  }

  /** What the layer makes of the gradient of one tensor: `input`, or a parameter by its short name. */
  trial(tensor: string): Trial {
    const trial = this.#trials.get(tensor) ?? this.#try(tensor);
    this.#trials.set(tensor, trial);
    return trial;
  }

  /** `input`, and the parameters by their short names. */
  get tensors(): readonly string[] {
    return [...this.#values.keys(), 'input'];
  }

  #try(tensor: string): Trial {
    const analytic = this.#gradients.get(tensor) ?? new Float64Array(0);
    const numeric = this.#numeric(tensor, {});
    const layer: LayerTrial = {
      kind: this.definition.kind,
      called: this.#called,
      samples: this.samples,
      upstream: this.#upstream,
      inputShape: this.context.input.shape,
      outputShape: this.context.output.shape,
      options: this.context.options,
      parameters: this.#values,
      buffers: new Map(Object.entries(this.context.buffers).map(([name, { data }]) => [name, Float64Array.from(data)])),
      input: this.#input,
      output: this.#output,
      before: this.#before,
      elementwise: () => this.#isElementwise(),
      repeated: () => [this.#more.once.get(tensor) ?? analytic, this.#more.twice.get(tensor) ?? analytic],
      defaults: this.#defaults,
      deaf: () => this.#deaf(tensor, analytic, numeric),
      numericWith: (change) => (this.#fits(change) ? this.#numeric(tensor, change) : null),
      through: (values) => this.#through(values),
      diagonal: () => this.#diagonal(),
      entryOf: () => this.#entryOf(tensor),
      slopes: () => this.#slopes(MOST_SLOPES_FORWARD),
      jacobians: () => this.#jacobians(analytic, numeric),
    };
    return {
      of: tensor === 'input' ? 'input' : 'parameter',
      tensor, analytic, numeric, layer, loss: null, stride: this.#strideOf(tensor),
      noise: roundOffIn(largest(this.#output), STEP) * this.#upstream.reduce((sum, each) => sum + Math.abs(each), 0),
      penalty: this.#penalties.get(tensor) ?? null,
      shape: this.#tensor(tensor).shape,
      value: tensor === 'input' ? this.#input : (this.#values.get(tensor) ?? new Float64Array(0)),
      dimensions: this.#dimensions,
    };
  }

  get #more(): MoreCalls {
    this.#calls ??= {
      withOther: this.#run(this.#otherInput, this.#upstream),
      withBefore: this.#run(this.#input, this.#before.upstream).get('input') ?? new Float64Array(0),
      once: this.#run(this.#input, this.#upstream),
      twice: this.#run(this.#input, this.#upstream),
    };
    return this.#calls;
  }

  #strideOf(tensor: string): number {
    if (this.#reach) return 1;
    const moves = Math.min(MOST_MOVES, Math.max(100, MOST_WRITTEN / this.context.output.data.length));
    return Math.ceil(this.#tensor(tensor).data.length / moves);
  }

  /** The same gradients by autograd, of the input and of each parameter; null where it cannot follow the layer. */
  autograd(): ReadonlyMap<string, Float64Array> | null {
    const { context, definition } = this;
    this.#load(this.#input);
    context.gradOutput.data.set(this.#upstream);
    for (const { data } of Object.values(context.gradParameters)) data.fill(0);
    definition.forward(context);
    if (!definition.autograd?.(context)) return null;
    const own = Object.entries(context.gradParameters).map(([name, { data }]) => [name, Float64Array.from(data)] as const);
    return new Map([['input', Float64Array.from(context.gradInput?.data ?? [])], ...own]);
  }

  #isElementwise(): boolean {
    const given = this.#gradients.get('input') ?? [];
    if (given.length !== this.#upstream.length) return false;
    return this.#more.withBefore.every((value, i) => Math.abs(value / this.#before.upstream[i] - given[i] / this.#upstream[i]) < 1e-9);
  }

  #tensor(name: string): Tensor {
    return name === 'input' ? this.context.input : this.context.parameters[name];
  }

  #load(input: Float64Array): void {
    this.context.input.data.set(input);
    for (const [name, value] of this.#values) this.context.parameters[name].data.set(value);
  }

  /** Forward and backward; notes what they write to and must not. */
  #run(input: Float64Array, upstream: Float64Array, watched = false): Map<string, Float64Array> {
    const { context } = this;
    this.#load(input);
    context.gradOutput.data.set(upstream);
    context.gradInput?.data.fill(0);
    for (const { data } of Object.values(context.gradParameters)) data.fill(0);
    const watch = (by: 'forward' | 'backward', tensors: readonly (readonly [string, Tensor])[], work: () => void): void => {
      const before = tensors.map(([, { data }]) => data.slice());
      work();
      if (!watched) return;
      tensors.forEach(([tensor, { data }], i) => {
        if (data.some((value, at) => !Object.is(value, before[i][at]))) this.mutated.push({ by, tensor });
      });
    };
    const own = Object.entries(context.parameters);
    watch('forward', [['input', context.input], ...own], () => this.definition.forward(context));
    const given = [['input', context.input], ['output', context.output], ['upstream gradient', context.gradOutput], ...own] as const;
    watch('backward', given, () => this.definition.backward(context));
    const results = new Map(Object.entries(context.gradParameters).map(([name, { data }]) => [name, Float64Array.from(data)]));
    return results.set('input', Float64Array.from(context.gradInput?.data ?? []));
  }

  /** dS/d tensor by central differences, where S is the sum of output times upstream gradient. */
  #numeric(name: string, { upstream = this.#upstream, input = this.#input, options, parameters }: Change): Float64Array {
    this.#load(input);
    for (const [each, values] of parameters ?? []) this.context.parameters[each].data.set(values);
    const context = options === undefined ? this.context : { ...this.context, options };
    const tensor = this.#tensor(name);
    const result = new Float64Array(tensor.data.length).fill(NaN);
    const reach = this.#reach;
    const rows = this.samples;
    const width = this.context.output.data.length / rows;
    const inputs = this.context.input.data.length / rows;
    if (reach === 'weighted_sum' && (name === 'input' || name === 'weight')) {
      const slice = this.#slice(width);
      for (let i = 0; i < inputs; i++) {
        slice.load(i);
        const moved = name === 'input' ? slice.context.input : slice.context.parameters.weight;
        const count = name === 'input' ? rows : width;
        const out = slopes(slice.context, this.definition, moved, Array.from({ length: count }, (_, k) => k));
        for (let k = 0; k < count; k++) result[k * inputs + i] = shareOf(out, upstream, width, name === 'input' ? { row: k } : { column: k });
      }
      return result;
    }
    const all = Array.from(tensor.data, (_, i) => i);
    if (reach !== undefined) {
      const groups = name === 'input' ? Array.from({ length: rows }, (_, row) => all.slice(row * width, (row + 1) * width)) : [all];
      for (const group of groups) {
        const out = slopes(context, this.definition, tensor, group);
        group.forEach((entry, column) => (result[entry] = shareOf(out, upstream, width, { column })));
      }
      return result;
    }
    // As the layer is, but for what comes from above: such questions are many, and have the same slopes.
    const isOwn = input === this.#input && options === undefined && parameters === undefined;
    const before = isOwn ? this.#slopesOf.get(name) : undefined;
    if (before?.isWhole) return before.into(result, upstream);
    const kept = new KeptSlopes();
    const chosen = all.filter((i) => i % this.#strideOf(name) === 0);
    const here = outputOf(context, this.definition);
    if (name === 'input' && (this.#apart ??= rowsApart(context, this.definition))) {
      // One number of each sample at a time.
      const ofRow = Array.from({ length: rows }, (_, row) => chosen.filter((i) => Math.floor(i / inputs) === row));
      for (let k = 0; k < Math.max(...ofRow.map(({ length }) => length)); k++) {
        const group = ofRow.flatMap((own, row) => (k < own.length ? [{ row, entry: own[k] }] : []));
        const out = slopes(context, this.definition, tensor, group.map(({ entry }) => entry), here);
        for (const { row, entry } of group) {
          result[entry] = shareOf(out, upstream, width, { row });
          if (isOwn) kept.add(entry, out, row * width, (row + 1) * width);
        }
      }
    } else {
      for (const i of chosen) {
        const out = slopes(context, this.definition, tensor, [i], here);
        result[i] = shareOf(out, upstream, width, {});
        if (isOwn) kept.add(i, out);
      }
    }
    if (isOwn) this.#slopesOf.set(name, kept);
    return result;
  }

  /** A weighted sum of one input only: what the others add does not change with it. */
  #slice(width: number): { readonly context: ForwardContext<unknown>; load(i: number): void } {
    const { kernels, options, input, parameters, buffers, training, drawn, workspace } = this.context;
    const plan = new MemoryPlan(kernels.precision);
    for (const shape of [[this.samples, 1], [width, 1], [width], [this.samples, width]]) plan.reserve(shape);
    const [x, weight, bias, output] = kernels.allocate(plan);
    const own: Record<string, Tensor> = parameters.bias ? { weight, bias } : { weight };
    const inputs = input.data.length / this.samples;
    return {
      context: { kernels, options, parameters: own, buffers, training, input: x, output, drawn, workspace },
      load(i) {
        for (let row = 0; row < x.data.length; row++) x.data[row] = input.data[row * inputs + i];
        for (let unit = 0; unit < width; unit++) weight.data[unit] = parameters.weight.data[unit * inputs + i];
      },
    };
  }

  #fits({ upstream, input }: Change): boolean {
    const { context } = this;
    return (upstream?.length ?? context.output.data.length) === context.output.data.length
      && (input?.length ?? context.input.data.length) === context.input.data.length;
  }

  #through(values: Float64Array): Float64Array | null {
    const { context, definition } = this;
    if (values.length !== context.input.data.length) return null;
    this.#load(new Float64Array(values.length));
    definition.forward(context);
    const zero = Float64Array.from(context.output.data);
    this.#load(values);
    definition.forward(context);
    return Float64Array.from(context.output.data, (value, i) => value - zero[i]);
  }

  #diagonal(): Float64Array {
    this.#load(this.#input);
    const { input, output } = this.context;
    const n = Math.min(input.data.length, output.data.length, MOST_MOVES);
    return Float64Array.from({ length: n }, (_, i) => slopes(this.context, this.definition, input, [i])[i]);
  }

  #slopes(most: number): Slopes | null {
    const { samples, context, definition } = this;
    const [inputs, outputs] = [context.input.data.length / samples, context.output.data.length / samples];
    if (inputs * outputs > most) return null;
    const right = new Float64Array(samples * outputs * inputs);
    this.#load(this.#input);
    for (let i = 0; i < inputs; i++) {
      const out = slopes(context, definition, context.input, Array.from({ length: samples }, (_, row) => row * inputs + i));
      for (let row = 0; row < samples; row++) for (let k = 0; k < outputs; k++) right[(row * outputs + k) * inputs + i] = out[row * outputs + k];
    }
    return { inputs, outputs, right };
  }

  #entryOf(tensor: string): Int32Array | null {
    const { data } = this.#tensor(tensor);
    if (tensor === 'input' || data.length > MOST_ENTRIES) return null;
    this.#load(this.#input);
    const { output } = this.context;
    const entries = new Int32Array(output.data.length).fill(-1);
    this.definition.forward(this.context);
    const here = output.data.slice();
    for (let entry = 0; entry < data.length; entry++) {
      const start = data[entry];
      data[entry] = start + 1;
      this.definition.forward(this.context);
      data[entry] = start;
      for (let i = 0; i < here.length; i++) {
        if (output.data[i] === here[i]) continue;
        if (entries[i] >= 0) return null;
        entries[i] = entry;
      }
    }
    return entries;
  }

  #jacobians(analytic: Float64Array, numeric: Float64Array): Jacobians | null {
    const slopesForward = this.#slopes(MOST_SLOPES);
    if (!slopesForward) return null;
    const { samples } = this;
    const { inputs, outputs, right } = slopesForward;
    const given = new Float64Array(right.length);
    for (let k = 0; k < outputs; k++) {
      const handed = this.#run(this.#input, this.#upstream.map((_, i) => (i % outputs === k ? 1 : 0))).get('input') ?? [];
      for (let row = 0; row < samples; row++) for (let i = 0; i < inputs; i++) given[(row * outputs + k) * inputs + i] = handed[row * inputs + i];
    }
    const fits = (slopesOf: Float64Array, gradient: Float64Array): boolean => {
      const slack = 1e-6 * largest(gradient);
      return gradient.every((value, at) => {
        const [row, i] = [Math.floor(at / inputs), at % inputs];
        let sum = 0;
        for (let k = 0; k < outputs; k++) sum += this.#upstream[row * outputs + k] * slopesOf[(row * outputs + k) * inputs + i];
        return Number.isNaN(value) || Number.isNaN(sum) || Math.abs(sum - value) <= slack;
      });
    };
    return fits(given, analytic) && fits(right, numeric) ? { outputs, inputs, given, right } : null;
  }

  /** Backward gives the same for another input, though the right gradient is another one. */
  #deaf(tensor: string, analytic: Float64Array, numeric: Float64Array): boolean {
    const other = this.#more.withOther.get(tensor);
    if (!other || analytic.some((value, i) => Math.abs(value - other[i]) > 1e-12 * Math.abs(value))) return false;
    const right = this.#numeric(tensor, { input: this.#otherInput });
    return numeric.some((value, i) => Math.abs(value - right[i]) > 1e-3 * Math.abs(value));
  }
}
