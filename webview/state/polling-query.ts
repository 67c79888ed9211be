// A query whose answer takes the engine several slices: repeated until the result is complete or another one is
// requested. Nothing continues if it is not requested.
import type { QueryValue, Query, QueryType } from '../../src/protocol/panel';
import type { Context } from '../context';

export class PollingQuery<Kind extends QueryType> {
  /** The result of the latest slice; null if there is none, or no value. */
  result: QueryValue<Kind> | null = null;
  /** Why it could not be answered, as a sentence. */
  error: string | null = null;
  #requestKey: string | null = null;
  #queryKey: string | null = null;
  #isPolling = false;
  /** Requested while another one is in progress. */
  #queued: Query<Kind> | null = null;

  /** @param isComplete whether a result is complete @param onChange there is something new to show */
  constructor(
    readonly context: Pick<Context, 'query'>,
    readonly isComplete: (answer: QueryValue<Kind>) => boolean,
    readonly onChange: () => void,
  ) {}

  /** Whether more results are to come. */
  get isBusy(): boolean {
    return this.#isPolling;
  }

  /**
   * Until the new result arrives, keeps the previous one if the query is the same.
   * @param version changes whenever the answer may change, such as with the step. @param question null for none
   */
  request(version: string, question: Query<Kind> | null): void {
    const text = question && JSON.stringify(question);
    const wanted = text && `${version} ${text}`;
    if (wanted === this.#requestKey) return;
    this.#requestKey = wanted;
    if (text !== this.#queryKey) this.result = null;
    this.#queryKey = text;
    this.error = null;
    if (question && !this.#isPolling) void this.#poll(question);
    else this.#queued = question;
  }

  async #poll(first: Query<Kind>): Promise<void> {
    this.#isPolling = true;
    let question: Query<Kind> | null = first;
    while (question) {
      this.#queued = null;
      const key = this.#requestKey;
      let whole = true;
      try {
        const { value } = await this.context.query<Kind>(question);
        if (this.#requestKey === key) {
          whole = value === null || this.isComplete(value);
          if (whole || !this.result || !this.isComplete(this.result)) this.result = value;
        }
      } catch (error) {
        if (this.#requestKey === key) this.error = error instanceof Error ? error.message : String(error);
      }
      if (this.#requestKey !== key) question = this.#queued;
      else if (whole) question = null;
      if (!question) this.#isPolling = false;
      if (this.#requestKey !== null) this.onChange();
    }
  }
}
