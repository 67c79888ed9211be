// The conditions of breakpoints over steps that run in one call: they read numbers that the compiled step keeps of each
// step. That works for reductions of stored tensors and for entries; other conditions are evaluated step by step. It
// only finds the first step at which something holds, which is then done again on its own.
import {
  type Aspect,
  bindExpression,
  type Bound,
  type CallNode,
  type Expression,
  ExpressionError,
  type IndexNode,
  namesIn,
  type Operand,
  readNumber,
  type Scope,
} from '../expressions';
import { type Kernels, MAX_OBSERVED } from '../engine/kernels/kernels';
import type { ObservedReduction, ObservedReductions, ReductionKind } from '../engine/kernels/observed-reductions';
import type { Tensor } from '../engine/kernels/tensor';
import type { Pass } from '../engine/pass';
import type { StepObserver } from './fused-step';
import type { TrainingSession } from './session';
import type { ObservedSteps } from './step-executor';
import type { StepValues } from './step-values';

/** What is evaluated after each step: a condition, a number compared with that of the step before, or both. */
export interface ObservableCheck {
  readonly phase: number;
  readonly condition: Expression | null;
  readonly data: { readonly expression: Expression; readonly last: { step: number; value: number } } | null;
}

interface BoundCheck {
  readonly check: ObservableCheck;
  readonly condition: Bound | null;
  readonly data: Bound | null;
}

/** For one size of batch. */
interface BoundChecks {
  readonly reductions: readonly ObservedReduction[];
  readonly checks: readonly BoundCheck[];
  /** Those that a phase reads before the step changes their tensor: by index, the value before the next steps. */
  readonly before: Map<number, number>;
  readers: { readonly of: ObservedReductions; readonly read: readonly ((step: number) => number)[] } | null;
}

/** Reductions that are kept, by the name of the function, and what it makes of them and the number of elements. */
const REDUCTIONS: Readonly<Record<string, readonly [ReductionKind, (value: number, size: number) => number]>> = {
  sum: ['sum', (value) => value],
  mean: ['sum', (value, size) => value / size],
  norm: ['sumOfSquares', Math.sqrt],
  min: ['least', (value) => value],
  max: ['largest', (value) => value],
};
/** The same for a function of each element. */
const REDUCTIONS_OF_CALLS: Readonly<Record<string, ReductionKind>> = { 'max abs': 'magnitude', 'any isnan': 'nan' };

export class ObservedConditions implements StepObserver {
  readonly #session: TrainingSession;
  readonly #values: StepValues;
  readonly #checks: readonly ObservableCheck[];
  readonly #bound = new Map<Pass, BoundChecks | null>();
  // The step that conditions read.
  readonly #current = new Float64Array(MAX_OBSERVED);
  readonly #before = new Float64Array(MAX_OBSERVED);
  #step = 0;
  #loss = NaN;
  #value = NaN;
  #previous = NaN;

  private constructor(
    session: TrainingSession,
    values: StepValues,
    checks: readonly ObservableCheck[],
    readonly key: string,
  ) {
    this.#session = session;
    this.#values = values;
    this.#checks = checks;
  }

  /** Null if some check needs more of each step than can be kept. @param key of the checks */
  static create(
    session: TrainingSession,
    values: StepValues,
    checks: readonly ObservableCheck[],
    key: string,
  ): ObservedConditions | null {
    const { network, run } = session;
    const conditions = new ObservedConditions(session, values, checks, key);
    return conditions.#boundFor(network.trainingPass(Math.min(run.batchSize, run.split.train.length)))
      ? conditions
      : null;
  }

  reductionsOf(pass: Pass): readonly ObservedReduction[] | null {
    return this.#boundFor(pass)?.reductions ?? null;
  }

  /** Prepares for the steps after this one. @returns whether they can be observed */
  begin(): boolean {
    const { step } = this.#session.position;
    const { kernels } = this.#session.network;
    for (const bound of this.#bound.values())
      for (const index of bound?.before.keys() ?? []) {
        const { kind, tensor } = bound!.reductions[index]!;
        bound!.before.set(index, reduceNow[kind](kernels, tensor));
      }
    return this.#checks.every(({ data }) => !data || data.last.step === step);
  }

  /**
   * Looks at steps that were just done.
   * @param from the step before them
   * @returns the first of them, from 0, in which a breakpoint may have a hit; their number if none has
   */
  firstHit(from: number, { done, losses, reductions }: ObservedSteps): number {
    const bound = this.#boundFor(this.#session.pass)!;
    const { checks, before } = bound;
    if (bound.readers?.of !== reductions)
      bound.readers = { of: reductions, read: bound.reductions.map(({ kind }, i) => reductions.reader(kind, i)) };
    const { read } = bound.readers;
    for (const [index, value] of before) this.#current[index] = value;
    let row = 0;
    for (; row < done; row++) {
      if (before.size > 0) this.#before.set(this.#current);
      for (let i = 0; i < read.length; i++) this.#current[i] = read[i]!(row);
      this.#step = from + row + 1;
      this.#loss = losses[row]!;
      if (this.#isHit(checks)) break;
      for (const { check, data } of checks)
        if (data) {
          check.data!.last.step = this.#step;
          check.data!.last.value = data.at(0);
        }
    }
    return row;
  }

  #isHit(checks: readonly BoundCheck[]): boolean {
    let isHit = false;
    for (const { check, condition, data } of checks) {
      if (data) {
        data.prepare();
        this.#value = data.at(0);
        this.#previous = check.data!.last.value;
        if (!condition) isHit ||= !Object.is(this.#value, this.#previous);
      }
      if (!condition || isHit) continue;
      condition.prepare();
      isHit = condition.at(0) !== 0;
    }
    return isHit;
  }

  #boundFor(pass: Pass): BoundChecks | null {
    let bound = this.#bound.get(pass);
    if (bound === undefined) {
      try {
        bound = this.#bind(pass);
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        bound = null;
      }
      this.#bound.set(pass, bound);
    }
    return bound;
  }

  /** @throws ExpressionError if more than reductions and entries is read */
  #bind(pass: Pass): BoundChecks {
    const reductions: ObservedReduction[] = [];
    const before = new Map<number, number>();
    const checks: BoundCheck[] = [];
    /** The numbers that each check reads: several phases may read the same. */
    const known = new Set<string>();
    for (const check of this.#checks) {
      const used: string[] = [];
      /** The number to read, as it is after the phase of the check. */
      const read = (kind: ReductionKind, tensor: Tensor, isBefore: boolean): (() => number) => {
        let index = reductions.findIndex((each) => each.kind === kind && isSameData(each.tensor, tensor));
        if (index < 0) index = reductions.push({ kind, tensor }) - 1;
        if (isBefore) before.set(index, NaN);
        used.push(`${index} ${isBefore}`);
        const values = isBefore ? this.#before : this.#current;
        return () => values[index]!;
      };
      const scope = this.#scope(pass, check, read);
      const [condition, data] = [check.condition, check.data?.expression].map((each) =>
        each ? bindExpression(each, scope) : null,
      ) as [Bound | null, Bound | null];
      const key = JSON.stringify([check.condition, check.data?.expression, used]);
      if (!check.data && known.has(key)) continue;
      known.add(key);
      checks.push({ check, condition, data });
      if (reductions.length > MAX_OBSERVED) throw new ExpressionError('', 0, 0);
    }
    return { reductions, checks, before, readers: null };
  }

  #scope(
    pass: Pass,
    { phase, data }: ObservableCheck,
    read: (kind: ReductionKind, tensor: Tensor, isBefore: boolean) => () => number,
  ): Scope {
    const numbers: Readonly<Record<string, () => number>> = {
      step: () => this.#step,
      loss: () => this.#loss,
      lr: () => this.#session.learningRateOf(this.#step),
      ...(data && { value: () => this.#value, previous: () => this.#previous }),
    };
    const tensors: Scope = { resolve: (name, aspect) => this.#tensorOf(pass, name, aspect) };
    /** A stored tensor or a part of it, and whether the phase reads it before the step changes it. */
    const stored = (node: Expression): readonly [Tensor, boolean] | null => {
      const [use, ...others] = namesIn(node);
      if (!use || others.length > 0 || !isReference(node)) return null;
      const { shape, data: entries, reductions } = bindExpression(node, tensors);
      if (!entries || !reductions) return null;
      const { changesAt } = this.#values.sourceOf(use.name, use.aspect)!;
      return [{ shape, data: entries }, changesAt !== null && phase < changesAt];
    };
    const reduced = ({ name, args: [argument, ...rest] }: CallNode): Bound | undefined => {
      if (!argument || rest.length > 0) return undefined;
      const kind = argument.type === 'call' ? REDUCTIONS_OF_CALLS[`${name} ${argument.name}`] : undefined;
      if (kind && argument.type === 'call' && argument.args.length === 1) {
        const found = stored(argument.args[0]!);
        if (!found) return undefined;
        const value = read(kind, ...found);
        return kind === 'nan' ? { ...readNumber(value), type: 'boolean' } : readNumber(value);
      }
      const found = REDUCTIONS[name] && stored(argument);
      if (!found) return undefined;
      const [reduction, finish] = REDUCTIONS[name]!;
      const value = read(reduction, ...found);
      const size = found[0].data.length;
      return readNumber(() => finish(value(), size));
    };
    const entry = ({ object, parts }: IndexNode): Bound | undefined => {
      const found = stored(object);
      if (!found) return undefined;
      const [{ shape, data: entries }, isBefore] = found;
      if (parts.length !== shape.length) return undefined;
      let at = 0;
      for (const [axis, part] of parts.entries()) {
        if (typeof part !== 'number' || part < -shape[axis]! || part >= shape[axis]!) return undefined;
        at = at * shape[axis]! + (part < 0 ? part + shape[axis]! : part);
      }
      return readNumber(read('largest', { shape: [1], data: entries.subarray(at, at + 1) }, isBefore));
    };
    return {
      resolve: (name, aspect) => {
        const number = aspect === 'value' ? numbers[name] : undefined;
        return number ? { kind: 'number', read: number } : `${name} is not kept.`;
      },
      known: (node) => (node.type === 'call' ? reduced(node) : node.type === 'index' ? entry(node) : undefined),
    };
  }

  #tensorOf(pass: Pass, name: string, aspect: Aspect): Operand | string {
    const source = this.#values.sourceOf(name, aspect);
    const tensor = source?.updateOf ? source.updateOf.previous : source?.read(pass);
    if (!source || !tensor || source.isCopy || source.needsMeasurement) return `${name} is not kept.`;
    return this.#values.operandOf(tensor);
  }
}

/** Whether a node names a tensor, a gradient or an update, or a part of one. */
function isReference(node: Expression): boolean {
  if (node.type === 'name') return true;
  if (node.type === 'index') return isReference(node.object);
  return node.type === 'call' && (node.name === 'grad' || node.name === 'update') && node.args.every(isReference);
}

const isSameData = ({ data: a }: Tensor, { data: b }: Tensor): boolean =>
  a.byteOffset === b.byteOffset && a.length === b.length;

const reduceNow: Readonly<Record<ReductionKind, (kernels: Kernels, tensor: Tensor) => number>> = {
  sum: (kernels, tensor) => kernels.sum(tensor),
  sumOfSquares: (kernels, tensor) => kernels.sumOfSquares(tensor),
  least: (kernels, tensor) => kernels.extremes(tensor).min,
  largest: (kernels, tensor) => kernels.extremes(tensor).max,
  magnitude: (kernels, tensor) => {
    const { min, max } = kernels.extremes(tensor);
    return Math.max(-min, max);
  },
  nan: (_, { data }) => Number(data.some(Number.isNaN)),
};
