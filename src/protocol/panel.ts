// The calls between the extension host and the page of a panel, typed by these interfaces and carried by birpc.

import type { ProbeId } from './layer-stats';
export type { ActivationStats, GradientStats, LayerStats, ParameterStats, ProbeId } from './layer-stats';
import type { Position } from './position';
export type { BatchPosition, SplitName, Phase, Position } from './position';
import type { CheckProgress, CheckReport } from './check-report';
export type { CheckProgress, CheckReport, Diagnosis, EntryReport, ParameterCheck, Verdict } from './check-report';
import type { Frame } from './frame';
export { holdsAt, type RunFinding } from './finding';
export type { Frame, NonFinite, RunStatus } from './frame';
import type { LectureAction, PanelLecture, StopPicture, StopSelection } from './lecture';
export type { LectureAction, PanelLecture, ShownStop, StopPicture, StopSelection } from './lecture';
import type { ModelInfo } from './model-info';
import type { DoctorReport } from './doctor-report';
export type { LayerBlock, LayerSummary, LayerInfo, ModelInfo, ParameterInfo } from './model-info';
import type { QueryResult, TensorRequest, ViewQueries, Query } from './queries';
export type {
  ElementRef,
  TensorKind,
  TensorTile,
  TensorRequest,
  QueryResult,
  QueryValue,
  ViewQueries,
  Query,
  QueryType,
} from './queries';
export type { Best, FittedFunction, Group, Measures, Spread, SweepReport, RunState, SweepState } from './sweep';
import type { HistoryData } from '../history/history';
import type { Chunk } from '../chunking/chunks';
import type { SessionCommand } from './engine';
import type { QuickFix } from './problem';
import type { PanelQuestion } from './questions';
export type { PanelQuestion };
import type { SweepState } from './sweep';

export type { HistoryData } from '../history/history';
export type { SeriesData } from '../history/series';

export type { SessionCommand };

/** A problem with its position for display: lines and columns from 1. */
export interface PanelProblem {
  readonly severity: 'error' | 'warning' | 'information';
  readonly message: string;
  readonly remedy: string;
  readonly line: number;
  readonly column: number;
}

/** The state of the panel, and whether there is a run to show. */
export type PanelState =
  /** The spec cannot run, and there is no earlier run. */
  | { readonly kind: 'problems' }
  | { readonly kind: 'loading'; readonly text: string }
  | { readonly kind: 'run' }
  /** Custom layers need permission: the workspace is not trusted, or the user has not allowed this folder. */
  | { readonly kind: 'code'; readonly trusted: boolean; readonly folder: string; readonly layers: readonly string[] }
  /** The engine process ended; the run can be restored if `restorable`. */
  | { readonly kind: 'stopped'; readonly reason: string; readonly restorable: boolean; readonly step: number };

/** The sweep of a spec, or why there is none to show. */
export interface PanelSweep {
  /** Null if the spec has no sweep. */
  readonly state: SweepState | null;
  /** Requested but not started yet. */
  readonly isStarting: boolean;
  /** Why it could not start, or ended early. */
  readonly error: string | null;
}

/** The diagnosis of a spec. */
export type PanelDoctor =
  | { readonly kind: 'idle' }
  /** `share` is that of the stage, 0 to 1. */
  | { readonly kind: 'running'; readonly stage: string; readonly share: number }
  | { readonly kind: 'canceled' }
  | { readonly kind: 'failed'; readonly reason: string }
  | {
      readonly kind: 'done';
      readonly report: DoctorReport;
      /** The line of each finding in the spec, from 1; null for a finding of the run. */
      readonly lines: readonly (number | null)[];
      /** The spec has changed since. */
      readonly isOutdated: boolean;
    };

export interface PanelSnapshot {
  /** File name of the spec, for titles. */
  readonly file: string;
  readonly state: PanelState;
  /** Problems of the current text; a run may continue regardless. */
  readonly problems: readonly PanelProblem[];
  readonly model: ModelInfo | null;
  readonly frame: Frame | null;
  readonly history: HistoryData;
  readonly check: CheckReport | null;
  readonly checking: CheckProgress | null;
  /** The manual change that can be undone; continues "Undo:". Null if there is none. */
  readonly undo: string | null;
}

/** A change of what the panel shows. */
export type PanelUpdate =
  /** The whole state: when the page is ready or shown again, and when a new run begins. */
  | { readonly type: 'snapshot'; readonly snapshot: PanelSnapshot }
  | { readonly type: 'state'; readonly state: PanelState }
  | { readonly type: 'problems'; readonly problems: readonly PanelProblem[] }
  | { readonly type: 'checking'; readonly progress: CheckProgress | null }
  | { readonly type: 'check'; readonly report: CheckReport }
  | { readonly type: 'undo'; readonly what: string | null }
  | { readonly type: 'sweep'; readonly sweep: PanelSweep }
  | { readonly type: 'doctor'; readonly doctor: PanelDoctor }
  | { readonly type: 'lecture'; readonly lecture: PanelLecture }
  /** A command enters presentation mode. */
  | { readonly type: 'present' }
  /** A command opens a view, by its id. */
  | { readonly type: 'showView'; readonly view: string }
  /** A command shows a tensor, in the view of tensors. */
  | { readonly type: 'showTensor'; readonly tensor: TensorRequest }
  /** Asks a query over the run. `to`: the last step it reads; null for the step shown. */
  | { readonly type: 'askQuery'; readonly text: string; readonly to: number | null }
  /** A message about something that just happened, such as a restart after a change of the spec. */
  | { readonly type: 'notice'; readonly level: 'info' | 'warning' | 'error'; readonly text: string }
  /** The layer at the cursor in the spec; null for none. */
  | { readonly type: 'select'; readonly layer: number | null };

/** Calls answered by the page. */
export interface PageCalls {
  update(update: PanelUpdate): void;
  /**
   * Resolves when the page has painted the frame; during training, as soon as it can take the next one. A large frame
   * arrives in the engine's chunks.
   */
  frame(frame: Frame | Chunk): Promise<void>;
  /** What the page shows now, for a stop of a lecture. */
  selection(): Promise<StopSelection>;
  /** The pictures of the open view at a position, once it is drawn and nothing moves; null if it does not come. */
  pictures(position: Position): Promise<readonly StopPicture[] | null>;
}

/** Content for a file; a dialog asks where to save it. */
export interface ExportedFile {
  /** CSV as text, PNG as base64. */
  readonly kind: 'csv' | 'png';
  /** The file name is derived from it. */
  readonly title: string;
  readonly content: string;
}

/** Calls answered by the extension host. */
export interface PanelRequests {
  /** The page was created and needs a snapshot. */
  ready(): void;
  /** What the visible views need from now on; one list of queries per view. */
  subscribe(probes: readonly ProbeId[], queries: readonly ViewQueries[]): Promise<void>;
  /** Answers one query outside of frames. Rejects with a sentence if there is no answer. */
  query(query: Query): Promise<QueryResult>;
  command(command: SessionCommand): Promise<void>;
  check(): Promise<void>;
  cancelCheck(): Promise<void>;
  /** `start` trains the runs without a result; `fresh` trains all of them. */
  sweep(action: 'start' | 'fresh' | 'cancel'): Promise<void>;
  /** Opens a run of the sweep as a spec of its own, in a panel of its own. @param run index into the sweep's runs */
  openSweepRun(run: number): Promise<void>;
  /** Diagnoses the spec as it is now; the outcome arrives as updates. */
  doctor(action: 'start' | 'cancel'): Promise<void>;
  /** Applies the fix of a finding to the spec, as an edit that can be undone. @param finding index into the report */
  applyFix(finding: number): Promise<void>;
  /** Goes to the line of a finding in the spec. @param finding index into the report */
  revealFinding(finding: number): Promise<void>;
  /** A row was selected: highlights its line in the spec. */
  selectLayer(layer: number): void;
  /** Goes to the position of a problem in the spec. @param problem index into `problems` */
  revealProblem(problem: number): void;
  /** Goes to the code of the custom layer that the last check found wrong; otherwise to its line in the spec. */
  revealDiagnosis(): void;
  /** Changes the text of the spec; the user can undo it in the editor. */
  applyQuickFix(fix: QuickFix): Promise<void>;
  /** Replays the current step under the JavaScript debugger. @param layer name of a custom layer */
  debugLayer(layer: string): Promise<void>;
  /** Undoes the last manual change of the run. */
  undo(): Promise<void>;
  restore(): Promise<void>;
  startOver(): Promise<void>;
  /** Allows custom layers to run in the folder of this spec. */
  allowCode(): Promise<void>;
  manageTrust(): Promise<void>;
  /** Opens the answer to a question in docs/systems.md, next to the panel. */
  openAnswer(question: PanelQuestion): Promise<void>;
  /** Copies a text to the clipboard. */
  copyText(text: string): Promise<void>;
  saveFile(file: ExportedFile): Promise<void>;
  lecture(action: LectureAction): Promise<void>;
  /** Marks the place of a term in the spec, such as that of `hidden.weight`; null removes the mark. */
  highlight(term: string | null): void;
}
