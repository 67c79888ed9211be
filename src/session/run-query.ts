// Answers a query over the steps of a run by replaying it: rows of values at the end of steps, or a search for the step
// at which a condition holds. Works in slices, step by step.
import {
  type Bound,
  type Expression,
  ExpressionError,
  parseRunQuery,
  type QueryColumn,
  type RunQueryText,
  type Search,
  toCondition,
} from '../expressions';
import type { RunQueryCell, RunQueryColumn, RunQueryEnd } from '../protocol/run-query';
import { renderText } from './log-template';
import type { RunQueryRange } from './replay-threads';
import { SeriesEvaluator } from './series-evaluator';
import type { TrainingSession } from './session';

/** Cells of all rows together: some 100 MB. */
export const MAX_CELLS = 2e6;

interface CompiledColumn extends RunQueryColumn {
  readonly read: () => RunQueryCell;
}

export class RunQuery {
  /** Whether it looks for one step. */
  readonly isSearch: boolean;
  readonly columns: readonly RunQueryColumn[];
  readonly kind: RunQueryText['kind'];
  /** The step of each row. */
  readonly steps: number[] = [];
  readonly rows: (readonly RunQueryCell[])[] = [];
  /** Why it ended; null while it works. */
  end: RunQueryEnd | null = null;
  readonly #session: TrainingSession;
  readonly #evaluator: SeriesEvaluator;
  readonly #columns: readonly CompiledColumn[];
  readonly #where: Expression | null;
  #range: RunQueryRange;
  /** A search backward has answered all steps after this one. */
  #searchedDownTo: number;
  readonly #work: Generator<void, RunQueryEnd>;

  /**
   * @param session is moved, and must reach the steps of the range by training
   * @throws ExpressionError
   */
  constructor(session: TrainingSession, text: string, range: RunQueryRange) {
    this.#session = session;
    this.#range = range;
    this.#searchedDownTo = range.to;
    const query = typed(session, parseRunQuery(text));
    const isRows = query.kind === 'rows';
    this.kind = query.kind;
    this.isSearch = !isRows;
    const where = isRows ? query.where : query.condition;
    const columns = isRows ? query.columns : [];
    this.#where = where;
    this.#evaluator = new SeriesEvaluator(session, [...columns.flatMap(expressionsIn), ...(where ? [where] : [])]);
    this.#evaluator.assertSteps(range.lastStep);
    if (where) assertCondition(where, this.#evaluator.typeOf(where));
    this.#columns = columns.map((column) => this.#compile(column));
    this.columns = isRows
      ? this.#columns.map(({ label, type }) => ({ label, type }))
      : [{ label: 'step', type: 'number' as const }];
    if (!isRows && query.kind !== 'first') assertReplayable(this.#evaluator, query.kind, query.condition);
    this.#work = isRows ? this.#findRows() : this.#search(query.kind);
  }

  get range(): RunQueryRange {
    return this.#range;
  }

  /** Whether parts of the range can be answered by themselves. */
  get canSplit(): boolean {
    const { readsWholePast, readsFixedSteps } = this.#evaluator;
    return this.kind !== 'bisect' && !readsWholePast && !readsFixedSteps;
  }

  /** How many steps before a row it reads. */
  get stepsBack(): number {
    return this.#evaluator.stepsBack;
  }

  /** The step up to which the range is answered, or is about to be; in a search backward, down to which. */
  get edge(): number {
    return this.kind === 'last' ? this.#searchedDownTo : Math.max(this.#range.from - 1, this.step);
  }

  /** How many steps of the range are answered. */
  get answered(): number {
    const { from, to } = this.#range;
    if (this.isDone) return to - from + 1;
    return this.kind === 'last' ? to - this.edge : this.edge - from + 1;
  }

  /** Leaves the steps beyond this one, which is not before `edge`, to others. */
  limitTo(step: number): void {
    this.#range = { ...this.#range, ...(this.kind === 'last' ? { from: step + 1 } : { to: step }) };
  }

  /** Steps that were replayed. */
  get replayed(): number {
    return this.#evaluator.replayed;
  }

  get isDone(): boolean {
    return this.end !== null;
  }

  /** The step that it is at. */
  get step(): number {
    return this.#session.position.step;
  }

  /** Replays one step, and evaluates it. */
  advance(): void {
    if (this.end) return;
    const { done, value } = this.#work.next();
    if (done) this.end = value;
  }

  *#findRows(): Generator<void, RunQueryEnd> {
    const { from, to } = this.#range;
    const evaluator = this.#evaluator;
    for (const step of this.#evaluator.replay(from, to)) {
      if (step !== null && (!this.#where || evaluator.isTrue(this.#where))) {
        this.steps.push(step);
        this.rows.push(this.#columns.map(({ read }) => read()));
        if (this.rows.length * Math.max(1, this.#columns.length) >= MAX_CELLS) return 'too many rows';
      }
      if (step !== null && step >= this.#range.to) break;
      yield;
    }
    return this.#endOfRun;
  }

  *#search(kind: Search): Generator<void, RunQueryEnd> {
    const found = yield* kind === 'first' ? this.#first() : kind === 'last' ? this.#last() : this.#bisect();
    if (typeof found === 'string') return found;
    if (found === null) return this.#endOfRun;
    this.steps.push(found);
    this.rows.push([found]);
    return 'complete';
  }

  /** @returns the first step at which the condition holds; null for none */
  *#first(): Generator<void, number | null> {
    for (const step of this.#evaluator.replay(this.#range.from, this.#range.to)) {
      if (step !== null && this.#holds) return step;
      if (step !== null && step >= this.#range.to) return null;
      yield;
    }
    return null;
  }

  /** Searches from one checkpoint to the next, the last part first. */
  *#last(): Generator<void, number | null> {
    let end = yield* this.#reach(this.#range.to);
    while (end >= this.#range.from) {
      const start = Math.max(this.#range.from - 1, this.#session.checkpointBefore(end));
      this.#searchedDownTo = start;
      let found: number | null = null;
      for (const step of this.#evaluator.replay(start + 1, end)) {
        if (step !== null && this.#holds) found = step;
        yield;
      }
      if (found !== null) return found;
      end = start;
    }
    return null;
  }

  /** Halves the steps between one at which the condition does not hold, and a later one at which it does. */
  *#bisect(): Generator<void, number | RunQueryEnd> {
    let low = this.#range.from;
    let high = yield* this.#reach(this.#range.to);
    if (!(yield* this.#holdsAt(high))) return 'false at the end';
    if (yield* this.#holdsAt(low)) return low;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (yield* this.#holdsAt(middle)) high = middle;
      else low = middle;
    }
    return high;
  }

  *#holdsAt(step: number): Generator<void, boolean> {
    let holds = false;
    for (const at of this.#evaluator.replay(step, step)) {
      if (at !== null) holds = this.#holds;
      yield;
    }
    return holds;
  }

  get #holds(): boolean {
    return this.#evaluator.isTrue(this.#where!);
  }

  /** Goes through steps that were never trained. @returns the last one there is, up to `to` */
  *#reach(to: number): Generator<void, number> {
    const session = this.#session;
    if (session.furthestStep >= to) return to;
    session.rewind(session.furthestStep);
    while (session.position.step < to) {
      session.train(1);
      this.#evaluator.replayed++;
      if (this.#evaluator.hasDiverged) return session.position.step;
      yield;
    }
    return to;
  }

  get #endOfRun(): RunQueryEnd {
    return this.#evaluator.hasDiverged && this.step < this.#range.to ? 'diverged' : 'complete';
  }

  #compile({ label, content, start, end }: QueryColumn): CompiledColumn {
    const evaluator = this.#evaluator;
    if (isText(content)) return { label, type: 'text', read: () => renderText(content, evaluator.scope) };
    const { type, shape } = evaluator.typeOf(content);
    if (shape.length > 0)
      throw new ExpressionError('A column is one value. Use norm(…), max(…) or an entry of the tensor.', start, end);
    return { label, type, read: () => toCell(evaluator.bound(content), type) };
  }
}

const isText = (content: QueryColumn['content']): content is Exclude<QueryColumn['content'], Expression> =>
  Array.isArray(content);

const expressionsIn = ({ content }: QueryColumn): readonly Expression[] =>
  isText(content) ? content.filter((part) => typeof part !== 'string') : [content];

function toCell(bound: Bound | null, type: 'number' | 'boolean'): RunQueryCell {
  if (!bound) return null;
  bound.prepare();
  const value = bound.at(0);
  return type === 'boolean' ? value !== 0 : value;
}

/** A search for a number looks for its changes. */
function typed(session: TrainingSession, query: RunQueryText): RunQueryText {
  if (query.kind === 'rows' || query.kind === 'bisect') return query;
  const { condition } = query;
  const { type } = new SeriesEvaluator(session, [condition]).typeOf(condition);
  return { ...query, condition: toCondition(condition, type) };
}

function assertCondition({ start, end }: Expression, { type, shape }: Pick<Bound, 'type' | 'shape'>): void {
  if (shape.length > 0)
    throw new ExpressionError('A condition is true or false. Use any(…) or all(…) for a tensor.', start, end);
  if (type !== 'boolean')
    throw new ExpressionError('A condition is true or false, not a number. Compare it with one.', start, end);
}

/** A search that jumps would have to replay the whole run at each step of it. */
function assertReplayable(evaluator: SeriesEvaluator, kind: Search, { start, end }: Expression): void {
  if (evaluator.readsWholePast)
    throw new ExpressionError(`${kind} cannot search for a condition with last(…). Use first, or a query.`, start, end);
}
