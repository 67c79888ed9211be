// Work in pieces, so that other work can run in between.

/** Yields a progress message after each piece. */
export type CooperativeTask<Result> = Generator<string, Result, void>;

/** Runs a task to completion without interruption. */
export function runToCompletion<T>(task: Generator<unknown, T>): T {
  for (;;) {
    const { done, value } = task.next();
    if (done) return value;
  }
}
