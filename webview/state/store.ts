// The panel's data, and how each message of the host changes it. No DOM, no clock. Only the history is modified in
// place, since copying thousands of buckets per frame would be slow.
import { History } from '../../src/history/history';
import type {
  CheckProgress,
  CheckReport,
  Frame,
  ModelInfo,
  PanelDoctor,
  PanelLecture,
  PanelProblem,
  PanelState,
  PanelSweep,
  PanelUpdate,
} from '../../src/protocol/panel';
import { formatInteger, formatCompact } from '../../src/presentation/numbers';

export interface Notice {
  readonly id: number;
  readonly level: 'info' | 'warning' | 'error';
  readonly text: string;
}

export interface PanelData {
  readonly file: string;
  /** Null until the host has sent it. */
  readonly state: PanelState | null;
  readonly problems: readonly PanelProblem[];
  readonly model: ModelInfo | null;
  readonly frame: Frame | null;
  readonly history: History;
  readonly check: CheckReport | null;
  readonly checking: CheckProgress | null;
  /** A description of the change that can be undone; null if there is none. */
  readonly undo: string | null;
  readonly sweep: PanelSweep;
  readonly doctor: PanelDoctor;
  readonly lecture: PanelLecture;
  readonly notices: readonly Notice[];
  /** Index of the selected layer. */
  readonly layer: number | null;
  /** Increases with every run shown, so that views know when to reset. */
  readonly runVersion: number;
}

/** What changes the panel's data. */
export type StoreMessage = PanelUpdate | { readonly type: 'frame'; readonly frame: Frame };

/** More would cover the panel. */
export const MAX_NOTICES = 3;

export const initialData = (layer: number | null = null): PanelData => ({
  file: '',
  state: null,
  problems: [],
  model: null,
  frame: null,
  history: new History(),
  check: null,
  checking: null,
  undo: null,
  sweep: { state: null, isStarting: false, error: null },
  doctor: { kind: 'idle' },
  lecture: { recording: null, playing: null },
  notices: [],
  layer,
  runVersion: 0,
});

export function reduce(data: PanelData, message: StoreMessage): PanelData {
  switch (message.type) {
    case 'snapshot': {
      const { snapshot } = message;
      const history = new History();
      history.merge(snapshot.history);
      const layers = snapshot.model?.layers.length ?? 0;
      const layer = data.layer !== null && data.layer < layers ? data.layer : null;
      return { ...data, ...snapshot, history, layer, runVersion: data.runVersion + 1 };
    }
    case 'state':
      return { ...data, state: message.state };
    case 'problems':
      return { ...data, problems: message.problems };
    case 'frame': {
      const { frame } = message;
      if (frame.truncatedTo !== null) data.history.truncate(frame.truncatedTo);
      data.history.merge(frame.history);
      return { ...noticeDiscardedSteps(data, frame), frame };
    }
    case 'checking':
      return { ...data, checking: message.progress };
    case 'check':
      return { ...data, check: message.report, checking: null };
    case 'undo':
      return { ...data, undo: message.what };
    case 'sweep':
      return { ...data, sweep: message.sweep };
    case 'doctor':
      return { ...data, doctor: message.doctor };
    case 'lecture':
      return { ...data, lecture: message.lecture };
    // Settings of the page, which the app changes.
    case 'showView':
    case 'present':
      return data;
    case 'askQuery':
      return data;
    case 'showTensor':
      return { ...data, layer: message.tensor.layer };
    case 'notice':
      return notify(data, message.level, message.text);
    case 'select':
      return { ...data, layer: message.layer };
    default:
      message satisfies never;
      return data;
  }
}

/** Adds a notice that says which steps a change discarded. */
function noticeDiscardedSteps(data: PanelData, { lr, truncatedTo, furthestStep }: Frame): PanelData {
  const other = lr !== data.frame?.lr;
  const before = data.frame?.furthestStep ?? 0;
  // A reset discards everything, as its name says.
  if (truncatedTo === null || truncatedTo < 0 || before <= furthestStep) return data;
  return notify(
    data,
    'info',
    `Discarded steps ${formatInteger(furthestStep + 1)} to ${formatInteger(before)}: they ${other ? 'used another learning rate' : 'do not follow from the change'}. The run continues with lr ${formatCompact(lr)}.`,
  );
}

/** Adds a notice; one that is already there moves to the end. */
export function notify(data: PanelData, level: Notice['level'], text: string): PanelData {
  const id = 1 + Math.max(0, ...data.notices.map((notice) => notice.id));
  const others = data.notices.filter((notice) => notice.text !== text);
  return { ...data, notices: [...others, { id, level, text }].slice(-MAX_NOTICES) };
}

export const dismiss = (data: PanelData, id: number): PanelData => ({
  ...data,
  notices: data.notices.filter((notice) => notice.id !== id),
});

/** A warning belongs to the last action and is removed by the next one; an error stays until it is dismissed. */
export const clearWarnings = (data: PanelData): PanelData =>
  data.notices.some(({ level }) => level === 'warning')
    ? { ...data, notices: data.notices.filter(({ level }) => level !== 'warning') }
    : data;

/** Holds the data and notifies its listeners. */
export class Store {
  #data: PanelData;
  readonly #listeners = new Set<() => void>();

  constructor(data: PanelData = initialData()) {
    this.#data = data;
  }

  get data(): PanelData {
    return this.#data;
  }

  setData(data: PanelData): void {
    this.#data = data;
    for (const listener of this.#listeners) listener();
  }

  dispatch(message: StoreMessage): void {
    this.setData(reduce(this.#data, message));
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
