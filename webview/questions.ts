// Questions of the panel to the engine: what the frame holds, and what is asked once and answered by number.
import type { Answered, AnswerTo, Frame, FromPanel, Question, QuestionKind } from '../src/protocol/panel';

export const sameQuestion = (a: Question, b: Question): boolean => a.about === b.about && JSON.stringify(a) === JSON.stringify(b);

/** What a frame answers; null where it was not asked, or there was nothing to say. */
export function answerIn<Kind extends QuestionKind>(frame: Frame | null, question: Question<Kind>): AnswerTo<Kind> | null {
  const found = frame?.answers.find((answered) => sameQuestion(answered.question, question as Question));
  return (found as Answered<Kind> | undefined)?.answer ?? null;
}

export const answersAll = (frame: Frame, questions: readonly Question[]): boolean =>
  questions.every((question) => frame.answers.some((answered) => sameQuestion(answered.question, question)));

interface Waiting {
  resolve(answered: Answered): void;
  reject(error: Error): void;
}

export class Questions {
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(readonly send: (message: FromPanel) => void) {}

  ask<Kind extends QuestionKind>(question: Question<Kind>): Promise<Answered<Kind>> {
    const id = ++this.#last;
    return new Promise<Answered>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.send({ type: 'ask', id, question: question as Question });
    }) as Promise<Answered<Kind>>;
  }

  /** @param answered a sentence where there is no answer. */
  answered(id: number, answered: Answered | string): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (typeof answered === 'string') waiting?.reject(new Error(answered));
    else waiting?.resolve(answered);
  }
}
