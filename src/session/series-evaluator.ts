// Evaluates expressions at the end of every step of a run that is replayed forward, with what they read of other steps:
// `at(step, x)`, `last(x)` and `changes(x)`. Only the values that later steps need are kept. It replays its session
// itself, or follows one that others move.
import {
  type Bound,
  bindExpression,
  type CallNode,
  type EntryType,
  type Expression,
  ExpressionError,
  namesIn,
  type PastUse,
  pastUsesIn,
  type Scope,
  toCondition,
} from '../expressions';
import type { Parameter } from '../engine/network-model';
import type { Pass } from '../engine/pass';
import type { TrainingSession } from './session';
import { type Source, type StepScope, StepValues } from './step-values';

/** Bytes of values of other steps. */
const MAX_KEPT_BYTES = 64 * 2 ** 20;

/** The entries of an expression at one step. */
interface KeptValue {
  /** -1 for none. */
  step: number;
  type: EntryType;
  shape: readonly number[];
  entries: Float64Array;
}

interface PastValue {
  readonly use: PastUse & { readonly kind: 'at' };
  readonly series: Series;
  /** By step, modulo their number; for a fixed step the only one. */
  readonly kept: KeptValue[];
  /** That of the row; null if there is none. */
  current: KeptValue | null;
}

interface LastHit {
  readonly call: CallNode;
  readonly condition: Series;
  /** NaN for none. */
  step: number;
}

/** An expression that is bound once for each shape of batch. */
interface Series {
  readonly expression: Expression;
  readonly isStable: boolean;
  readonly bound: Map<Pass, { readonly version: number; readonly bound: Bound | null }>;
}

export class SeriesEvaluator {
  readonly session: TrainingSession;
  readonly #values: StepValues;
  readonly #past: PastValue[] = [];
  readonly #last: LastHit[] = [];
  readonly #series = new Map<Expression, Series>();
  readonly #types = new Map<Expression, Pick<Bound, 'type' | 'shape'>>();
  /** Steps that were replayed. */
  replayed = 0;
  #needsMeasurement = false;
  readonly #keptUpdates = new Set<Parameter>();
  /** The step whose end was read last; null if the session was moved since. */
  #followed: number | null = null;
  /** Changes when the shapes of values of other steps do. */
  #version = 0;

  /**
   * @param session which is moved
   * @throws ExpressionError
   */
  constructor(session: TrainingSession, expressions: readonly Expression[]) {
    this.session = session;
    this.#values = new StepValues(session);
    for (const expression of expressions) this.#add(expression);
    const scope = this.#declaredScope;
    for (const expression of expressions) {
      const { type, shape } = bindExpression(expression, scope);
      this.#types.set(expression, { type, shape });
    }
  }

  /** The type and shape of an expression. */
  typeOf(expression: Expression): Pick<Bound, 'type' | 'shape'> {
    return this.#types.get(expression)!;
  }

  /** Fails for a step that the run does not have. @throws ExpressionError */
  assertSteps(last: number): void {
    for (const { use } of this.#past)
      if ('step' in use.at && use.at.step > last) {
        const { start, end } = use.call.args[0]!;
        throw new ExpressionError(`There is no step ${use.at.step}: the last one here is ${last}.`, start, end);
      }
  }

  /** Whether values of other steps exist only if steps are measured. */
  get needsMeasurement(): boolean {
    return this.#needsMeasurement;
  }

  /** The parameters whose updates the session must keep. `replay` sees to it. */
  get keptUpdates(): readonly Parameter[] {
    return [...this.#keptUpdates];
  }

  /** How many steps before a row it reads; those that are named by number do not count. */
  get stepsBack(): number {
    return this.#stepsBack;
  }

  /** Whether it reads steps that are named by number. */
  get readsFixedSteps(): boolean {
    return this.#fixedSteps.length > 0;
  }

  /** Whether a row reads all steps before it. */
  get readsWholePast(): boolean {
    return this.#last.length > 0;
  }

  /** Training ends at a loss that is not finite. */
  get hasDiverged(): boolean {
    const { loss } = this.session;
    return loss !== null && !Number.isFinite(loss);
  }

  /**
   * Replays the run, one step at a time. Yields each step of a range when its values can be read, until the next call;
   * null while it goes there.
   * @param from and `to`: inclusive, counted from 1
   */
  *replay(from: number, to: number): Generator<number | null, void> {
    const { session, readsWholePast } = this;
    session.keepUpdates(this.keptUpdates);
    yield* this.#keepFixedSteps();
    const earliest = session.earliestStep;
    const start = readsWholePast ? earliest : Math.max(earliest, from - 1 - this.#stepsBack);
    this.#forgetPast();
    // Of the step at which it starts, only the state is read.
    session.rewind(start, 1);
    while (session.position.step < to) {
      if (session.position.step < start) {
        session.train(1);
        this.replayed++;
        yield null;
        continue;
      }
      this.#advance();
      const { step } = session.position;
      const isRow = step >= from;
      if (isRow || readsWholePast) this.beginRow();
      yield isRow ? step : null;
      if (readsWholePast) this.#updateLast(step);
      if (this.hasDiverged) return;
    }
  }

  /** Whether it follows the session, and has read everything up to the end of a step. */
  hasFollowedTo(step: number): boolean {
    return this.#followed === step;
  }

  /** The session was moved other than by training. */
  stopFollowing(): void {
    this.#followed = null;
  }

  /** The end of this step, and all later steps, may be others from now on. */
  truncate(step: number): void {
    this.#followed = null;
    for (const { use, kept } of this.#past)
      if ('step' in use.at) for (const value of kept) if (value.step >= step) value.step = -1;
  }

  /** Begins to follow the session from the end of the step that it is at. What is known of fixed steps stays known. */
  follow(): void {
    this.#forgetPast();
    this.#followed = this.session.position.step;
    if (this.#followed === 0) this.#keep();
  }

  /** Reads the end of the step that was just done. */
  followStep(): void {
    const { step } = this.session.position;
    if (this.#followed !== step - 1) return;
    this.#keep();
    if (this.readsWholePast) {
      this.beginRow();
      this.#updateLast(step);
    }
    this.#followed = step;
  }

  /**
   * Begins to follow the session after a step, with what others have read of the steps before.
   * @param replay of the same expressions, and possibly more, which has replayed these steps
   */
  followFrom(replay: SeriesEvaluator): void {
    const knowsFixedSteps = this.knowsFixedSteps(this.session.position.step);
    this.follow();
    for (const { use, kept } of this.#past) {
      if ('step' in use.at && knowsFixedSteps) continue;
      const read = replay.#past.find((past) => past.use.call === use.call)!.kept;
      // By step, since what reads further back keeps more.
      for (const value of read)
        if (value.step >= 0) Object.assign(kept['step' in use.at ? 0 : value.step % kept.length]!, value);
    }
    for (const last of this.#last) last.step = replay.#last.find(({ call }) => call === last.call)!.step;
  }

  /** Replays all that the step after `to` reads, one step at a time. */
  *replayPast(to: number, readsFixedSteps: boolean): Generator<void, void> {
    const { session } = this;
    session.keepUpdates(this.keptUpdates);
    if (readsFixedSteps) for (const _ of this.#keepFixedSteps(to)) yield;
    const start = Math.max(session.earliestStep, this.readsWholePast ? 0 : to - this.#stepsBack);
    session.rewind(start, 1);
    while (session.position.step < start) {
      session.train(1);
      yield;
    }
    this.follow();
    while (session.position.step < to) {
      session.step(this.#needsMeasurement);
      this.followStep();
      yield;
    }
  }

  /** Whether the row has the values of all of these. Call `beginRow` before. */
  hasPast(uses: readonly PastUse[]): boolean {
    return uses.every(({ call }) => this.#past.find(({ use }) => use.call === call)?.current !== null);
  }

  /** Changes when bound expressions must be bound again. */
  get version(): number {
    return this.#version;
  }

  /** Whether the values of steps that are named by number are known, as far as these are done. */
  knowsFixedSteps(to: number): boolean {
    return this.#past.every(
      ({ use: { at }, kept: [first] }) => !('step' in at) || at.step > to || first!.step === at.step,
    );
  }

  get #fixedSteps(): number[] {
    return this.#past.flatMap(({ use }) => ('step' in use.at ? use.at.step : []));
  }

  #forgetPast(): void {
    for (const { use, kept } of this.#past) if ('stepsBack' in use.at) for (const value of kept) value.step = -1;
    for (const past of this.#past) past.current = null;
    for (const last of this.#last) last.step = NaN;
    this.#version++;
  }

  #updateLast(step: number): void {
    for (const last of this.#last) if (this.isTrue(last.condition.expression)) last.step = step;
  }

  /** Keeps the values of the steps that `at` names by number. @param to further ones are left out */
  *#keepFixedSteps(to = Infinity): Generator<null, void> {
    const steps = this.#fixedSteps.filter((step) => step <= to);
    if (this.knowsFixedSteps(to)) return;
    const { session } = this;
    const last = Math.max(...steps);
    session.rewind(Math.max(session.earliestStep, Math.min(...steps) - 1));
    if (last === 0) this.#keep();
    while (session.position.step < last && !this.hasDiverged) {
      this.#advance();
      yield null;
    }
  }

  /** Does the next step of the session, and keeps what rows read of it. */
  #advance(): void {
    const { session } = this;
    // The state before the first step.
    if (session.position.step === 0) this.#keep();
    if (this.#needsMeasurement) session.step(true);
    else session.train(1);
    this.replayed++;
    this.#keep();
  }

  #keep(): void {
    const { step } = this.session.position;
    for (const past of this.#past) {
      const { use, kept } = past;
      if ('step' in use.at) {
        if (use.at.step === step) this.#keepValue(past, kept[0]!);
      } else if (use.at.stepsBack > 0) this.#keepValue(past, kept[step % kept.length]!);
    }
  }

  get #stepsBack(): number {
    return Math.max(0, ...this.#past.map(({ use }) => ('stepsBack' in use.at ? use.at.stepsBack : 0)));
  }

  /** Makes the step that is in progress, or was just done, the row that is read. */
  beginRow(): void {
    const step = this.session.shownStep;
    for (const past of this.#past) {
      const { at } = past.use;
      const wanted = 'step' in at ? at.step : step - at.stepsBack;
      const value = wanted < 0 ? undefined : past.kept['step' in at ? 0 : wanted % past.kept.length]!;
      // To one that follows, later steps are not known.
      const isKnown = value?.step === wanted && (this.#followed === null || wanted < step);
      const found = isKnown ? value : null;
      if (found?.shape !== past.current?.shape || found?.type !== past.current?.type) this.#version++;
      past.current = found;
    }
  }

  /** An expression of the constructor in this row; null if it has no value. Call `prepare` of the result. */
  bound(expression: Expression): Bound | null {
    const series = this.#series.get(expression)!;
    const { pass } = this.session;
    const cached = series.bound.get(pass);
    if (cached?.version === this.#version) return cached.bound;
    let bound: Bound | null = null;
    try {
      bound = bindExpression(expression, this.scope);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
    }
    if (series.isStable) series.bound.set(pass, { version: this.#version, bound });
    return bound;
  }

  /** Whether a condition has a value in this row, and is true. */
  isTrue(condition: Expression): boolean {
    const bound = this.bound(condition);
    if (!bound) return false;
    bound.prepare();
    return bound.at(0) !== 0;
  }

  /** What expressions read in this row. */
  get scope(): Scope {
    const { step } = this.session.position;
    return { ...this.#values.scopeAt(step === 0 ? 0 : this.#values.lastPhase), past: this.readPast };
  }

  /** The value of a call that reads other steps than that of the row. */
  readonly readPast = (call: CallNode): Bound | string => {
    const last = this.#last.find((each) => each.call === call);
    if (last) return numberOf(() => last.step);
    const past = this.#past.find(({ use }) => use.call === call)!;
    if ('stepsBack' in past.use.at && past.use.at.stepsBack === 0) return bindExpression(past.use.of, this.#rowScope);
    if (!past.current) return 'This value of another step does not exist.';
    return keptBound(past.current, () => past.current!.entries);
  };

  get #rowScope(): StepScope {
    const { step } = this.session.position;
    return this.#values.scopeAt(step === 0 ? 0 : this.#values.lastPhase);
  }

  /** Names, types and shapes, without values. */
  get #declaredScope(): Scope {
    return { ...this.#values.declaredScope, past: this.declaredPast };
  }

  /** The type and shape of a call that reads other steps, without a value. */
  readonly declaredPast = (call: CallNode): Bound => {
    if (this.#last.some((each) => each.call === call)) return numberOf(() => NaN);
    const past = this.#past.find(({ use }) => use.call === call)!;
    return bindExpression(past.use.of, this.#declaredScope);
  };

  /** @throws ExpressionError */
  #add(expression: Expression): void {
    this.#addSeries(expression);
    for (const use of pastUsesIn(expression)) {
      if (use.kind === 'at') {
        this.#addPast(use);
        continue;
      }
      const type = this.#typeOfCondition(use.of);
      const condition = toCondition(use.of, type);
      this.#addSeries(condition);
      for (const inner of pastUsesIn(condition)) if (inner.kind === 'at') this.#addPast(inner);
      this.#last.push({ call: use.call, condition: this.#series.get(condition)!, step: NaN });
    }
  }

  /** Of an expression whose parts are not known yet. @throws ExpressionError */
  #typeOfCondition(of: Expression): EntryType {
    for (const inner of pastUsesIn(of)) if (inner.kind === 'at') this.#addPast(inner);
    const { type, shape } = bindExpression(of, this.#declaredScope);
    if (type === 'boolean' && shape.length > 0)
      throw new ExpressionError('A condition is true or false. Use any(…) or all(…) for a tensor.', of.start, of.end);
    return type;
  }

  #addPast(use: PastUse & { readonly kind: 'at' }): void {
    if (this.#past.some((past) => past.use.call === use.call)) return;
    const { size, type, shape } = bindExpression(use.of, this.#declaredScope);
    const count = 'step' in use.at ? 1 : use.at.stepsBack + 1;
    const { start, end } = use.call;
    if (count * size * Float64Array.BYTES_PER_ELEMENT > MAX_KEPT_BYTES)
      throw new ExpressionError(
        'This keeps too many numbers of other steps. Use norm(…), mean(…) or an entry.',
        start,
        end,
      );
    const series = this.#addSeries(use.of);
    const none = (): KeptValue => ({ step: -1, type, shape, entries: new Float64Array(0) });
    this.#past.push({ use, series, kept: Array.from({ length: count }, none), current: null });
  }

  #addSeries(expression: Expression): Series {
    const known = this.#series.get(expression);
    if (known) return known;
    const sources = namesIn(expression).flatMap(({ name, aspect }): Source[] => {
      const source = this.#values.sourceOf(name, aspect);
      return source ? [source] : [];
    });
    this.#needsMeasurement ||= sources.some(({ needsMeasurement }) => needsMeasurement === true);
    for (const { updateOf } of sources) if (updateOf) this.#keptUpdates.add(updateOf);
    const series = { expression, isStable: sources.every(({ isCopy }) => !isCopy), bound: new Map() };
    this.#series.set(expression, series);
    return series;
  }

  #keepValue({ series }: PastValue, into: KeptValue): void {
    const { step } = this.session.position;
    const bound = step === 0 ? this.#bindOnce(series.expression) : this.bound(series.expression);
    into.step = -1;
    if (!bound) return;
    bound.prepare();
    const { type, shape, size, at } = bound;
    if (into.entries.length !== size) into.entries = new Float64Array(size);
    for (let i = 0; i < size; i++) into.entries[i] = at(i);
    Object.assign(into, { step, type, shape });
  }

  /** Before the first step, when most names have no value. */
  #bindOnce(expression: Expression): Bound | null {
    try {
      return bindExpression(expression, this.#rowScope);
    } catch (error) {
      if (error instanceof ExpressionError) return null;
      throw error;
    }
  }
}

const numberOf = (read: () => number): Bound => ({
  type: 'number',
  shape: [],
  size: 1,
  prepare: () => undefined,
  at: read,
  work: 0,
  workPerEntry: 1,
});

const keptBound = ({ type, shape, entries: { length } }: KeptValue, entries: () => Float64Array): Bound => {
  let data = entries();
  return {
    type,
    shape,
    size: length,
    prepare: () => {
      data = entries();
    },
    at: (index) => data[index]!,
    work: 0,
    workPerEntry: 1,
  };
};
