// Calls the functions of a loaded file: of a layer, a loss or a penalty. Whatever they throw, return or change becomes
// an error with its place.
import type { SourceLocation, LayerCall } from '../../protocol/problem';
import type { Tensor } from '../kernels/tensor';
import type { LayerCallObserver, LayerIdentity, LayerModule } from './layer-module';
import { CustomLayerError, describeCall } from './custom-layer-error';
import { describeThrown, describeValue, readThrownError } from './foreign-value';
import { type ContractViolation, equalValues, findNonFinite } from './validation';

export type Tensors = Readonly<Record<string, Tensor>>;

export const cloneTensor = ({ shape, data }: Tensor): Tensor => ({ shape: [...shape], data: data.slice() });

export const cloneTensors = (tensors: Tensors): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, cloneTensor(tensor)]));

export function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}

export class CustomCode {
  /** The members of the exported object that are known, read once: a getter may return something else each time. */
  exported: Readonly<Partial<Record<string, unknown>>> = {};
  #requiresFinite = true;

  constructor(
    readonly identity: LayerIdentity,
    readonly module: LayerModule,
    readonly observer: LayerCallObserver,
  ) {}

  /** Runs one of its functions, and reads what it returned. */
  observe<Result>(call: LayerCall, work: () => Result): Result {
    this.observer.enter(this.identity.index, call);
    try {
      return this.guard(call, work);
    } finally {
      this.observer.leave();
    }
  }

  /** Runs custom code, or reads what is foreign. What it throws becomes an error of the code. */
  guard<Result>(call: LayerCall, work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw this.#errorFromThrown(call, error);
    }
  }

  /** Calls a function of the exported object on it, so that the function can use `this`. */
  call<Args extends readonly unknown[], Result>(
    work: ((...args: Args) => Result) | undefined,
    ...args: Args
  ): Result | undefined {
    return work && Reflect.apply<unknown, Args, Result>(work, this.module.defaultExport, args);
  }

  /** The same function, but it passes on NaN and infinity instead of throwing. */
  allowingNonFinite<Arguments extends readonly unknown[], Result>(
    work: (...all: Arguments) => Result,
  ): (...all: Arguments) => Result {
    return (...all) => {
      this.#requiresFinite = false;
      try {
        return work(...all);
      } finally {
        this.#requiresFinite = true;
      }
    };
  }

  /**
   * The members of the exported object.
   * @param what it should be, such as "a layer"
   * @param remedy how to write one
   * @param functions its optional functions
   * @param others its other members
   */
  validatedExport(
    what: string,
    remedy: string,
    functions: readonly Exclude<LayerCall, 'load'>[],
    others: readonly string[] = [],
  ): object {
    const { defaultExport } = this.module;
    if (typeof defaultExport !== 'object' || defaultExport === null)
      throw this.createError(
        'load',
        defaultExport === undefined
          ? 'has no default export'
          : `exports ${describeValue(defaultExport)} as its default, not ${what}`,
        remedy,
      );
    const members = this.guard('load', () => readMembers(defaultExport, ['forward', ...functions, ...others]));
    if (typeof members.forward !== 'function')
      throw this.createError('load', `exports ${what} without "forward"`, remedy);
    for (const name of functions)
      if (members[name] !== undefined && typeof members[name] !== 'function')
        throw this.createError(
          'load',
          `exports ${what} whose "${name}" is ${describeValue(members[name])}`,
          `Make "${name}" a function, or omit it.`,
        );
    this.exported = members;
    return members;
  }

  requireUnmodified(
    call: LayerCall,
    tensors: Readonly<Record<string, readonly [copy: Tensor, original: Tensor]>>,
  ): void {
    for (const [name, [copy, original]] of Object.entries(tensors)) {
      if (equalValues(copy.data, original.data)) continue;
      throw this.createError(
        call,
        `changed its ${name} in place, although it is still needed`,
        'Write results into a new tensor, such as ops.tensor(x.shape).',
      );
    }
  }

  /** Finite inputs must have finite results; other results are not the fault of the code. */
  requireFinite(call: LayerCall, results: Tensors, inputs: readonly Tensor[]): void {
    if (!this.#requiresFinite) return;
    for (const [name, tensor] of Object.entries(results)) {
      const where = findNonFinite(tensor);
      if (where === null || inputs.some((each) => findNonFinite(each) !== null)) continue;
      const what = name.startsWith('a') || name.startsWith('"') ? name : `a gradient of ${name}`;
      throw this.createError(
        call,
        `returned ${what} with ${where}, although its input was finite`,
        'Keep the computation in range, or lower the learning rate.',
      );
    }
  }

  requireValid(call: LayerCall, violation: ContractViolation | null): void {
    if (violation) throw this.violationError(call, violation);
  }

  violationError(call: LayerCall, { message, remedy }: ContractViolation): CustomLayerError {
    return this.createError(call, message, remedy);
  }

  createError(
    call: LayerCall,
    what: string,
    remedy: string,
    place: SourceLocation = this.#locate(call),
    stack: string | null = null,
  ): CustomLayerError {
    const { name } = this.identity;
    const subject =
      call === 'load' ? `The file of ${name}` : describeCall(call, name).replace(/^./, (first) => first.toUpperCase());
    return new CustomLayerError({ layer: name, call, message: `${subject} ${what}.`, remedy, place, stack });
  }

  #errorFromThrown(call: LayerCall, thrown: unknown): CustomLayerError {
    if (isOwnError(thrown)) return thrown;
    const error = readThrownError(thrown);
    return this.createError(
      call,
      describeThrown(thrown),
      error ? 'Fix it there.' : 'Throw an Error, which records where it was thrown.',
      error ? this.module.locate(thrown) : undefined,
      error?.stack ?? null,
    );
  }

  #locate(call: LayerCall): SourceLocation {
    return this.module.locate(
      call === 'load' || call === 'async' ? undefined : (this.exported[call] ?? this.exported.forward),
    );
  }
}

const readMembers = (exported: object, names: readonly string[]): Partial<Record<string, unknown>> =>
  Object.fromEntries(
    names.flatMap((name): [string, unknown][] => {
      const value: unknown = Reflect.get(exported, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** The engine's own error, such as one of an inner call. */
function isOwnError(thrown: unknown): thrown is CustomLayerError {
  try {
    return thrown instanceof CustomLayerError;
  } catch {
    return false;
  }
}
