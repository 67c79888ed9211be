// The results file of a sweep, next to its spec. A crash while it is written leaves the old one.
import { replaceFile } from '../../data-files/replace-file';
import { readTextFile } from '../../data-files/text-file';
import { parseResults, type SweepResults, serializeResults } from '../../sweep/results';

/** `circles.sweep.json` for circles.nabla.json. */
export const resultsFileOf = (spec: string): string => `${spec.replace(/(\.nabla)?\.json$/i, '')}.sweep.json`;

export interface SweepLocation {
  /** Path of the spec. */
  readonly specFile: string;
  /** The results file must be inside this folder, after following links; null for any folder. */
  readonly root: string | null;
  /** A file that the user named, which may be anywhere. */
  readonly resultsFile?: string;
}

export type LoadedResults =
  | { readonly kind: 'found'; readonly results: SweepResults }
  | { readonly kind: 'none' }
  /** Something of this name exists that is not a readable results file of this version. */
  | { readonly kind: 'unreadable' };

/** JSON.parse takes about 9 ms per MB, and the extension host waits for it. */
const MAX_BYTES = 32 * 2 ** 20;

export class SweepStore {
  #pendingSave: (() => SweepResults) | null = null;
  #activeWrite: Promise<void> | null = null;

  /** @param folders that the file must be in, after following links; null for any */
  constructor(
    readonly file: string,
    readonly folders: readonly string[] | null,
  ) {}

  async load(): Promise<LoadedResults> {
    const read = await readTextFile(this.file, { folders: this.folders, maxBytes: MAX_BYTES });
    if (read.kind === 'missing') return { kind: 'none' };
    const results = read.kind === 'text' ? parseResults(read.text) : null;
    return results ? { kind: 'found', results } : { kind: 'unreadable' };
  }

  /** Writes the results. If several versions arrive during a write, only the latest is written. Rejects on failure. */
  save(createResults: () => SweepResults): Promise<void> {
    this.#pendingSave = createResults;
    this.#activeWrite ??= this.#write().finally(() => {
      this.#activeWrite = null;
    });
    return this.#activeWrite;
  }

  async #write(): Promise<void> {
    while (this.#pendingSave) {
      const text = serializeResults(this.#pendingSave());
      this.#pendingSave = null;
      await replaceFile(this.file, text);
    }
  }
}

export const openSweepStore = ({ specFile, resultsFile, root }: SweepLocation): SweepStore =>
  resultsFile === undefined
    ? new SweepStore(resultsFileOf(specFile), root === null ? null : [root])
    : new SweepStore(resultsFile, null);
