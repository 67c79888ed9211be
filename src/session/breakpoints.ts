// The breakpoints of a run: evaluates their conditions after each step, while the tensors of the step are still in
// memory, for every phase of the step. So a step itself runs at full speed, also one that is compiled into one call.
import {
  type Bound,
  bindExpression,
  type Expression,
  ExpressionError,
  namesIn,
  outerPastUsesIn,
  parseExpression,
  type PastUse,
  usesChange,
} from '../expressions';
import type { Breakpoint, BreakpointStatus, Discovery, LogpointMessage } from '../protocol/breakpoints';
import type { Position } from '../protocol/position';
import type { Tensor } from '../engine/kernels/tensor';
import type { Pass } from '../engine/pass';
import { Discoveries, UnreachableError } from './discoveries';
import { HitPositions } from './hit-positions';
import { hitConditionOf, type HitCondition } from './hit-condition';
import { logTemplateOf, type LogTemplate } from './log-template';
import { ObservedConditions } from './observed-conditions';
import { copyMessage, MAX_COPY_BYTES, openReplaySession } from './scratch-session';
import { SeriesEvaluator } from './series-evaluator';
import type { TrainingSession } from './session';
import { type Source, type StepScope, StepValues } from './step-values';

/** A breakpoint at one phase. */
interface Check {
  readonly id: number;
  readonly phase: number;
  readonly condition: Expression | null;
  readonly data: { readonly expression: Expression; readonly last: { step: number; value: number } } | null;
  readonly hits: HitCounter | null;
  readonly log: LogTemplate | null;
  readonly past: Past | null;
  /** Whether its tensors are the same objects in every step with the same pass. */
  readonly isStable: boolean;
  /** If its values do not change within a step: the last step in which it was false, for all of its phases. */
  readonly falseIn: { step: number } | null;
  /**
   * If it reads only what the update changes: the last step after whose update it was evaluated, for all of its phases.
   * In the next step, it is the same until the update.
   */
  readonly afterUpdate: { step: number; holds: boolean } | null;
  readonly bound: { readonly live: Map<Pass, BoundCheck>; readonly after: Map<Pass, BoundCheck> };
}

/** What a breakpoint reads of other steps. */
interface Past {
  readonly evaluator: SeriesEvaluator;
  /** Its condition and its number have no value without these. */
  readonly needed: readonly PastUse[];
  /** Of condition, number and log message. */
  readonly calls: readonly Expression[];
}

interface BoundCheck {
  /** Of the values of other steps. */
  readonly version: number;
  readonly condition: Bound | null;
  readonly data: Bound | null;
  /** A tensor of this pass does not fit, such as an index beyond a smaller batch: it is reported once. */
  readonly error: ExpressionError | null;
}

/** One that is set again as it is keeps what it knows of other steps. */
interface CompiledBreakpoint {
  /** JSON of the breakpoint. */
  readonly key: string;
  readonly checks: readonly Check[];
}

interface HitCounter {
  readonly condition: HitCondition;
  readonly positions: HitPositions;
}

/** A phase of the step at which breakpoints stop the run. */
export interface PhaseHit {
  /** Phases that are done, from 1; the number of phases for the end of the step. */
  readonly phase: number;
  readonly ids: readonly number[];
  readonly discovery: Discovery | null;
}

/** Of almost every step. */
const NO_HITS: readonly PhaseHit[] = [];

export class Breakpoints {
  readonly #session: TrainingSession;
  readonly #values: StepValues;
  /** Those on findings and gradient checks, whose steps are known without evaluating anything. */
  readonly discoveries: Discoveries;
  #checks: readonly Check[] = [];
  /** State whose value before the step some check reads. */
  #copies = new Map<Source, Tensor>();
  #needsMeasurement = false;
  #pasts: readonly Past[] = [];
  /** Replays steps that the session was not followed through; null until it is needed. */
  #replaySession: TrainingSession | null = null;
  #messages: LogpointMessage[] = [];
  readonly #reported = new Set<number>();
  /** By id. */
  #compiled = new Map<number, CompiledBreakpoint>();
  #version = 0;
  #observer: ObservedConditions | null = null;
  // What the scope of a data breakpoint reads.
  #value = NaN;
  #previous = NaN;

  constructor(session: TrainingSession) {
    this.#session = session;
    this.#values = new StepValues(session);
    this.discoveries = new Discoveries(session);
  }

  /** Changes when breakpoints are set. */
  get version(): number {
    return this.#version;
  }

  /** Whether none has to be evaluated after each step. */
  get isEmpty(): boolean {
    return this.#checks.length === 0;
  }

  /** Whether steps must be measured, since a condition reads an update. */
  get needsMeasurement(): boolean {
    return this.#needsMeasurement;
  }

  /** Looks at steps that run in one call; null if each step must be evaluated on its own. */
  get observer(): ObservedConditions | null {
    return this.#observer;
  }

  /** How many steps before a step it must have been evaluated, or read; infinite for all. */
  get stepsBack(): number {
    const data = this.#checks.some(({ data }) => data !== null) ? 1 : 0;
    const pasts = this.#pasts.map(({ evaluator }) => (evaluator.readsWholePast ? Infinity : evaluator.stepsBack));
    return Math.max(data, ...pasts);
  }

  /** Replaces all breakpoints. @returns the status of each */
  set(breakpoints: readonly Breakpoint[]): BreakpointStatus[] {
    const known = new Map(this.#checks.flatMap(({ id, hits }) => (hits ? [[id, hits] as const] : [])));
    const compiled = new Map<number, CompiledBreakpoint>();
    const checks: Check[] = [];
    this.#version++;
    this.discoveries.clear();
    const statuses = breakpoints.map((breakpoint): BreakpointStatus => {
      try {
        const key = JSON.stringify(breakpoint);
        const own = this.#compiledBefore(breakpoint.id, key) ?? this.#compile(breakpoint, known.get(breakpoint.id));
        if (own.length > 0) compiled.set(breakpoint.id, { key, checks: own });
        checks.push(...own);
        return { id: breakpoint.id, isVerified: true };
      } catch (error) {
        if (!(error instanceof ExpressionError || error instanceof UnreachableError)) throw error;
        return { id: breakpoint.id, isVerified: false, message: error.message };
      }
    });
    this.#compiled = compiled;
    this.#checks = checks.sort((a, b) => a.phase - b.phase);
    this.#pasts = [...new Set(checks.flatMap(({ past }) => past ?? []))];
    this.#reported.clear();
    this.#copies = new Map();
    this.#needsMeasurement = this.#pasts.some(({ evaluator }) => evaluator.needsMeasurement);
    const keptUpdates = new Set(this.#pasts.flatMap(({ evaluator }) => evaluator.keptUpdates));
    for (const check of checks)
      for (const source of [...this.#sourcesOf(check), ...this.#sourcesIn(check.log?.expressions ?? [])]) {
        this.#needsMeasurement ||= source.needsMeasurement === true;
        if (source.updateOf) keptUpdates.add(source.updateOf);
        if (source.changesAt === null || check.phase >= source.changesAt) continue;
        // Its value after the step before is known.
        if (check.afterUpdate && !check.log) continue;
        const { shape, data } = source.read(this.#session.pass)!;
        this.#copies.set(source, { shape, data: data.slice() });
      }
    this.#session.keepUpdates([...keptUpdates]);
    this.#observer =
      this.#needsMeasurement || checks.some(({ condition, data, past }) => past || (!condition && !data))
        ? null
        : ObservedConditions.create(
            this.#session,
            this.#values,
            checks,
            JSON.stringify([...compiled.keys()].map((id) => compiled.get(id)!.key)),
          );
    return statuses;
  }

  /** The checks of a breakpoint that has not changed, to be bound again: to other copies of state. */
  #compiledBefore(id: number, key: string): Check[] | null {
    const before = this.#compiled.get(id);
    if (before?.key !== key) return null;
    return before.checks.map((check) => ({ ...check, bound: { live: new Map(), after: new Map() } }));
  }

  /** Keeps the state that the step is going to change. Call it before the update of the step. */
  beforeStep(): void {
    const { pass, position } = this.#session;
    for (const check of this.#checks) {
      const { afterUpdate } = check;
      if (!afterUpdate || afterUpdate.step === position.step || check.phase === this.#values.lastPhase) continue;
      const { condition } = this.#bind(check, 'live');
      condition?.prepare();
      afterUpdate.step = position.step;
      afterUpdate.holds = condition?.at(0) === 1;
    }
    for (const [source, { data }] of this.#copies) data.set(source.read(pass)!.data);
  }

  /**
   * Evaluates the step that was just done. @param from phases up to this one were evaluated before
   * @returns the first phase at which a breakpoint stops; null if none does
   */
  afterStep(from: number): PhaseHit | null {
    const hit = this.#evaluate(from, this.#values.lastPhase, 'after')[0] ?? null;
    // Otherwise the session goes back into the step.
    if (!hit || hit.phase === this.#values.lastPhase) this.#followStep();
    return hit;
  }

  /** Evaluates the phase that was just done. */
  afterPhase(): PhaseHit | null {
    const phase = this.#values.currentPhase;
    const hit = this.#evaluate(phase - 1, phase, 'live')[0] ?? null;
    if (phase === this.#values.lastPhase) this.#followStep();
    return hit;
  }

  /** The phases at which a forward run stops, in the step that was just done. Neither counts hits nor prints. */
  findHits(): readonly PhaseHit[] {
    const hits = this.#evaluate(0, this.#values.lastPhase, 'after', true);
    this.#followStep();
    return hits;
  }

  /**
   * Reads what conditions need of the steps before the next one, one step of a replay at a time.
   * @param onlyFixedSteps for a search, which reads the other ones on its way
   */
  *readPast(onlyFixedSteps = false): Generator<void, void> {
    const session = this.#session;
    const { step } = session.position;
    const waiting = this.#pasts.filter(
      ({ evaluator }) => !evaluator.hasFollowedTo(step) && (!onlyFixedSteps || evaluator.readsFixedSteps),
    );
    if (waiting.length === 0) return;
    // There are no steps before.
    if (step === 0) {
      for (const { evaluator } of waiting) evaluator.follow();
      return;
    }
    if (this.#replaySession) this.#replaySession.shareCheckpoints(session);
    else this.#replaySession = openReplaySession(session);
    const replay = new SeriesEvaluator(
      this.#replaySession,
      waiting.flatMap(({ calls }) => calls),
    );
    const knowsFixedSteps = waiting.every(({ evaluator }) => evaluator.knowsFixedSteps(step));
    for (const _ of replay.replayPast(step, !knowsFixedSteps)) {
      yield;
      // The session was moved, or other breakpoints were set, which begins again.
      if (session.position.step !== step) return;
    }
    for (const { evaluator } of waiting) evaluator.followFrom(replay);
  }

  /** The session trains on from here, and the steps before do not matter. */
  follow(): void {
    for (const { evaluator } of this.#pasts) evaluator.follow();
  }

  #followStep(): void {
    for (const { evaluator } of this.#pasts) evaluator.followStep();
  }

  /** Log messages since the last call. */
  takeMessages(): readonly LogpointMessage[] {
    return this.#messages.splice(0);
  }

  /** Whether data breakpoints lack their value of the step before. */
  get needsPrevious(): boolean {
    const { step, phase } = this.#session.position;
    const done = step > this.#session.earliestStep || phase > 0;
    return (
      done &&
      this.#checks.some(({ data, phase: at }) => data !== null && data.last.step !== (at <= phase ? step + 1 : step))
    );
  }

  /** Only keeps the values of data breakpoints: of the step that was just done, or of the step up to its phase. */
  recordPrevious(): void {
    const { phase } = this.#session.position;
    for (const check of this.#checks)
      if (check.data && (phase === 0 || check.phase <= phase)) {
        const bound = this.#bind(check, phase === 0 ? 'after' : 'live');
        if (bound.data) this.#readData(check.data.last, bound.data);
        else Object.assign(check.data.last, { step: this.#session.shownStep, value: NaN });
      }
    if (phase === 0) this.#followStep();
  }

  /** Steps after this one no longer follow, and values of this one may have been changed. */
  truncate(step: number): void {
    this.discoveries.truncate(step);
    for (const { evaluator } of this.#pasts) evaluator.truncate(step);
    this.#replaySession = null;
    for (const { hits, data, falseIn, afterUpdate } of this.#checks) {
      if (afterUpdate) afterUpdate.step = -1;
      if (data) data.last.step = -1;
      if (falseIn) falseIn.step = -1;
      hits?.positions.truncate(step * this.#values.lastPhase);
    }
  }

  /** What was known of the step before is not that of the next one. */
  forgetPrevious(): void {
    for (const { data } of this.#checks) if (data) data.last.step = -1;
    for (const { evaluator } of this.#pasts) evaluator.stopFollowing();
  }

  #evaluate(from: number, to: number, when: 'live' | 'after', isSearch = false): readonly PhaseHit[] {
    let hits: PhaseHit[] | null = null;
    for (const { evaluator } of this.#pasts) evaluator.beginRow();
    for (const check of this.#checks) {
      const { phase } = check;
      if (phase <= from || phase > to) continue;
      const last = hits?.at(-1);
      // A run stops at the first phase with a hit, so that later ones are not reached.
      if (last && last.phase < phase && !isSearch) break;
      if (!this.#isHit(check, when, isSearch)) continue;
      hits ??= [];
      if (last?.phase === phase) hits[hits.length - 1] = { ...last, ids: [...last.ids, check.id] };
      else hits.push({ phase, ids: [check.id], discovery: null });
    }
    const last = hits?.at(-1);
    const found = to === this.#values.lastPhase ? this.discoveries.at(this.#session.shownStep) : null;
    if (found && (!last || isSearch || last.phase === to)) {
      const { ids, discovery } = found;
      if (hits && last?.phase === to) hits[hits.length - 1] = { phase: to, ids: [...last.ids, ...ids], discovery };
      else (hits ??= []).push({ phase: to, ids: [...ids], discovery });
    }
    return hits ?? NO_HITS;
  }

  /** Whether it stops the run. */
  #isHit(check: Check, when: 'live' | 'after', isSearch: boolean): boolean {
    const falseIn = when === 'after' ? check.falseIn : null;
    if (falseIn?.step === this.#session.shownStep) return false;
    const { afterUpdate, past } = check;
    if (past && !past.evaluator.hasPast(past.needed)) return false;
    const isBeforeUpdate = check.phase < this.#values.lastPhase;
    const isKnown = isBeforeUpdate && when === 'after' && afterUpdate?.step === this.#session.shownStep - 1;
    if (isKnown && !afterUpdate.holds) return false;
    const bound = this.#bind(check, when);
    if (bound.error) {
      if (!isSearch) this.#reportOnce(check, bound.error);
      return false;
    }
    if (bound.data && !this.#readPrevious(check, bound.data)) return false;
    if (bound.condition && !isKnown) {
      bound.condition.prepare();
      const holds = bound.condition.at(0) !== 0;
      if (afterUpdate && !isBeforeUpdate) {
        afterUpdate.step = this.#session.shownStep;
        afterUpdate.holds = holds;
      }
      if (!holds) {
        if (falseIn) falseIn.step = this.#session.shownStep;
        return false;
      }
    }
    if (!bound.condition && bound.data && Object.is(this.#value, this.#previous)) return false;
    if (check.hits && !this.#countHit(check, check.hits, isSearch)) return false;
    if (!check.log) return true;
    if (!isSearch) this.#log(check, check.log.render(this.#scope(check, when)));
    return false;
  }

  /** @returns whether the hit satisfies the hit condition */
  #countHit({ phase }: Check, hits: HitCounter, isSearch: boolean): boolean {
    const position = (this.#session.shownStep - 1) * this.#values.lastPhase + phase;
    const index = isSearch ? hits.positions.indexOf(position) : hits.positions.add(position);
    return index !== null && hits.condition(index);
  }

  /** Reads the value of a data breakpoint and that of the step before. @returns false if there is none */
  #readPrevious({ data }: Check, bound: Bound): boolean {
    const { last } = data!;
    const { step, value } = last;
    this.#readData(last, bound);
    this.#value = last.value;
    this.#previous = value;
    return step === last.step - 1;
  }

  #readData(last: { step: number; value: number }, bound: Bound): void {
    bound.prepare();
    last.value = bound.at(0);
    last.step = this.#session.shownStep;
  }

  #log({ id, phase }: Check, text: string): void {
    const step = this.#session.shownStep;
    const position: Position = phase === this.#values.lastPhase ? { step, phase: 0 } : { step: step - 1, phase };
    this.#messages.push({ breakpoint: id, position, text });
  }

  #reportOnce(check: Check, error: ExpressionError): void {
    if (this.#reported.has(check.id)) return;
    this.#reported.add(check.id);
    this.#log(check, `The condition of this breakpoint cannot be evaluated: ${error.message}`);
  }

  #scope({ phase, data, past }: Pick<Check, 'phase' | 'data' | 'past'>, when: 'live' | 'after'): StepScope {
    const extra = data
      ? new Map([
          ['value', () => this.#value],
          ['previous', () => this.#previous],
        ])
      : undefined;
    const scope = this.#values.scopeAt(phase, when === 'after' ? this.#copies : undefined, extra);
    return past ? { ...scope, past: past.evaluator.readPast } : scope;
  }

  #bind(check: Check, when: 'live' | 'after'): BoundCheck {
    const { pass } = this.#session;
    const cached = check.bound[when].get(pass);
    const version = check.past?.evaluator.version ?? 0;
    if (cached?.version === version) return cached;
    const scope = this.#scope(check, when);
    let bound: BoundCheck;
    try {
      bound = {
        version,
        condition: check.condition && bindExpression(check.condition, scope),
        data: check.data && bindExpression(check.data.expression, scope),
        error: null,
      };
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      bound = { version, condition: null, data: null, error };
    }
    if (check.isStable) check.bound[when].set(pass, bound);
    return bound;
  }

  /** @throws ExpressionError if it can never be hit */
  #compile({ id, on, condition, hitCondition, logMessage }: Breakpoint, known: HitCounter | undefined): Check[] {
    if ('findings' in on || 'checkEvery' in on) {
      this.discoveries.add(id, on);
      return [];
    }
    const parsed = condition === undefined ? null : parseExpression(condition);
    const log = logMessage === undefined ? null : logTemplateOf(logMessage);
    const isCounted = hitConditionOf(hitCondition ?? '');
    const hits = isCounted && { condition: isCounted, positions: known?.positions ?? new HitPositions() };
    const falseIn = { step: -1 };
    const afterUpdate = { step: -1, holds: false };
    const pasts = new Map<Expression | null, Past | null>();
    const create = (phase: number, expression: Expression | null): Check => {
      if (!pasts.has(expression)) pasts.set(expression, this.#createPast(parsed, expression, log));
      const past = pasts.get(expression)!;
      const data = expression && { expression, last: { step: -1, value: NaN } };
      const check: Check = {
        id,
        phase,
        condition: parsed,
        data,
        hits,
        log,
        past,
        isStable: true,
        falseIn: null,
        afterUpdate: null,
        bound: { live: new Map(), after: new Map() },
      };
      const scope = this.#scope(check, 'live');
      for (const each of [parsed, expression])
        if (each) assertSingle(bindExpression(each, this.#reachableScope(scope, past)), each, each === parsed);
      const sources = this.#sourcesOf(check);
      return {
        ...check,
        isStable: sources.every(({ isCopy }) => !isCopy),
        falseIn: !expression && sources.every(({ changesAt }) => changesAt === null) ? falseIn : null,
        afterUpdate: !expression && !past && parsed && this.#readsOnlyState(parsed) ? afterUpdate : null,
      };
    };
    if ('data' in on || 'tensor' in on) {
      const expression = parseExpression('data' in on ? on.data : on.tensor);
      const phase = Math.max(
        0,
        ...namesIn(expression).map(({ name, aspect }) => this.#values.computedAt(name, aspect)),
      );
      if (phase > 0 && ('data' in on || (parsed && usesChange(parsed)))) return [create(phase, expression)];
      if (phase > 0) {
        bindExpression(expression, this.#reachableScope(this.#values.scopeAt(phase)));
        return [create(phase, null)];
      }
      bindExpression(expression, this.#reachableScope(this.#values.scopeAt(this.#values.lastPhase)));
      throw new ExpressionError('No step changes this value.', expression.start, expression.end);
    }
    const failures: ExpressionError[] = [];
    const checks = on.phases.flatMap((phase) => {
      try {
        return create(phase + 1, null);
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        failures.push(error);
        return [];
      }
    });
    // Values that a phase does not have yet make the condition false there.
    if (checks.length === 0 && failures[0]) throw failures[0];
    return checks;
  }

  /** @throws ExpressionError if its steps cannot be read */
  #createPast(condition: Expression | null, data: Expression | null, log: LogTemplate | null): Past | null {
    const needed = [condition, data].flatMap((each) => (each ? outerPastUsesIn(each) : []));
    const calls = [...needed, ...(log?.expressions ?? []).flatMap(outerPastUsesIn)].map(({ call }) => call);
    const [first] = calls;
    if (!first) return null;
    const fail = (message: string, { start, end }: Pick<Expression, 'start' | 'end'>): never => {
      throw new ExpressionError(message, start, end);
    };
    for (const { kind, call, ...use } of needed)
      if (kind === 'at' && 'at' in use && 'stepsBack' in use.at && use.at.stepsBack === 0)
        fail('A breakpoint stops before its step ends. Write the value without at, or read an earlier step.', call);
    const { memoryBytes } = this.#session.network;
    if (memoryBytes > MAX_COPY_BYTES) fail(copyMessage(memoryBytes), first);
    const evaluator = new SeriesEvaluator(this.#session, calls);
    evaluator.assertSteps(this.#session.totalSteps);
    return { evaluator, needed, calls };
  }

  /** An update is only there after a measured step, which the breakpoint will ask for. */
  #reachableScope(scope: StepScope, past: Past | null = null): StepScope {
    return {
      phase: scope.phase,
      ...(past && { past: past.evaluator.declaredPast }),
      resolve: (name, aspect) => {
        const found = scope.resolve(name, aspect);
        const source = this.#values.sourceOf(name, aspect);
        if (typeof found !== 'string' || aspect !== 'update' || !source) return found;
        const value = this.#values.sourceOf(name, 'value')?.read(this.#session.pass);
        return value && scope.phase >= source.from ? { kind: 'tensor', ...value } : found;
      },
    };
  }

  #sourcesOf({ condition, data }: Check): Source[] {
    return this.#sourcesIn([condition ?? [], data?.expression ?? []].flat());
  }

  #sourcesIn(expressions: readonly Expression[]): Source[] {
    return expressions.flatMap((expression) =>
      namesIn(expression).flatMap(({ name, aspect }) => this.#values.sourceOf(name, aspect) ?? []),
    );
  }

  /** Whether an expression reads nothing but what the update changes. */
  #readsOnlyState(expression: Expression): boolean {
    const names = namesIn(expression);
    return (
      names.length > 0 &&
      names.every(({ name, aspect }) => this.#values.sourceOf(name, aspect)?.changesAt === this.#values.lastPhase)
    );
  }
}

function assertSingle({ shape, type }: Bound, { start, end }: Expression, isCondition: boolean): void {
  if (isCondition && shape.length > 0)
    throw new ExpressionError('A condition is true or false. Use any(…) or all(…) for a tensor.', start, end);
  if (isCondition && type !== 'boolean')
    throw new ExpressionError('A condition is true or false, not a number. Compare it with one.', start, end);
  if (!isCondition && shape.length > 0)
    throw new ExpressionError('A data breakpoint watches one number. Use norm(…), max(…) or an entry.', start, end);
}
