// The tensor that a frame holds, for tests of the view that asks for it.
import { answerIn } from '../../../webview/questions';
import type { Answered, AnswerTo, Frame, Question } from '../../../src/protocol/panel';

export const tensorQuestionOf = (frame: Frame): Question<'tensor'> | null =>
  (frame.answers.find(({ question }) => question.about === 'tensor') as Answered<'tensor'> | undefined)?.question ?? null;

export function tensorOf(frame: Frame): AnswerTo<'tensor'> | null {
  const question = tensorQuestionOf(frame);
  return question && answerIn(frame, question);
}
