// The tensor that a frame holds, for tests of the view that asks for it.
import { answerIn } from '../../../webview/questions';
import type { AnswerTo, Frame, Question } from '../../../src/protocol/panel';

export const tensorQuestionOf = (frame: Frame): Question<'tensor'> | null =>
  frame.answers.find(({ question }) => question.about === 'tensor')?.question ?? null;

export function tensorOf(frame: Frame): AnswerTo<'tensor'> | null {
  const question = tensorQuestionOf(frame);
  return question && answerIn(frame, question);
}
