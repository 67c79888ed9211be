// Work that can be done in pieces, so that others may have their turn in between.

/** After each piece, what is being done in words. */
export type InPieces<Result> = Generator<string, Result, void>;

/** Runs a generator to its end at once. */
export function finish<T>(generator: Generator<unknown, T>): T {
  for (;;) {
    const { done, value } = generator.next();
    if (done) return value as T;
  }
}
