// What recurrent layers have in common. A cell computes one time step from sums that are computed here: of the inputs
// for all time steps at once, and of the previous hidden state for each. A layer has one pass for each of its stacked
// layers and directions; each has its own parameters, in PyTorch's names and layout: the rows of weight_ih_l0
// [gates · hidden, inputs] and weight_hh_l0 [gates · hidden, hidden] are those of one gate after the other.
import * as z from 'zod/mini';
import { isOrAre, pluralize } from '../format-count';
import type { InitializerOptions } from '../initializers';
import { BIAS_INIT_ALIASES, initializerOption, WEIGHT_INIT_ALIASES } from '../initializers/initializer-option';
import type { Kernels } from '../kernels/kernels';
import type { Shape, Shape3, Tensor } from '../kernels/tensor';
import { alias, positiveInteger } from '../option-schemas';
import type { Random } from '../random';
import type {
  BackwardContext,
  ForwardContext,
  InputMismatch,
  InternalDeclaration,
  LayerDefinition,
  Modes,
  ParameterDeclaration,
} from './layer';
import { fillIndexGradient, type Padding, paddingOf, paddingOption } from './padding';
import {
  featuresOf,
  held,
  initial,
  inputsName,
  passesOf,
  type RecurrentPass,
  type Steps,
  stepsOfPass,
} from './recurrent-passes';
import { allTimeSteps, gateBlocks, timeSteps, withoutFirst, withoutLast } from './time-steps';

const matrix = z.array(z.array(z.number()).check(z.minLength(1))).check(z.minLength(1));
const vector = z.array(z.number()).check(z.minLength(1));
const EACH = ' Of several layers or directions, a list in the order of PyTorch: l0, l0_reverse, l1, …';
const exactWeights = (description: string) =>
  z.optional(z.union([matrix, z.array(matrix).check(z.minLength(1))]).check(z.describe(description + EACH)));
const exactBias = (description: string) =>
  z.optional(z.union([vector, z.array(vector).check(z.minLength(1))]).check(z.describe(description + EACH)));

const MAX_LAYERS = 64;

const UNIFORM = 'By default uniform in ±1/√hidden_size, as in PyTorch.';

/** @param gates in order; empty for a cell without */
export const recurrentOptions = (gates: readonly string[]) => {
  const rows = gates.length === 0 ? 'hidden_size' : `${gates.length} · hidden_size`;
  const blocks = gates.length === 0 ? '' : ` The gates in order: ${gates.join(', ')}.`;
  return {
    hidden_size: positiveInteger('Number of units in the hidden state.').check(
      alias('units', 'hidden', 'hidden_dim', 'num_hidden', 'size', 'out_features', 'neurons'),
    ),
    input_size: z.optional(
      positiveInteger('Features at each time step. By default, those of the previous layer.').check(
        alias('in_features', 'input_dim', 'features'),
      ),
    ),
    num_layers: z._default(
      z
        .int()
        .check(
          z.gte(1),
          z.lte(MAX_LAYERS),
          z.describe('Stacked layers. Each takes the hidden states of the one below it at all time steps.'),
          alias('n_layers', 'depth'),
        ),
      1,
    ),
    bidirectional: z._default(
      z
        .boolean()
        .check(
          z.describe(
            'Whether each stacked layer also reads the sequence backward, with parameters of its own. ' +
              'The states of both directions are joined: 2 · hidden_size.',
          ),
          alias('bidirection', 'both_directions'),
        ),
      false,
    ),
    dropout: z._default(
      z
        .number()
        .check(
          z.gte(0),
          z.lt(1),
          z.describe('In training, the probability that a value between two stacked layers is set to 0.'),
          alias('dropout_rate', 'p'),
        ),
      0,
    ),
    return: z._default(
      z
        .enum(['last', 'all'])
        .check(
          z.describe(
            'The output of the last stacked layer: its hidden state after the last time step, or those after all of them. ' +
              'Of a direction that reads backward, the last state is the one at the first time step, as in `h_n`.',
          ),
          alias('return_sequences', 'return_state', 'output'),
        ),
      'last',
    ),
    padding_idx: paddingOption(
      'the state stays as it was, so that the last one is that of the last real time step, and outputs at them are 0, ' +
        'as with `pack_padded_sequence`.',
    ),
    bias: z._default(
      z.boolean().check(z.describe('Whether to add `bias_ih` and `bias_hh`.'), alias('use_bias', 'biases')),
      true,
    ),
    weight_ih: exactWeights(`Exact initial weights of the inputs: ${rows} × input_size, as in PyTorch.${blocks}`),
    weight_hh: exactWeights(`Exact initial weights of the hidden state: ${rows} × hidden_size.`),
    bias_ih: exactBias(`Exact initial biases that are added to the weighted inputs: ${rows}.`),
    bias_hh: exactBias(`Exact initial biases that are added to the weighted hidden state: ${rows}.`),
    init: z.optional(initializerOption(`Initializer of \`weight_ih\`. ${UNIFORM}`, WEIGHT_INIT_ALIASES)),
    recurrent_init: z.optional(
      initializerOption(`Initializer of \`weight_hh\`. ${UNIFORM}`, ['recurrent_initializer', 'hidden_init']),
    ),
    bias_init: z.optional(initializerOption(`Initializer of both biases. ${UNIFORM}`, BIAS_INIT_ALIASES)),
  };
};

type Exact<T> = T | readonly T[];
type Matrix = readonly (readonly number[])[];

export interface RecurrentOptions {
  readonly hidden_size: number;
  readonly input_size?: number | undefined;
  readonly num_layers: number;
  readonly bidirectional: boolean;
  readonly dropout: number;
  readonly return: 'last' | 'all';
  readonly padding_idx?: number | undefined;
  readonly bias: boolean;
  readonly weight_ih?: Exact<Matrix> | undefined;
  readonly weight_hh?: Exact<Matrix> | undefined;
  readonly bias_ih?: Exact<readonly number[]> | undefined;
  readonly bias_hh?: Exact<readonly number[]> | undefined;
  readonly init?: InitializerOptions | undefined;
  readonly recurrent_init?: InitializerOptions | undefined;
  readonly bias_init?: InitializerOptions | undefined;
}

const WEIGHTS = ['weight_ih', 'weight_hh'] as const;
const BIASES = ['bias_ih', 'bias_hh'] as const;

/** Exact values, one for each pass, and the path of each; undefined if none are given. */
function exactValues<T extends Matrix | readonly number[]>(
  given: Exact<T> | undefined,
  depth: number,
): readonly { readonly value: T; readonly path: readonly number[] }[] | undefined {
  if (!given) return undefined;
  let levels = 0;
  for (let inner: unknown = given; Array.isArray(inner); inner = inner[0]) levels++;
  return levels > depth
    ? (given as readonly T[]).map((value, i) => ({ value, path: [i] }))
    : [{ value: given as T, path: [] }];
}

const exactWeightsOf = (layer: RecurrentOptions, name: (typeof WEIGHTS)[number]) => exactValues<Matrix>(layer[name], 2);
const exactBiasesOf = (layer: RecurrentOptions, name: (typeof BIASES)[number]) =>
  exactValues<readonly number[]>(layer[name], 1);

/** Exact initial values that do not have the sizes of the layer, and a dropout that has no place. */
export const checkOptions = (gates: number) =>
  z.superRefine<RecurrentOptions>((layer, context) => {
    const rows = gates * layer.hidden_size;
    const passes = passesOf(layer);
    const fail = (path: (string | number)[], message: string, remedy: string, code = 'shape-mismatch'): void =>
      context.addIssue({ code: 'custom', path, message, params: { code, remedy }, input: layer });
    if (layer.dropout > 0 && layer.num_layers === 1) {
      const remedy = 'Write "num_layers": 2 or more, or add a "dropout" layer after this one.';
      fail(['dropout'], '"dropout" is between stacked layers, but there is only one.', remedy, 'no-effect');
    }
    const expected =
      gates === 1 ? pluralize(rows, 'unit') : `${gates} gates of ${pluralize(layer.hidden_size, 'unit')}`;
    const checkCount = (name: string, count: number): boolean => {
      if (count === passes.length) return true;
      const [are, what] = [isOrAre(count), pluralize(count, 'value')];
      fail(
        [name],
        `There ${are} ${what} of "${name}" for ${pluralize(passes.length, 'pass', 'passes')} of the layer.`,
        `Write a list of one for each: ${passes.map(({ suffix }) => `${name}${suffix}`).join(', ')}.`,
      );
      return false;
    };
    for (const name of WEIGHTS) {
      const all = exactWeightsOf(layer, name);
      if (!all || !checkCount(name, all.length)) continue;
      all.forEach(({ value: given, path }, at) => {
        if (given.length !== rows) {
          fail(
            [name, ...path],
            `There ${isOrAre(given.length)} ${pluralize(given.length, 'row')} of weights for ${expected}.`,
            `Write ${pluralize(rows, 'row')}.`,
          );
        }
        const inputs = passes[at]!.layer > 0 ? featuresOf(layer) : (layer.input_size ?? all[0]!.value[0]!.length);
        const columns = name === 'weight_hh' ? layer.hidden_size : inputs;
        given.forEach((row, i) => {
          if (row.length === columns) return;
          fail(
            [name, ...path, i],
            `Row ${i + 1} of "${name}" has ${pluralize(row.length, 'number')}.`,
            `Write ${pluralize(columns, 'number')} in every row.`,
          );
        });
      });
    }
    for (const name of BIASES) {
      const all = exactBiasesOf(layer, name);
      if (!all) continue;
      if (!layer.bias) {
        fail([name], `"${name}" is given, but "bias" is false.`, 'Omit one of them.');
        continue;
      }
      if (!checkCount(name, all.length)) continue;
      for (const { value: given, path } of all) {
        if (given.length === rows) continue;
        fail(
          [name, ...path],
          `There ${isOrAre(given.length)} ${pluralize(given.length, 'bias', 'biases')} for ${expected}.`,
          `Write ${pluralize(rows, 'bias', 'biases')}.`,
        );
      }
    }
  });

/** One time step of a recurrent layer. */
export interface Cell<Options> {
  /** For each gate, the internal that gets weight_ih x + bias_ih. */
  readonly inputSums: readonly string[];
  /**
   * The same for weight_hh h + bias_hh with the previous hidden state h, which is added if it is the same internal.
   */
  readonly hiddenSums: readonly string[];
  /** What else it computes, besides `hidden_state`; each [time, hidden]. */
  readonly internals: readonly string[];
  /** The same, with no meaning of its own. */
  readonly scratch?: readonly string[];
  /** The state that it carries along besides the hidden one, if there is one. */
  readonly cellState?: string;
  /** Computes `hidden_state` from the sums. @param before the states before this time step: hidden, cell */
  forward(kernels: Kernels, steps: Steps, t: number, before: readonly Tensor[], options: Options): void;
  /**
   * Computes the gradients of all internals of this time step from that of `hidden_state`, and adds to those of the
   * states before what does not flow through the sums.
   */
  backward(
    kernels: Kernels,
    steps: Steps,
    gradients: Steps,
    t: number,
    before: readonly Tensor[],
    gradBefore: readonly Tensor[],
    options: Options,
  ): void;
}

const statesOf = ({ cellState }: Cell<never>): readonly string[] => [
  'hidden_state',
  ...(cellState === undefined ? [] : [cellState]),
];

/** The members of a definition that are the same for all recurrent layers. */
export function recurrentMembers<Options extends RecurrentOptions>(cell: Cell<Options>) {
  const gates = cell.inputSums.length;
  const blocks = gateBlocks(gates);
  const states = statesOf(cell);
  const ownNames = [...(cell.scratch ?? []), ...cell.internals, 'hidden_state'];
  const sharedNames = states.flatMap((state) => [initial(state), held(state)]);
  const stepsOf = (internals: Readonly<Record<string, Tensor>>, pass: RecurrentPass): Steps =>
    stepsOfPass(internals, pass, ownNames, sharedNames);

  /** The states before each time step; cached as arrays by the steps that they are taken from. */
  const beforeCache = new WeakMap<Steps, readonly (readonly Tensor[])[]>();
  const statesBefore = (steps: Steps): readonly (readonly Tensor[])[] => {
    let before = beforeCache.get(steps);
    if (!before) {
      before = steps.hidden_state!.map((_, t) =>
        states.map((state) => (t === 0 ? steps[initial(state)]![0]! : steps[state]![t - 1]!)),
      );
      beforeCache.set(steps, before);
    }
    return before;
  };

  /** y = x for the samples whose time step t is padding. */
  const copyPadded = (kernels: Kernels, y: Tensor, x: Tensor, t: number, { indices, index }: Padding): void =>
    kernels.copyPaddedRows(y, x, indices, t, index);

  /** A copy of x with 0 for the samples whose time step t is padding. */
  function withoutPadded(kernels: Kernels, steps: Steps, x: Tensor, t: number, padding: Padding): Tensor {
    const shown = steps[held('hidden_state')]![0]!;
    kernels.copy(shown, x);
    copyPadded(kernels, shown, steps[initial('hidden_state')]![0]!, t, padding);
    return shown;
  }

  /** At padding, the gradients of the states bypass the cell. @param i the step of the pass that computes t */
  function holdGradients(
    kernels: Kernels,
    steps: Steps,
    gradients: Steps,
    i: number,
    t: number,
    padding: Padding,
  ): void {
    for (const state of states) {
      const [kept, gradient] = [gradients[held(state)]![0]!, gradients[state]![i]!];
      kernels.fill(kept, 0);
      copyPadded(kernels, kept, gradient, t, padding);
      copyPadded(kernels, gradient, steps[initial(state)]![0]!, t, padding);
    }
  }

  function passOnHeld(kernels: Kernels, gradients: Steps, i: number, gradBefore: readonly Tensor[]): void {
    states.forEach((state, k) => {
      const kept = gradients[held(state)]![0]!;
      kernels.axpby(gradBefore[k]!, kept, 1, 1);
      kernels.axpby(gradients[state]![i]!, kept, 1, 1);
    });
  }

  function forward(context: ForwardContext<Options>): void {
    const { kernels, options, input, output, internals } = context;
    const [, time, features] = input.shape as Shape3;
    const size = options.hidden_size;
    const padding = paddingOf(options, context.otherInputs);
    const passes = passesOf(options);
    for (const state of states) kernels.fill(internals[initial(state)]!, 0);
    for (let layer = 0; layer < options.num_layers; layer++) {
      const inputs = timeSteps(internals[inputsName(layer)]!);
      for (let t = 0; t < time && layer === 0; t++) kernels.copyColumns(inputs[t]!, 0, input, t * features, features);
      for (const pass of passes) {
        if (pass.layer !== layer - 1) continue;
        const below = timeSteps(internals[`hidden_state${pass.internalSuffix}`]!);
        for (let t = 0; t < time; t++) kernels.copyColumns(inputs[t]!, pass.direction * size, below[t]!, 0, size);
      }
      if (layer > 0) dropOut(context, inputs, layer);
      for (const pass of passes) if (pass.layer === layer) forwardPass(context, pass, padding);
    }
    for (const pass of passes) {
      if (pass.layer !== options.num_layers - 1) continue;
      const steps = stepsOf(internals, pass);
      const { hidden_state: hidden } = steps;
      const from = pass.direction * size;
      if (options.return === 'last') {
        kernels.copyColumns(output, from, hidden![time - 1]!, 0, size);
        continue;
      }
      for (let i = 0; i < time; i++) {
        const t = pass.reverse ? time - 1 - i : i;
        const shown = padding ? withoutPadded(kernels, steps, hidden![i]!, t, padding) : hidden![i]!;
        kernels.copyColumns(output, t * featuresOf(options) + from, shown, 0, size);
      }
    }
  }

  /** What passes between two stacked layers, or its gradient. */
  function dropOut(
    { kernels, options, mask, internals }: ForwardContext<Options>,
    values: readonly Tensor[],
    layer: number,
  ): void {
    if (!mask) return;
    const width = featuresOf(options);
    const [kept] = timeSteps(internals.kept!);
    values.forEach((value, t) => {
      kernels.copyColumns(kept!, 0, mask, ((layer - 1) * values.length + t) * width, width);
      kernels.multiply(value, value, kept!);
    });
  }

  function forwardPass(
    { kernels, options, parameters, internals }: ForwardContext<Options>,
    pass: RecurrentPass,
    padding: Padding | null,
  ): void {
    const { suffix, internalSuffix } = pass;
    const steps = stepsOf(internals, pass);
    const [bias_ih, bias_hh] = [parameters[`bias_ih${suffix}`], parameters[`bias_hh${suffix}`]];
    const inputWeights = blocks(parameters[`weight_ih${suffix}`]!);
    const hiddenWeights = blocks(parameters[`weight_hh${suffix}`]!);
    const [inputBiases, hiddenBiases] = [bias_ih && blocks(bias_ih), bias_hh && blocks(bias_hh)];
    const inputs = allTimeSteps(internals[inputsName(pass.layer)]!);
    cell.inputSums.forEach((name, gate) => {
      const sums = allTimeSteps(internals[name + internalSuffix]!);
      kernels.linear(sums, inputs, inputWeights[gate]!, inputBiases?.[gate] ?? null);
      if (hiddenBiases && cell.hiddenSums[gate] === name) kernels.addRow(sums, hiddenBiases[gate]!);
    });
    const before = statesBefore(steps);
    const time = before.length;
    for (let i = 0; i < time; i++) {
      const hidden = before[i]![0]!;
      for (let gate = 0; gate < gates; gate++) {
        const name = cell.hiddenSums[gate]!;
        const sum = steps[name]![i]!;
        if (name === cell.inputSums[gate]) kernels.matmulTransposedB(sum, hidden, hiddenWeights[gate]!, true);
        else kernels.linear(sum, hidden, hiddenWeights[gate]!, hiddenBiases?.[gate] ?? null);
      }
      cell.forward(kernels, steps, i, before[i]!, options);
      if (!padding) continue;
      const t = pass.reverse ? time - 1 - i : i;
      states.forEach((state, k) => copyPadded(kernels, steps[state]![i]!, before[i]![k]!, t, padding));
    }
  }

  function backward(context: BackwardContext<Options>): void {
    const { kernels, options, parameters, input, gradInternals, gradInput } = context;
    const padding = paddingOf(options, context.otherInputs);
    const [, time, features] = input.shape as Shape3;
    const passes = passesOf(options);
    for (const state of states) kernels.fill(gradInternals[initial(state)]!, 0);
    for (let layer = options.num_layers - 1; layer >= 0; layer--) {
      for (const pass of passes) if (pass.layer === layer) backwardPass(context, pass, padding);
      if (layer === 0 && !gradInput) break;
      const gradInputs = gradInternals[inputsName(layer)]!;
      let adds = false;
      for (const { suffix, internalSuffix, layer: own } of passes) {
        if (own !== layer) continue;
        const weights = blocks(parameters[`weight_ih${suffix}`]!);
        cell.inputSums.forEach((name, gate) => {
          const sums = allTimeSteps(gradInternals[name + internalSuffix]!);
          kernels.matmul(allTimeSteps(gradInputs), sums, weights[gate]!, adds);
          adds = true;
        });
      }
      const steps = timeSteps(gradInputs);
      if (layer > 0) dropOut(context, steps, layer);
      else for (let t = 0; t < time; t++) kernels.copyColumns(gradInput!, t * features, steps[t]!, 0, features);
    }
    fillIndexGradient(context);
  }

  function backwardPass(context: BackwardContext<Options>, pass: RecurrentPass, padding: Padding | null): void {
    const { kernels, options, parameters, internals, gradInternals } = context;
    const [steps, gradients] = [stepsOf(internals, pass), stepsOf(gradInternals, pass)];
    for (const state of states) kernels.fill(gradInternals[state + pass.internalSuffix]!, 0);
    const gradHidden = gradients.hidden_state!;
    const time = gradHidden.length;
    const isTop = pass.layer === options.num_layers - 1;
    const from = pass.direction * options.hidden_size;
    if (isTop && options.return === 'last')
      kernels.copyColumns(gradHidden[time - 1]!, 0, context.gradOutput, from, options.hidden_size);
    else {
      const above = isTop ? null : timeSteps(gradInternals[inputsName(pass.layer + 1)]!);
      for (let i = 0; i < time; i++) {
        const t = pass.reverse ? time - 1 - i : i;
        const [gradient, column] = above ? [above[t]!, from] : [context.gradOutput, t * featuresOf(options) + from];
        kernels.copyColumns(gradHidden[i]!, 0, gradient, column, options.hidden_size);
        if (padding) copyPadded(kernels, gradHidden[i]!, steps[initial('hidden_state')]![0]!, t, padding);
      }
    }
    const hiddenWeights = blocks(parameters[`weight_hh${pass.suffix}`]!);
    const [before, gradBefore] = [statesBefore(steps), statesBefore(gradients)];
    for (let i = time - 1; i >= 0; i--) {
      if (padding) holdGradients(kernels, steps, gradients, i, pass.reverse ? time - 1 - i : i, padding);
      cell.backward(kernels, steps, gradients, i, before[i]!, gradBefore[i]!, options);
      if (padding) passOnHeld(kernels, gradients, i, gradBefore[i]!);
      const gradPrevious = gradBefore[i]![0]!;
      for (let gate = 0; gate < gates; gate++)
        kernels.matmul(gradPrevious, gradients[cell.hiddenSums[gate]!]![i]!, hiddenWeights[gate]!, true);
    }
    addParameterGradients(context, pass);
  }

  /** A parameter is used at every time step: its gradient is the sum over all of them. */
  function addParameterGradients(
    { kernels, internals, gradInternals, gradParameters }: BackwardContext<Options>,
    { layer, reverse, suffix, internalSuffix }: RecurrentPass,
  ): void {
    const [weight_ih, weight_hh] = [gradParameters[`weight_ih${suffix}`]!, gradParameters[`weight_hh${suffix}`]!];
    const [bias_ih, bias_hh] = [gradParameters[`bias_ih${suffix}`], gradParameters[`bias_hh${suffix}`]];
    const inputs = allTimeSteps(internals[inputsName(layer)]!);
    const hidden = internals[`hidden_state${internalSuffix}`]!;
    // Each time step but the first that is computed has the hidden state of the one before.
    const [later, earlier] = reverse ? [withoutLast, withoutFirst] : [withoutFirst, withoutLast];
    for (let gate = 0; gate < gates; gate++) {
      const ofInputs = gradInternals[cell.inputSums[gate]! + internalSuffix]!;
      const ofHidden = gradInternals[cell.hiddenSums[gate]! + internalSuffix]!;
      kernels.matmulTransposedA(blocks(weight_ih)[gate]!, allTimeSteps(ofInputs), inputs, true);
      if (bias_ih) kernels.accumulateRows(blocks(bias_ih)[gate]!, allTimeSteps(ofInputs));
      // The initial state is 0, so that the first time step adds nothing.
      if (hidden.shape[0]! > 1)
        kernels.matmulTransposedA(blocks(weight_hh)[gate]!, later(ofHidden), earlier(hidden), true);
      if (bias_hh) kernels.accumulateRows(blocks(bias_hh)[gate]!, allTimeSteps(ofHidden));
    }
  }

  return {
    checkInput(input: Shape, layer: Options): InputMismatch | undefined {
      if (input.length !== 2) {
        return {
          requirement: 'needs sequences, time steps × features',
          remedy: 'Use data with sequences, and put this layer before any "flatten".',
        };
      }
      const [, features] = input;
      const size = layer.input_size ?? exactWeightsOf(layer, 'weight_ih')?.[0]!.value[0]!.length;
      if (size === undefined || size === features) return undefined;
      const option = layer.input_size === undefined ? 'weight_ih' : 'input_size';
      return {
        requirement: `expects ${pluralize(size, 'feature')} at each time step`,
        remedy:
          option === 'weight_ih' ? `Write ${features!} weights in each row.` : 'Omit "input_size", or correct it.',
        option,
      };
    },
    positionsAs: 'sequence' as const,
    paddingIndex: ({ padding_idx }: Options) => padding_idx,
    outputShape: ([time]: Shape, layer: Options): Shape =>
      layer.return === 'all' ? [time!, featuresOf(layer)] : [featuresOf(layer)],
    parameters([, features]: Shape, layer: Options): readonly ParameterDeclaration[] {
      const rows = gates * layer.hidden_size;
      const limit = 1 / Math.sqrt(layer.hidden_size);
      return passesOf(layer).flatMap((pass, at) => {
        const declare = (
          option: string,
          shape: Shape,
          values: readonly number[] | undefined,
          initializer: InitializerOptions = { type: 'uniform', a: -limit, b: limit },
        ): ParameterDeclaration => ({
          name: option + pass.suffix,
          option,
          shape,
          init: values ? { values } : { initializer },
        });
        const columns = { weight_ih: pass.layer > 0 ? featuresOf(layer) : features!, weight_hh: layer.hidden_size };
        const initializers = { weight_ih: layer.init, weight_hh: layer.recurrent_init };
        return [
          ...WEIGHTS.map((name) =>
            declare(name, [rows, columns[name]], exactWeightsOf(layer, name)?.[at]!.value.flat(), initializers[name]),
          ),
          ...(layer.bias
            ? BIASES.map((name) => declare(name, [rows], exactBiasesOf(layer, name)?.[at]!.value, layer.bias_init))
            : []),
        ];
      });
    },
    macs: ([time, features]: Shape, _output: Shape, layer: Options): number =>
      passesOf(layer).reduce(
        (sum, pass) =>
          sum +
          time! * gates * layer.hidden_size * ((pass.layer > 0 ? featuresOf(layer) : features!) + layer.hidden_size),
        0,
      ),
    internals([time, features]: Shape, layer: Options): readonly InternalDeclaration[] {
      const { hidden_size, padding_idx, num_layers, dropout } = layer;
      const scratch = { timeFirst: true, scratch: true } as const;
      const passes = passesOf(layer);
      const width = featuresOf(layer);
      return [
        ...states.map((state) => ({ name: initial(state), shape: [1, hidden_size], ...scratch })),
        ...(padding_idx === undefined
          ? []
          : states.map((state) => ({ name: held(state), shape: [1, hidden_size], ...scratch }))),
        ...(dropout > 0 ? [{ name: 'kept', shape: [1, width], ...scratch }] : []),
        ...Array.from({ length: num_layers }, (_, at) => at).flatMap((at) => [
          { name: inputsName(at), shape: [time!, at > 0 ? width : features!], ...scratch },
          ...passes
            .filter((pass) => pass.layer === at)
            .flatMap(({ internalSuffix, reverse }) => [
              ...(cell.scratch ?? []).map((name) => ({
                name: name + internalSuffix,
                shape: [time!, hidden_size],
                ...scratch,
              })),
              ...[...cell.internals, 'hidden_state'].map((name) => ({
                name: name + internalSuffix,
                shape: [time!, hidden_size],
                timeFirst: true as const,
                ...(internalSuffix && { group: internalSuffix.slice(1) }),
                ...(reverse && { reverse: true as const }),
                ...(states.includes(name) && { carried: true as const }),
              })),
            ]),
        ]),
      ];
    },
    maskShape: ([time]: Shape, layer: Options): Shape | null =>
      layer.dropout > 0 ? [layer.num_layers - 1, time!, featuresOf(layer)] : null,
    sampleMask({ data }: Tensor, random: Random, { dropout }: Options): void {
      const scale = 1 / (1 - dropout);
      for (let i = 0; i < data.length; i++) data[i] = random.uniform() < dropout ? 0 : scale;
    },
    modes: ({ dropout }: Options): Modes | undefined =>
      dropout > 0
        ? {
            training: `sets values between its stacked layers to 0 with probability ${dropout} and scales the others by ${Number((1 / (1 - dropout)).toPrecision(4))}`,
            evaluation: 'passes all values on unchanged',
          }
        : undefined,
    forward,
    backward,
  } satisfies Partial<LayerDefinition<string, Options>>;
}
