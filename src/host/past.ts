// What a run was before it was changed by hand, to go back to: a few of the latest.
import type { SessionCommand } from '../protocol/engine';
import type { RunRecord } from '../session/record';
import type { StoredRun } from './run-store';
import type { RunView } from './run-view';

/** Each holds a copy of the weights. */
const MOST = 8;

interface Before {
  readonly run: StoredRun;
  readonly what: string;
}

export class Past {
  #all: Before[] = [];

  constructor(readonly view: RunView) {}

  /** Keeps the run as it is where a command is about to change it so that steps are forgotten. */
  async keep(command: SessionCommand, record: () => Promise<RunRecord | null>): Promise<void> {
    const what = changeOf(command, this.view.frame);
    if (what === null) return;
    const now = await record().catch(() => null);
    if (now) this.#set([...this.#all, { run: { record: now, history: this.view.history.data() }, what }].slice(-MOST));
  }

  /** The latest, which is taken out. */
  take(): Before | null {
    const last = this.#all[this.#all.length - 1];
    this.#set(this.#all.slice(0, -1));
    return last ?? null;
  }

  clear(): void {
    if (this.#all.length > 0) this.#set([]);
  }

  #set(all: Before[]): void {
    this.#all = all;
    this.view.setUndo(all[all.length - 1]?.what ?? null);
  }
}

/** In words that go on after "Undo:"; null where there is nothing to undo. */
function changeOf(command: SessionCommand, frame: RunView['frame']): string | null {
  if (command.type === 'fork') return `the other way on from step ${command.step}`;
  if (command.type === 'setWeights') return command.weights.length === 1 ? `setting ${command.weights[0].parameter}` : `setting ${command.weights.length} weights`;
  if (command.type !== 'setLearningRate' || !frame || frame.frontier === frame.position.step) return null;
  return `learning rate ${command.lr} from step ${frame.position.step} on`;
}
