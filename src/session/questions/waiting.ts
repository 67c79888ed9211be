// Questions that wait for an answer while a run trains: a step that nobody looks at leaves too little to answer from.
import type { TrainingSession } from '../session';
import { answerTo, type Answered, type Question } from './index';

export class WaitingQuestions {
  #waiting: (() => void)[] = [];

  get any(): boolean {
    return this.#waiting.length > 0;
  }

  /** Settles with the next `answer`. */
  ask(session: TrainingSession, question: Question): Promise<Answered> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(answerTo(session, question));
        } catch (error) {
          reject(error as Error);
        }
      });
    });
  }

  answer(): void {
    for (const answer of this.#waiting.splice(0)) answer();
  }
}
