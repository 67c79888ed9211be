// The messages between the extension host and a panel. `ToPanel` goes to the webview, `FromPanel` comes back.
import type { CheckProgress, CheckReport } from '../gradcheck/report';
import type { HistoryData } from '../history/history';
import type { Part } from '../parts/parts';
import type { Frame, ModelInfo, ProbeId } from '../session/frame';
import type { Answered, Asking, Question } from '../session/questions';
import type { SessionCommand } from './engine';
import type { SweepState } from './sweep';

export type { CheckProgress, CheckReport, EntryReport, ParameterCheck, Verdict } from '../gradcheck/report';
export type { HistoryData } from '../history/history';
export type { SeriesData } from '../history/series';
export type {
  ActivationReading, BatchPlace, Frame, GradientReading, LayerFigures, LayerInfo, LayerReading, ModelInfo, NonFinite, ParameterInfo,
  ParameterReading, Part, Phase, Position, ProbeId, RunStatus, TensorKind, TensorReading, TensorRequest,
} from '../session/frame';
export type { Answered, AnswerTo, Asking, Question, QuestionKind } from '../session/questions';
export type { SessionCommand };
export type { Best, Group, Measures, Spread, SweepReport } from '../sweep/report';
export type { RunState, SweepState } from '../sweep/state';

/** A problem as people see it: lines and columns counted from 1. */
export interface PanelProblem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly remedy: string;
  readonly line: number;
  readonly column: number;
}

/** What the panel is about, and whether there is a run to show. */
export type PanelState =
  /** The file is open but holds nothing that could run, and no run came before. */
  | { readonly kind: 'problems' }
  | { readonly kind: 'loading'; readonly text: string }
  | { readonly kind: 'run' }
  /** Layers of the user's own are not run: the workspace is not trusted, or nobody said yes for this folder. */
  | { readonly kind: 'code'; readonly trusted: boolean; readonly folder: string; readonly layers: readonly string[] }
  /** The engine process died; the run can be restored where `restorable`. */
  | { readonly kind: 'stopped'; readonly reason: string; readonly restorable: boolean; readonly step: number };

/** The sweep that a spec describes, or why there is nothing to say of it. */
export interface PanelSweep {
  /** Null where the spec sweeps nothing. */
  readonly state: SweepState | null;
  /** Asked for, and not begun yet. */
  readonly starting: boolean;
  /** Why it could not begin, or ended before its end. */
  readonly trouble: string | null;
}

export interface PanelSnapshot {
  /** File name of the spec, for titles. */
  readonly file: string;
  readonly state: PanelState;
  /** Problems of the text as it stands; a run may go on beside them. */
  readonly problems: readonly PanelProblem[];
  readonly model: ModelInfo | null;
  readonly frame: Frame | null;
  readonly history: HistoryData;
  readonly check: CheckReport | null;
  readonly checking: CheckProgress | null;
  /** What can be undone, in words that go on after "Undo:"; null where nothing can. */
  readonly undo: string | null;
}

/** What is large is sent in parts. */
export type SentToPanel = ToPanel | Part;

export type ToPanel =
  /** Everything, when the panel is ready or shown again, and whenever a new run begins. */
  | { readonly type: 'snapshot'; readonly snapshot: PanelSnapshot }
  | { readonly type: 'state'; readonly state: PanelState }
  | { readonly type: 'problems'; readonly problems: readonly PanelProblem[] }
  /** One is in flight at a time: the panel answers with `taken`. */
  | { readonly type: 'frame'; readonly frame: Frame }
  | { readonly type: 'checking'; readonly progress: CheckProgress | null }
  | { readonly type: 'check'; readonly report: CheckReport }
  | { readonly type: 'undo'; readonly what: string | null }
  | { readonly type: 'sweep'; readonly sweep: PanelSweep }
  /** To `ask`; a sentence instead where it could not be answered. */
  | { readonly type: 'answer'; readonly id: number; readonly answered: Answered | string }
  /** A sentence about something that just happened, such as a restart on a changed spec. */
  | { readonly type: 'notice'; readonly level: 'info' | 'warning' | 'error'; readonly text: string }
  /** The cursor in the spec stands on this layer; null when on none. */
  | { readonly type: 'select'; readonly layer: number | null };

export type FromPanel =
  | { readonly type: 'ready' }
  /** A frame is on the screen; while it trains, it is being drawn: the next one may be made meanwhile. */
  | { readonly type: 'taken'; readonly sequence: number }
  /** What the visible views need from now on; a list of questions a view. */
  | { readonly type: 'need'; readonly probes: readonly ProbeId[]; readonly questions: readonly Asking[] }
  /** A question of its own, apart from the frames; answered under its number. */
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  | { readonly type: 'command'; readonly command: SessionCommand }
  | { readonly type: 'check' }
  | { readonly type: 'cancelCheck' }
  /** `start` does what is not done yet; `fresh` all of it. */
  | { readonly type: 'sweep'; readonly action: 'start' | 'fresh' | 'cancel' }
  /** A row was selected: mark its line in the spec. */
  | { readonly type: 'select'; readonly layer: number }
  | { readonly type: 'reveal'; readonly problem: number }
  /** Takes back the last change of the run by hand. */
  | { readonly type: 'undo' }
  | { readonly type: 'restore' }
  | { readonly type: 'startOver' }
  /** Layers of the user's own may run in this spec's folder. */
  | { readonly type: 'allowCode' }
  | { readonly type: 'manageTrust' }
  /** Text for the clipboard. */
  | { readonly type: 'copy'; readonly text: string }
  /** A file where a dialog says: CSV as text, PNG as base64. Its name is made of the title. */
  | { readonly type: 'save'; readonly kind: 'csv' | 'png'; readonly title: string; readonly content: string };
