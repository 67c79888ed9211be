// What can be asked about a run where it stands. The answer is data of its own: the session does not touch it again.
import type { TrainingSession } from '../session';

export interface QuestionDefinition<About extends string = string, Asked = unknown, Answer = unknown> {
  readonly about: About;
  /**
   * Reads and never changes. Null where there is nothing to say: the step has not come so far, or what is asked about
   * does not exist (a question may be as old as the run before).
   */
  answer(session: TrainingSession, asked: Asked): Answer | null;
}

/** Keeps the types of a definition while it is stored beside others. */
export const defineQuestion = <const About extends string, Asked, Answer>(
  definition: QuestionDefinition<About, Asked, Answer>,
): QuestionDefinition<About, Asked, Answer> => definition;
