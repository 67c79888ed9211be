// The file beside the spec that keeps what a sweep found. Written beside and renamed, so that a crash leaves the old one.
import fs from 'node:fs';
import path from 'node:path';
import { readResults, type SweepResults, writeResults } from '../../sweep/results';

/** `circles.sweep.json` for circles.nabla.json. */
export const resultsFileOf = (spec: string): string => `${spec.replace(/(\.nabla)?\.json$/i, '')}.sweep.json`;

export type LoadedResults =
  | { readonly kind: 'found'; readonly results: SweepResults }
  | { readonly kind: 'none' }
  /** There is a file, but it is none of a sweep, or of another version. */
  | { readonly kind: 'strange' };

export class SweepStore {
  #waiting: (() => SweepResults) | null = null;
  #writing: Promise<void> | null = null;

  constructor(readonly file: string) {}

  load(): LoadedResults {
    let text: string;
    try {
      text = fs.readFileSync(this.file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'none' };
      throw error;
    }
    const results = readResults(text);
    return results ? { kind: 'found', results } : { kind: 'strange' };
  }

  /** Writes what `make` gives; while a write goes on only the newest of those that follow counts. Rejects where it cannot be written. */
  save(make: () => SweepResults): Promise<void> {
    this.#waiting = make;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#waiting) {
      const text = writeResults(this.#waiting());
      this.#waiting = null;
      const beside = path.join(path.dirname(this.file), `.${path.basename(this.file)}.${process.pid}.tmp`);
      await fs.promises.writeFile(beside, text);
      await fs.promises.rename(beside, this.file);
    }
  }
}
