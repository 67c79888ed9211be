// What the panel knows, and how each message of the host changes it. No DOM, no clock. The history is the one
// thing changed in place: copying thousands of buckets a frame would be felt.
import { History } from '../src/history/history';
import type {
  CheckProgress, CheckReport, Frame, ModelInfo, PanelProblem, PanelState, PanelSweep, ToPanel,
} from '../src/protocol/panel';
import { formatCount, formatRound } from './numbers';

export interface Notice {
  readonly id: number;
  readonly level: 'info' | 'warning' | 'error';
  readonly text: string;
}

export interface PanelData {
  readonly file: string;
  /** Null until the host has answered. */
  readonly state: PanelState | null;
  readonly problems: readonly PanelProblem[];
  readonly model: ModelInfo | null;
  readonly frame: Frame | null;
  readonly history: History;
  readonly check: CheckReport | null;
  readonly checking: CheckProgress | null;
  /** What can be undone, in words; null where nothing can. */
  readonly undo: string | null;
  readonly sweep: PanelSweep;
  readonly notices: readonly Notice[];
  /** Index of the selected layer. */
  readonly layer: number | null;
  /** Rises with every run shown, so that views know when to forget what they drew. */
  readonly run: number;
}

/** More would cover what they are about. */
export const MAX_NOTICES = 3;

export const emptyData = (layer: number | null = null): PanelData => ({
  file: '', state: null, problems: [], model: null, frame: null, history: new History(), check: null,
  checking: null, undo: null, sweep: { state: null, starting: false, trouble: null }, notices: [], layer, run: 0,
});

export function reduce(data: PanelData, message: Exclude<ToPanel, { type: 'answer' }>): PanelData {
  switch (message.type) {
    case 'snapshot': {
      const { snapshot } = message;
      const history = new History();
      history.merge(snapshot.history);
      const layers = snapshot.model?.layers.length ?? 0;
      const layer = data.layer !== null && data.layer < layers ? data.layer : null;
      return { ...data, ...snapshot, history, layer, run: data.run + 1 };
    }
    case 'state':
      return { ...data, state: message.state };
    case 'problems':
      return { ...data, problems: message.problems };
    case 'frame': {
      const { frame } = message;
      if (frame.truncatedTo !== null) data.history.truncate(frame.truncatedTo);
      data.history.merge(frame.history);
      return { ...forgotten(data, frame), frame };
    }
    case 'checking':
      return { ...data, checking: message.progress };
    case 'check':
      return { ...data, check: message.report, checking: null };
    case 'undo':
      return { ...data, undo: message.what };
    case 'sweep':
      return { ...data, sweep: message.sweep };
    case 'notice':
      return notify(data, message.level, message.text);
    case 'select':
      return { ...data, layer: message.layer };
    default:
      message satisfies never;
      return data;
  }
}

/** Says that steps which had been reached are gone: nobody asked for that in so many words. */
function forgotten(data: PanelData, { lr, truncatedTo, frontier }: Frame): PanelData {
  const other = lr !== data.frame?.lr;
  const before = data.frame?.frontier ?? 0;
  // A reset forgets everything, as its name says.
  if (truncatedTo === null || truncatedTo < 0 || before <= frontier) return data;
  return notify(
    data, 'info',
    `What followed step ${formatCount(frontier)}, up to step ${formatCount(before)}, ${other ? 'came from another learning rate and is forgotten' : 'no longer follows from what was changed, and is forgotten'}. Run goes on with lr ${formatRound(lr)}.`,
  );
}

/** Adds a sentence; one that is already there moves to the end. */
export function notify(data: PanelData, level: Notice['level'], text: string): PanelData {
  const id = 1 + Math.max(0, ...data.notices.map((notice) => notice.id));
  const others = data.notices.filter((notice) => notice.text !== text);
  return { ...data, notices: [...others, { id, level, text }].slice(-MAX_NOTICES) };
}

export const dismiss = (data: PanelData, id: number): PanelData => ({
  ...data,
  notices: data.notices.filter((notice) => notice.id !== id),
});

/** A warning is about the last action, and old with the next one; an error stays until it is dismissed. */
export const actedOn = (data: PanelData): PanelData =>
  data.notices.some(({ level }) => level === 'warning') ? { ...data, notices: data.notices.filter(({ level }) => level !== 'warning') } : data;

/** Holds the data and tells who listens. */
export class Store {
  #data: PanelData;
  readonly #listeners = new Set<() => void>();

  constructor(data: PanelData = emptyData()) {
    this.#data = data;
  }

  get data(): PanelData {
    return this.#data;
  }

  change(data: PanelData): void {
    this.#data = data;
    for (const listener of this.#listeners) listener();
  }

  receive(message: Exclude<ToPanel, { type: 'answer' }>): void {
    this.change(reduce(this.#data, message));
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
