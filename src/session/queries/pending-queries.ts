// Queries that wait for an answer during training, since an unobserved step keeps too little to answer from.
import type { QueryResult, Query } from '../../protocol/queries';
import type { TrainingSession } from '../session';
import { runQuery } from './index';

export class PendingQueries {
  #pending: (() => void)[] = [];

  get hasAny(): boolean {
    return this.#pending.length > 0;
  }

  /** Resolves with the next `answer`. */
  add(session: TrainingSession, query: Query): Promise<QueryResult> {
    return new Promise((resolve, reject) => {
      this.#pending.push(() => {
        try {
          resolve(runQuery(session, query));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  resolveAll(): void {
    for (const resolve of this.#pending.splice(0)) resolve();
  }
}
