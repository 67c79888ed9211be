// What recurrent layers have in common. A cell computes one time step from sums that are computed here: of the inputs
// for all time steps at once, and of the previous hidden state for each. Parameters have PyTorch's layout: the rows of
// weight_ih [gates · hidden, inputs] and weight_hh [gates · hidden, hidden] are those of one gate after the other.
import * as z from 'zod/mini';
import { isOrAre, pluralize } from '../format-count';
import type { InitializerOptions } from '../initializers';
import { BIAS_INIT_ALIASES, initializerOption, WEIGHT_INIT_ALIASES } from '../initializers/initializer-option';
import type { FormulaContext, LayerFormulas } from '../formulas/definition';
import type { Kernels } from '../kernels/kernels';
import type { Shape, Shape3, Tensor } from '../kernels/tensor';
import { alias, positiveInteger } from '../option-schemas';
import type {
  BackwardContext,
  ForwardContext,
  InputMismatch,
  InternalDeclaration,
  LayerDefinition,
  ParameterDeclaration,
} from './layer';
import { fillIndexGradient, indexGradientFormulas, type Padding, paddingOf, paddingOption } from './padding';
import { allTimeSteps, gateBlocks, timeStepsByName, withoutFirst, withoutLast } from './time-steps';

const exactWeights = (description: string) =>
  z.optional(z.array(z.array(z.number()).check(z.minLength(1))).check(z.minLength(1), z.describe(description)));
const exactBias = (description: string) => z.optional(z.array(z.number()).check(z.describe(description)));

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
    return: z._default(
      z
        .enum(['last', 'all'])
        .check(
          z.describe('The output: the hidden state after the last time step, or those after all of them.'),
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

export interface RecurrentOptions {
  readonly hidden_size: number;
  readonly input_size?: number | undefined;
  readonly return: 'last' | 'all';
  readonly padding_idx?: number | undefined;
  readonly bias: boolean;
  readonly weight_ih?: number[][] | undefined;
  readonly weight_hh?: number[][] | undefined;
  readonly bias_ih?: number[] | undefined;
  readonly bias_hh?: number[] | undefined;
  readonly init?: InitializerOptions | undefined;
  readonly recurrent_init?: InitializerOptions | undefined;
  readonly bias_init?: InitializerOptions | undefined;
}

/** Exact initial values that do not have the sizes of the layer. */
export const checkExactValues = (gates: number) =>
  z.superRefine<RecurrentOptions>((layer, context) => {
    const rows = gates * layer.hidden_size;
    const fail = (path: (string | number)[], message: string, remedy: string): void =>
      context.addIssue({ code: 'custom', path, message, params: { code: 'shape-mismatch', remedy }, input: layer });
    const expected =
      gates === 1 ? pluralize(rows, 'unit') : `${gates} gates of ${pluralize(layer.hidden_size, 'unit')}`;
    for (const name of ['weight_ih', 'weight_hh'] as const) {
      const given = layer[name];
      if (!given) continue;
      if (given.length !== rows) {
        fail(
          [name],
          `There ${isOrAre(given.length)} ${pluralize(given.length, 'row')} of weights for ${expected}.`,
          `Write ${pluralize(rows, 'row')}.`,
        );
      }
      const columns = name === 'weight_hh' ? layer.hidden_size : (layer.input_size ?? given[0]!.length);
      given.forEach((row, i) => {
        if (row.length === columns) return;
        fail(
          [name, i],
          `Row ${i + 1} of "${name}" has ${pluralize(row.length, 'number')}.`,
          `Write ${pluralize(columns, 'number')} in every row.`,
        );
      });
    }
    for (const name of ['bias_ih', 'bias_hh'] as const) {
      const given = layer[name];
      if (!given) continue;
      if (!layer.bias) fail([name], `"${name}" is given, but "bias" is false.`, 'Omit one of them.');
      else if (given.length !== rows) {
        fail(
          [name],
          `There ${isOrAre(given.length)} ${pluralize(given.length, 'bias', 'biases')} for ${expected}.`,
          `Write ${pluralize(rows, 'bias', 'biases')}.`,
        );
      }
    }
  });

interface RecurrentFormulas {
  /** `d(a)` of the sums of the input, and the same of those of the hidden state where they differ. */
  readonly gradientOfSums: string;
  readonly gradientOfHiddenSums?: string;
  /** The hidden state of a time step. */
  readonly hidden: string;
  /** What it is computed from, each followed by a semicolon. */
  readonly forward: string;
  /** The gradients of the sums. */
  readonly backward: string;
  /** What else the gradient of the hidden state gets from the next time step. */
  readonly carried: string;
}

/** How the formulas of a cell leave out padding. */
export interface PaddingFormulas {
  /** A last factor that is 0 at padding. */
  real(t: string): string;
  /** The state of a time step: a new value, or at padding that of the time step before. */
  state(name: string, value: string): string;
  /** What the gradient of a state gets from the next time step if that is padding; `skips` defines it. */
  skipped(name: string): string;
  skips(name: string): string;
}

function paddingFormulas({ options: { padding_idx }, inputs }: FormulaContext<RecurrentOptions>): PaddingFormulas {
  if (padding_idx === undefined) {
    const nothing = (): string => '';
    return { real: nothing, state: (_name, value) => value, skipped: nothing, skips: nothing };
  }
  const isPadding = (t: string): string => `when(${inputs.at(-1)!}[${t}] == ${padding_idx})`;
  const real = (t: string): string => ` * (1 - ${isPadding(t)})`;
  return {
    real,
    state: (name, value) => `(${value})${real('t')} + ${isPadding('t')} * ${name}[t - 1]`,
    skipped: (name) => ` + skip_${name}[t + 1]`,
    skips: (name) => `; skip_${name}[t] = ${isPadding('t')} * d(${name})[t]`,
  };
}

/** The formulas of a recurrent layer, from those of its cell. */
export function recurrentFormulas(
  context: FormulaContext<RecurrentOptions>,
  formulasOf: (padding: PaddingFormulas) => RecurrentFormulas,
): LayerFormulas {
  const {
    options,
    inputs: names,
    shapes: [input],
  } = context;
  const { bias, return: returned } = options;
  const padding = paddingFormulas(context);
  const {
    gradientOfSums,
    gradientOfHiddenSums = gradientOfSums,
    hidden,
    forward,
    backward,
    carried,
  } = formulasOf(padding);
  const last = input![0]! - 1;
  const [inputs, state] = [
    `weight_ih @ x[t]${bias ? ' + bias_ih' : ''}`,
    `weight_hh @ h[t - 1]${bias ? ' + bias_hh' : ''}`,
  ];
  const sums =
    gradientOfHiddenSums === gradientOfSums ? `a[t] = ${inputs} + ${state}` : `a[t] = ${inputs}; m[t] = ${state}`;
  const cell = `h[t] = ${padding.state('h', hidden)}; ${forward}${sums}`;
  const upstream = returned === 'all' ? `dy[t]${padding.real('t')}` : `when(t == ${last}) * dy`;
  const where = `where ${backward}; d(h)[t] = ${upstream}${carried}${padding.skipped('h')} + T(weight_hh) @ ${gradientOfHiddenSums}[t + 1]${padding.skips('h')}; ${cell}`;
  return {
    equations: [
      returned === 'all' ? `y[t] = h[t]${padding.real('t')} where ${cell}` : `y = h[${last}] where ${cell}`,
      `dx[t] = T(weight_ih) @ ${gradientOfSums}[t] ${where}`,
      ...indexGradientFormulas(options, names),
      `d(weight_ih) = sum(samples, t: outer(${gradientOfSums}[t], x[t])) ${where}`,
      `d(weight_hh) = sum(samples, t: outer(${gradientOfHiddenSums}[t], h[t - 1])) ${where}`,
      `d(bias_ih) = sum(samples, t: ${gradientOfSums}[t]) ${where}`,
      `d(bias_hh) = sum(samples, t: ${gradientOfHiddenSums}[t]) ${where}`,
    ],
  };
}

/** Tensors [batch, hidden] by name and time step. */
export type Steps = Readonly<Record<string, readonly Tensor[]>>;

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

/** The name of the state before the first time step, which is 0. */
const initial = (state: string): string => `initial_${state}`;

/** The name of what goes past a time step that is padding. */
const held = (state: string): string => `held_${state}`;

const statesOf = ({ cellState }: Cell<never>): readonly string[] => [
  'hidden_state',
  ...(cellState === undefined ? [] : [cellState]),
];

/** The members of a definition that are the same for all recurrent layers. */
export function recurrentMembers<Options extends RecurrentOptions>(cell: Cell<Options>) {
  const gates = cell.inputSums.length;
  const blocks = gateBlocks(gates);
  const states = statesOf(cell);

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

  /** At padding, the gradients of the states bypass the cell. */
  function holdGradients(kernels: Kernels, steps: Steps, gradients: Steps, t: number, padding: Padding): void {
    for (const state of states) {
      const [kept, gradient] = [gradients[held(state)]![0]!, gradients[state]![t]!];
      kernels.fill(kept, 0);
      copyPadded(kernels, kept, gradient, t, padding);
      copyPadded(kernels, gradient, steps[initial(state)]![0]!, t, padding);
    }
  }

  function passOnHeld(kernels: Kernels, gradients: Steps, t: number, gradBefore: readonly Tensor[]): void {
    states.forEach((state, i) => {
      const kept = gradients[held(state)]![0]!;
      kernels.axpby(gradBefore[i]!, kept, 1, 1);
      kernels.axpby(gradients[state]![t]!, kept, 1, 1);
    });
  }

  function forward({
    kernels,
    options,
    parameters,
    input,
    otherInputs,
    output,
    internals,
  }: ForwardContext<Options>): void {
    const padding = paddingOf(options, otherInputs);
    const steps = timeStepsByName(internals);
    const [, time, features] = input.shape as Shape3;
    const { weight_ih, weight_hh, bias_ih, bias_hh } = parameters;
    for (const state of states) kernels.fill(internals[initial(state)]!, 0);
    for (let t = 0; t < time; t++) kernels.copyColumns(steps.inputs![t]!, 0, input, t * features, features);
    const [inputWeights, hiddenWeights] = [blocks(weight_ih!), blocks(weight_hh!)];
    const [inputBiases, hiddenBiases] = [bias_ih && blocks(bias_ih), bias_hh && blocks(bias_hh)];
    const inputs = allTimeSteps(internals.inputs!);
    cell.inputSums.forEach((name, gate) => {
      const sums = allTimeSteps(internals[name]!);
      kernels.linear(sums, inputs, inputWeights[gate]!, inputBiases?.[gate] ?? null);
      if (hiddenBiases && cell.hiddenSums[gate] === name) kernels.addRow(sums, hiddenBiases[gate]!);
    });
    const before = statesBefore(steps);
    for (let t = 0; t < time; t++) {
      const hidden = before[t]![0]!;
      for (let gate = 0; gate < gates; gate++) {
        const name = cell.hiddenSums[gate]!;
        const sum = steps[name]![t]!;
        if (name === cell.inputSums[gate]) kernels.matmulTransposedB(sum, hidden, hiddenWeights[gate]!, true);
        else kernels.linear(sum, hidden, hiddenWeights[gate]!, hiddenBiases?.[gate] ?? null);
      }
      cell.forward(kernels, steps, t, before[t]!, options);
      if (padding) states.forEach((state, i) => copyPadded(kernels, steps[state]![t]!, before[t]![i]!, t, padding));
    }
    const { hidden_state: hidden } = steps;
    const size = options.hidden_size;
    if (options.return === 'last') kernels.copy(output, hidden![time - 1]!);
    else
      for (let t = 0; t < time; t++) {
        const shown = padding ? withoutPadded(kernels, steps, hidden![t]!, t, padding) : hidden![t]!;
        kernels.copyColumns(output, t * size, shown, 0, size);
      }
  }

  function backward(context: BackwardContext<Options>): void {
    const { kernels, options, parameters, input, internals, gradInternals, gradInput, gradOutput } = context;
    const padding = paddingOf(options, context.otherInputs);
    const [steps, gradients] = [timeStepsByName(internals), timeStepsByName(gradInternals)];
    const [, time, features] = input.shape as Shape3;
    const size = options.hidden_size;
    for (const state of states) {
      kernels.fill(gradInternals[state]!, 0);
      kernels.fill(gradInternals[initial(state)]!, 0);
    }
    const gradHidden = gradients.hidden_state!;
    if (options.return === 'last') kernels.copy(gradHidden[time - 1]!, gradOutput);
    else
      for (let t = 0; t < time; t++) {
        kernels.copyColumns(gradHidden[t]!, 0, gradOutput, t * size, size);
        if (padding) copyPadded(kernels, gradHidden[t]!, steps[initial('hidden_state')]![0]!, t, padding);
      }
    const hiddenWeights = blocks(parameters.weight_hh!);
    const [before, gradBefore] = [statesBefore(steps), statesBefore(gradients)];
    for (let t = time - 1; t >= 0; t--) {
      if (padding) holdGradients(kernels, steps, gradients, t, padding);
      cell.backward(kernels, steps, gradients, t, before[t]!, gradBefore[t]!, options);
      if (padding) passOnHeld(kernels, gradients, t, gradBefore[t]!);
      const gradPrevious = gradBefore[t]![0]!;
      for (let gate = 0; gate < gates; gate++)
        kernels.matmul(gradPrevious, gradients[cell.hiddenSums[gate]!]![t]!, hiddenWeights[gate]!, true);
    }
    addParameterGradients(context);
    fillIndexGradient(context);
    if (!gradInput) return;
    const weights = blocks(parameters.weight_ih!);
    const gradInputs = allTimeSteps(gradInternals.inputs!);
    cell.inputSums.forEach((name, gate) =>
      kernels.matmul(gradInputs, allTimeSteps(gradInternals[name]!), weights[gate]!, gate > 0),
    );
    for (let t = 0; t < time; t++) kernels.copyColumns(gradInput, t * features, gradients.inputs![t]!, 0, features);
  }

  /** A parameter is used at every time step: its gradient is the sum over all of them. */
  function addParameterGradients({
    kernels,
    internals,
    gradInternals,
    gradParameters,
  }: BackwardContext<Options>): void {
    const { weight_ih, weight_hh, bias_ih, bias_hh } = gradParameters;
    const inputs = allTimeSteps(internals.inputs!);
    const hidden = internals.hidden_state!;
    for (let gate = 0; gate < gates; gate++) {
      const ofInputs = gradInternals[cell.inputSums[gate]!]!;
      const ofHidden = gradInternals[cell.hiddenSums[gate]!]!;
      kernels.matmulTransposedA(blocks(weight_ih!)[gate]!, allTimeSteps(ofInputs), inputs, true);
      if (bias_ih) kernels.accumulateRows(blocks(bias_ih)[gate]!, allTimeSteps(ofInputs));
      // The initial state is 0, so that the first time step adds nothing.
      if (hidden.shape[0]! > 1)
        kernels.matmulTransposedA(blocks(weight_hh!)[gate]!, withoutFirst(ofHidden), withoutLast(hidden), true);
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
      const size = layer.input_size ?? layer.weight_ih?.[0]!.length;
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
    outputShape: ([time]: Shape, { hidden_size, return: returned }: Options): Shape =>
      returned === 'all' ? [time!, hidden_size] : [hidden_size],
    parameters([, features]: Shape, layer: Options): readonly ParameterDeclaration[] {
      const rows = gates * layer.hidden_size;
      const limit = 1 / Math.sqrt(layer.hidden_size);
      const declare = (
        name: string,
        shape: Shape,
        values: readonly number[] | undefined,
        initializer: InitializerOptions = { type: 'uniform', a: -limit, b: limit },
      ): ParameterDeclaration => ({ name, shape, init: values ? { values } : { initializer } });
      return [
        declare('weight_ih', [rows, features!], layer.weight_ih?.flat(), layer.init),
        declare('weight_hh', [rows, layer.hidden_size], layer.weight_hh?.flat(), layer.recurrent_init),
        ...(layer.bias
          ? [
              declare('bias_ih', [rows], layer.bias_ih, layer.bias_init),
              declare('bias_hh', [rows], layer.bias_hh, layer.bias_init),
            ]
          : []),
      ];
    },
    macs: ([time, features]: Shape, _output: Shape, { hidden_size }: Options): number =>
      time! * gates * hidden_size * (features! + hidden_size),
    internals([time, features]: Shape, { hidden_size, padding_idx }: Options): readonly InternalDeclaration[] {
      const shape = [time!, hidden_size];
      const scratch = { timeFirst: true, scratch: true } as const;
      return [
        { name: 'inputs', shape: [time!, features!], ...scratch },
        ...states.map((state) => ({ name: initial(state), shape: [1, hidden_size], ...scratch })),
        ...(padding_idx === undefined
          ? []
          : states.map((state) => ({ name: held(state), shape: [1, hidden_size], ...scratch }))),
        ...(cell.scratch ?? []).map((name) => ({ name, shape, ...scratch })),
        ...[...cell.internals, 'hidden_state'].map((name) => ({
          name,
          shape,
          timeFirst: true as const,
          ...(states.includes(name) && { carried: true as const }),
        })),
      ];
    },
    forward,
    backward,
  } satisfies Partial<LayerDefinition<string, Options>>;
}
