// The questions. To add one: a file beside this, and a line in the table.
import type { Position } from '../frame';
import type { TrainingSession } from '../session';
import { changedSince } from './changed-since';
import { checkEntry } from './check-entry';
import { checkMap } from './check-map';
import { cost } from './cost';
import { filters } from './filters';
import { fitted } from './fitted';
import { fork } from './fork';
import { jacobian } from './jacobian';
import { nodes } from './nodes';
import { otherRates } from './other-rates';
import { picture } from './picture';
import { points } from './points';
import { predictions } from './predictions';
import type { QuestionDefinition } from './question';
import { readings } from './readings';
import { ridges } from './ridges';
import { tensor } from './tensor';
import { weightHistory } from './weight-history';
import { whatIf } from './what-if';
import { why } from './why';

export const questions = {
  changed_since: changedSince,
  check_entry: checkEntry,
  check_map: checkMap,
  cost,
  tensor,
  fitted,
  fork,
  picture,
  points,
  predictions,
  weight_history: weightHistory,
  nodes,
  other_rates: otherRates,
  jacobian,
  what_if: whatIf,
  why,
  readings,
  ridges,
  filters,
} as const;

export type QuestionKind = keyof typeof questions;
type Asked<Kind extends QuestionKind> = Parameters<(typeof questions)[Kind]['answer']>[1];

/** A question, by what it is about. */
export type Question<Kind extends QuestionKind = QuestionKind> = {
  [Each in Kind]: { readonly about: Each } & Asked<Each>;
}[Kind];

/** What one view asks: answered together, so that all it shows is of one step. */
export type Asking = readonly Question[];

export type AnswerTo<Kind extends QuestionKind> = NonNullable<ReturnType<(typeof questions)[Kind]['answer']>>;

export interface Answered<Kind extends QuestionKind = QuestionKind> {
  readonly question: Question<Kind>;
  /** Where the run stood. */
  readonly position: Position;
  /** Null where there was nothing to say. */
  readonly answer: AnswerTo<Kind> | null;
}

export function answerTo<Kind extends QuestionKind>(session: TrainingSession, question: Question<Kind>): Answered<Kind> {
  const definition: QuestionDefinition = questions[question.about] as QuestionDefinition;
  return { question, position: session.position, answer: definition.answer(session, question) as AnswerTo<Kind> | null };
}
