// Looks at the data of a run, as its files hold it, a slice at a time: a client that wants the rest asks again.
import type { OpenDataFiles } from '../engine/datasets/data-file';
import { DataError } from '../engine/datasets/data-error';
import type { SampleSource } from '../engine/datasets/sample-source';
import type { CooperativeTask } from '../engine/cooperative-task';
import type { TrainingSession } from './session';

/** Milliseconds of a slice. */
const SLICE_MS = 20;

const NO_FILES: OpenDataFiles = {
  open: (path, at) => {
    throw new DataError(`${JSON.stringify(path)} cannot be read here.`, 'Open the spec again.', at);
  },
  decompress: () => 'damaged',
  close: () => undefined,
};

const openTasks = new WeakMap<TrainingSession, Set<DataTask<unknown>>>();

/** Closes the files that are still read for a session. */
export function closeDataTasks(session: TrainingSession): void {
  for (const task of openTasks.get(session) ?? []) task.close();
}

export class DataTask<Result> {
  result: Result | null = null;
  /** Why the data cannot be read. */
  error: string | null = null;
  /** What is being done. */
  progress = '';
  readonly #files: OpenDataFiles;
  readonly #task: CooperativeTask<Result>;

  constructor(
    readonly session: TrainingSession,
    look: (source: SampleSource) => CooperativeTask<Result>,
  ) {
    const { run, openDataFiles } = session;
    const files = openDataFiles?.() ?? NO_FILES;
    this.#files = files;
    this.#task = (function* () {
      return yield* look(yield* run.openSource(files));
    })();
    const tasks = openTasks.get(session) ?? new Set();
    openTasks.set(session, tasks.add(this));
  }

  get isDone(): boolean {
    return this.result !== null || this.error !== null;
  }

  /** Works for a slice, or to the end if the session has no clock. */
  advance(): void {
    const { now } = this.session;
    const start = now?.() ?? 0;
    try {
      while (!this.isDone && (now?.() ?? 0) - start < SLICE_MS) {
        const { done, value } = this.#task.next();
        if (done) this.result = value;
        else this.progress = value;
      }
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      this.error = `${error.message} ${error.remedy}`;
    } finally {
      if (this.isDone) this.close();
    }
  }

  close(): void {
    openTasks.get(this.session)?.delete(this);
    this.#files.close();
  }
}
