// Calls the functions of a loaded file. Whatever they throw, return or change becomes an error with its place.
import type { SourceLocation, LayerCall } from '../../protocol/problem';
import type { Tensor } from '../kernels/tensor';
import type { LayerCallObserver, LayerIdentity, LayerModule } from './layer-module';
import { CustomLayerError, describeCall } from './custom-layer-error';
import { describeValue } from './foreign-value';
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
  /** The exported object, once it is validated. */
  exported: Readonly<Partial<Record<LayerCall, unknown>>> = {};
  #requiresFinite = true;

  constructor(
    readonly identity: LayerIdentity,
    readonly module: LayerModule,
    readonly observer: LayerCallObserver,
  ) {}

  /** Runs one of its functions. */
  observe<Result>(call: LayerCall, work: () => Result): Result {
    this.observer.enter(this.identity.index, call);
    try {
      return work();
    } catch (error) {
      throw this.#errorFromThrown(call, error);
    } finally {
      this.observer.leave();
    }
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
   * The exported object.
   * @param what it should be, such as "a layer"
   * @param remedy how to write one
   * @param functions its optional functions
   */
  validatedExport(what: string, remedy: string, functions: readonly Exclude<LayerCall, 'load'>[]): object {
    const { defaultExport } = this.module;
    if (typeof defaultExport !== 'object' || defaultExport === null)
      throw this.createError(
        'load',
        defaultExport === undefined
          ? 'has no default export'
          : `exports ${describeValue(defaultExport)} as its default, not ${what}`,
        remedy,
      );
    const exported = defaultExport as Partial<Record<LayerCall, unknown>>;
    if (typeof exported.forward !== 'function')
      throw this.createError('load', `exports ${what} without "forward"`, remedy);
    for (const name of functions)
      if (exported[name] !== undefined && typeof exported[name] !== 'function')
        throw this.createError(
          'load',
          `exports ${what} whose "${name}" is ${describeValue(exported[name])}`,
          `Make "${name}" a function, or omit it.`,
        );
    this.exported = exported;
    return exported;
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
        'Write results into a new tensor, such as ops.tensor(shape).',
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

  #errorFromThrown(call: LayerCall, error: unknown): CustomLayerError {
    const isError = error instanceof Error;
    const what = isError ? `threw ${error.name}: ${firstLine(error.message)}` : `threw ${describeValue(error)}`;
    return this.createError(
      call,
      what,
      isError ? 'Fix it there.' : 'Throw an Error, which records where it was thrown.',
      isError ? this.module.locate(error) : undefined,
      isError ? (error.stack ?? null) : null,
    );
  }

  #locate(call: LayerCall): SourceLocation {
    return this.module.locate(call === 'load' ? undefined : (this.exported[call] ?? this.exported.forward));
  }
}

const firstLine = (text: string): string => text.split('\n', 1)[0]!.replace(/\.$/, '');
