// A question whose answer takes the engine several slices: asked again until it is whole, or until something else is
// wanted. Nothing is under way once nobody asks.
import type { AnswerTo, Question, QuestionKind } from '../src/protocol/panel';
import type { Context } from './context';

export class Slices<Kind extends QuestionKind> {
  /** The latest slice's; null while there is none, or where there is nothing to say. */
  answer: AnswerTo<Kind> | null = null;
  /** Why it could not be answered, in a sentence. */
  trouble: string | null = null;
  #wanted: string | null = null;
  #question: string | null = null;
  #asking = false;
  /** Wanted while another is under way. */
  #next: Question<Kind> | null = null;

  /** @param isWhole whether an answer is all that there is @param changed something new is to be shown */
  constructor(
    readonly context: Pick<Context, 'ask'>,
    readonly isWhole: (answer: AnswerTo<Kind>) => boolean,
    readonly changed: () => void,
  ) {}

  /** Whether more is to come. */
  get busy(): boolean {
    return this.#asking;
  }

  /**
   * Meanwhile the answer before is there, if it is to the same question.
   * @param when changes whenever the answer may, such as with the step. @param question null for none
   */
  want(when: string, question: Question<Kind> | null): void {
    const text = question && JSON.stringify(question);
    const wanted = text && `${when} ${text}`;
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (text !== this.#question) this.answer = null;
    this.#question = text;
    this.trouble = null;
    if (question && !this.#asking) void this.#go(question);
    else this.#next = question;
  }

  async #go(first: Question<Kind>): Promise<void> {
    this.#asking = true;
    let question: Question<Kind> | null = first;
    while (question) {
      this.#next = null;
      const key = this.#wanted;
      let whole = true;
      try {
        const { answer } = await this.context.ask<Kind>(question);
        if (this.#wanted === key) {
          whole = answer === null || this.isWhole(answer);
          if (whole || !this.answer || !this.isWhole(this.answer)) this.answer = answer;
        }
      } catch (error) {
        if (this.#wanted === key) this.trouble = error instanceof Error ? error.message : String(error);
      }
      if (this.#wanted !== key) question = this.#next;
      else if (whole) question = null;
      if (!question) this.#asking = false;
      if (this.#wanted !== null) this.changed();
    }
  }
}
