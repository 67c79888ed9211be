// Wraps a custom loss or penalty: a function of named tensors that returns one number. It works on copies, so that it
// cannot change the run, and its results are validated before they are used. NaN and infinity are passed on, as by
// losses of the engine: a run that diverges ends in them.
import type { SourceLocation } from '../../protocol/problem';
import { createOps } from '../autograd/create-ops';
import { isTensor } from '../autograd/operation';
import { Tape } from '../autograd/tape';
import type { Tensor, TensorData } from '../kernels/tensor';
import type { OperationGraph } from '../layers/layer';
import type { Ops } from './contract';
import { type CustomCode, cloneTensors, deepFreeze, type Tensors } from './custom-code';
import { readGradients, readTensor } from './foreign-value';
import { type ContractViolation, equalValues } from './validation';

/** The tensors of a call, by the names that messages give them. */
export interface FunctionArguments {
  /** What it is differentiated by. */
  readonly variables: Tensors;
  readonly constants: Tensors;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Gradients by the name of the variable. */
export type FunctionGradients = Readonly<Record<string, TensorData>>;

export interface CustomFunction {
  readonly sourceLocations: { readonly forward: SourceLocation; readonly backward: SourceLocation | null };
  value(call: FunctionArguments): number;
  gradients(call: FunctionArguments): FunctionGradients;
  /** For a manual backward: the gradients by autograd; null if the function is not differentiable. */
  readonly autograd?: (call: FunctionArguments) => FunctionGradients | null;
  /** The side of each kink of its operations on which it computes. */
  kinkSides(call: FunctionArguments): Int8Array;
  /** The recorded operations; null if there are none. */
  operationGraph(call: FunctionArguments): OperationGraph | null;
}

/** What distinguishes a loss from a penalty. */
export interface FunctionRole {
  /** `loss`. */
  readonly noun: string;
  /** The tensors as the functions get them. */
  toCall(variables: Tensors, constants: Tensors): Readonly<Record<string, unknown>>;
  /** What is wrong with a result of `forward` that is not one number. */
  checkValue(value: unknown, variables: Tensors): ContractViolation;
  /** The gradients in the result of `backward`, by variable, or what is wrong with it. */
  parseGradients(returned: unknown, variables: Tensors): Tensors | ContractViolation;
}

interface ExportedFunction {
  forward(call: object): unknown;
  backward?(call: object): unknown;
}

/** A completed forward pass, with the copies that it used. */
interface RecordedForward {
  readonly tape: Tape;
  readonly variables: Tensors;
  readonly constants: Tensors;
  /** Null for a plain number. */
  readonly y: Tensor | null;
  readonly value: number;
}

export const isViolation = (value: object): value is ContractViolation =>
  'message' in value && typeof value.message === 'string';

/** @param code whose export is validated */
export function createCustomFunction(code: CustomCode, exported: ExportedFunction, role: FunctionRole): CustomFunction {
  return new FunctionRunner(code, exported, role).definition;
}

class FunctionRunner {
  readonly definition: CustomFunction;
  readonly #code: CustomCode;
  readonly #exported: ExportedFunction;
  readonly #role: FunctionRole;
  readonly #tapeHolder: { tape: Tape } = { tape: new Tape(new Float64Array(0)) };
  readonly #ops: Ops = createOps(this.#tapeHolder);
  /** A backward pass mostly follows a forward pass with the same numbers. */
  #latest: RecordedForward | null = null;

  constructor(code: CustomCode, exported: ExportedFunction, role: FunctionRole) {
    this.#code = code;
    this.#exported = exported;
    this.#role = role;
    const { module } = code;
    const { backward } = exported;
    this.definition = {
      sourceLocations: {
        forward: module.locate(exported.forward),
        backward: backward ? module.locate(backward) : null,
      },
      value: (call) => this.#forward(call).value,
      gradients: (call) => (backward ? this.#manualBackward(call) : this.#autogradBackward(call)),
      kinkSides: (call) => this.#forward(call).tape.kinkSides(),
      operationGraph: (call) => this.#operationGraph(call),
      ...(backward && {
        autograd: (call: FunctionArguments) =>
          this.#isDifferentiable(this.#recordedForward(call)) ? this.#autogradBackward(call) : null,
      }),
    };
  }

  #forward({ variables: given, constants: fixed, options }: FunctionArguments, recordsCalls = false): RecordedForward {
    const variables = cloneTensors(given);
    const constants = cloneTensors(fixed);
    const first = Object.values(variables)[0]?.data ?? new Float64Array(0);
    const tape = new Tape(first, recordsCalls);
    for (const tensor of Object.values(variables)) tape.watch(tensor);
    this.#tapeHolder.tape = tape;
    const call = { ...this.#role.toCall(variables, constants), options: deepFreeze(options), ops: this.#ops };
    const [returned, result] = this.#code.observe('forward', () => {
      const value = this.#code.call(this.#exported.forward, call);
      return [value, readTensor(value)] as const;
    });
    this.#requireUnmodified('forward', { variables, constants }, { variables: given, constants: fixed });
    // The tape knows the tensor that was returned, and not a copy.
    const y = !isTensor(result) ? null : tape.isTracked(returned as Tensor) ? (returned as Tensor) : result;
    const value =
      typeof result === 'number' ? result : isTensor(result) && result.data.length === 1 ? result.data[0]! : undefined;
    if (value === undefined) throw this.#code.violationError('forward', this.#role.checkValue(result, variables));
    const recording: RecordedForward = { tape, variables, constants, y, value };
    if (!this.#exported.backward && !this.#isDifferentiable(recording)) {
      throw this.#code.createError(
        'forward',
        y
          ? 'does not compute its result with ops, so autograd cannot differentiate it'
          : `returned a plain number, which autograd cannot differentiate`,
        'Use the operations in "ops" up to the result, such as ops.mean, or write "backward" as well.',
      );
    }
    this.#latest = recording;
    return recording;
  }

  #isDifferentiable({ tape, y }: RecordedForward): boolean {
    return y !== null && tape.isTracked(y);
  }

  /** The forward pass of a backward pass: the latest one if it used the same numbers, otherwise a new one. */
  #recordedForward(call: FunctionArguments): RecordedForward {
    const latest = this.#latest;
    const isSame = (own: Tensors, other: Tensors): boolean =>
      Object.entries(other).every(([name, { data }]) => own[name] && equalValues(own[name].data, data));
    return latest && isSame(latest.variables, call.variables) && isSame(latest.constants, call.constants)
      ? latest
      : this.#forward(call);
  }

  #operationGraph(call: FunctionArguments): OperationGraph | null {
    const { tape, variables, y } = this.#forward(call, true);
    if (!y || !tape.isTracked(y)) return null;
    const { outputs, ...parameters } = variables;
    return {
      nodes: tape.nodes,
      // A penalty has none.
      input: outputs ?? { shape: [0], data: new Float64Array(0) },
      parameters,
      output: y,
      locate: ({ call: from }) => (from ? this.#code.module.locate(from) : null),
    };
  }

  #autogradBackward(call: FunctionArguments): FunctionGradients {
    const { tape, variables, y } = this.#recordedForward(call);
    const names = Object.keys(variables);
    const tensors = Object.values(variables);
    const gradients = y ? tape.gradients(y, y.data.slice().fill(1), tensors) : [];
    return Object.fromEntries(names.map((name, i) => [name, gradients[i]!]));
  }

  #manualBackward(call: FunctionArguments): FunctionGradients {
    const { value } = this.#recordedForward(call);
    const variables = cloneTensors(call.variables);
    const constants = cloneTensors(call.constants);
    this.#tapeHolder.tape = new Tape(Object.values(variables)[0]?.data ?? new Float64Array(0));
    const passed = {
      ...this.#role.toCall(variables, constants),
      [this.#role.noun]: value,
      options: deepFreeze(call.options),
      ops: this.#ops,
    };
    const returned = this.#code.observe('backward', () =>
      readGradients(this.#code.call(this.#exported.backward, passed)),
    );
    this.#requireUnmodified('backward', { variables, constants }, call);
    const gradients = this.#role.parseGradients(returned, variables);
    if (isViolation(gradients)) throw this.#code.violationError('backward', gradients);
    return Object.fromEntries(
      Object.entries(variables).map(([name, { data }]) => [name, gradients[name]?.data ?? data.slice().fill(0)]),
    );
  }

  #requireUnmodified(
    call: 'forward' | 'backward',
    copies: Pick<FunctionArguments, 'variables' | 'constants'>,
    originals: Pick<FunctionArguments, 'variables' | 'constants'>,
  ): void {
    for (const kind of ['variables', 'constants'] as const)
      this.#code.requireUnmodified(
        call,
        Object.fromEntries(
          Object.entries(copies[kind]).map(([name, copy]) => [name, [copy, originals[kind][name]!] as const]),
        ),
      );
  }
}
