// Reads other steps for the expressions of a watch: replays the run in a second session, a slice at a time, and keeps
// what was read until the run moves.
import { type Expression, ExpressionError, type Scope } from '../expressions';
import { openReplaySession } from './scratch-session';
import { SeriesEvaluator } from './series-evaluator';
import type { TrainingSession } from './session';
import { SliceClock } from './slice-clock';

/** Expressions whose values are kept. */
const MAX_KEPT = 16;
/** Milliseconds of replaying for one expression. */
const MAX_WORK_MS = 20_000;

interface Reading {
  readonly expression: Expression;
  readonly evaluator: SeriesEvaluator;
  readonly replay: Generator<number | null, void>;
  isDone: boolean;
  milliseconds: number;
}

export class PastReader {
  readonly #session: TrainingSession;
  readonly #readings = new Map<string, Reading>();

  constructor(session: TrainingSession) {
    this.#session = session;
  }

  /**
   * Works for a slice, unless the values are known.
   * @returns what other steps hold for the calls in `expression`, or the step that the replay has reached
   * @throws ExpressionError
   */
  read(
    text: string,
    expression: Expression,
  ): { readonly expression: Expression; readonly readPast: NonNullable<Scope['past']> } | { readonly step: number } {
    const session = this.#session;
    const { shownStep } = session;
    const key = JSON.stringify([text, shownStep, session.trajectoryKey(shownStep)]);
    let reading = this.#readings.get(key);
    if (!reading) {
      const evaluator = new SeriesEvaluator(openReplaySession(session), [expression]);
      evaluator.assertSteps(Math.max(shownStep, session.furthestStep));
      const replay = evaluator.replay(shownStep, shownStep);
      reading = { expression, evaluator, replay, isDone: false, milliseconds: 0 };
      if (this.#readings.size >= MAX_KEPT) this.#readings.delete(this.#readings.keys().next().value!);
      this.#readings.set(key, reading);
    }
    const clock = new SliceClock(session);
    while (!reading.isDone && !clock.isOver) {
      const { done, value } = reading.replay.next();
      reading.isDone = done === true || value === shownStep;
    }
    reading.milliseconds += clock.elapsed;
    if (!reading.isDone && reading.milliseconds > MAX_WORK_MS)
      throw new ExpressionError(
        'Replaying the run takes too long for a watch. Ask a query instead, which shows its progress.',
        expression.start,
        expression.end,
      );
    if (!reading.isDone) return { step: reading.evaluator.session.position.step };
    return { expression: reading.expression, readPast: reading.evaluator.readPast };
  }
}
