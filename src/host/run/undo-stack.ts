// The states of a run before its latest manual changes, so that these can be undone.
import type { RunRecord } from '../../protocol/run-record';
import { type SessionCommand, undoLabelOf } from '../../protocol/command';
import type { StoredRun } from './run-store';
import type { RunViewModel } from './run-view-model';

/** Each holds a copy of the weights. */
const MAX_ENTRIES = 8;

interface UndoEntry {
  readonly run: StoredRun;
  readonly label: string;
}

export class UndoStack {
  #entries: UndoEntry[] = [];

  constructor(readonly view: RunViewModel) {}

  /** Saves the state of the run if the command is a manual change that discards steps. */
  async push(command: SessionCommand, record: () => Promise<RunRecord | null>): Promise<void> {
    const { frame } = this.view;
    const step = frame?.position.step ?? 0;
    const label = undoLabelOf(command, step, !frame || frame.furthestStep === step);
    if (label === null) return;
    const current = await record().catch(() => null);
    if (current)
      this.#set(
        [...this.#entries, { run: { record: current, history: this.view.history.data() }, label }].slice(-MAX_ENTRIES),
      );
  }

  /** Removes and returns the latest state. */
  pop(): UndoEntry | null {
    const last = this.#entries[this.#entries.length - 1];
    this.#set(this.#entries.slice(0, -1));
    return last ?? null;
  }

  clear(): void {
    if (this.#entries.length > 0) this.#set([]);
  }

  #set(entries: UndoEntry[]): void {
    this.#entries = entries;
    this.view.setUndoLabel(entries[entries.length - 1]?.label ?? null);
  }
}
