// A lecture: stops in a run, each with what the panel shows there and what is said.
import type { Position } from './position';
import type { ViewId } from './views';

/** What the panel shows at a stop. */
export interface StopSelection {
  readonly view: ViewId;
  /** Index of the selected layer; null for none. */
  readonly layer: number | null;
  /** Index in the data of the pinned sample; null for the first of the batch. */
  readonly sample: number | null;
  /** The highlighted term, such as `hidden.weight`; null for the one that the phase computes. */
  readonly highlight: string | null;
}

/** A stop with the names of the file resolved. */
export interface ResolvedStop extends StopSelection {
  readonly position: Position;
}

/** What the page shows of a stop. */
export interface ShownStop {
  /** Its number, from 0. */
  readonly index: number;
  readonly count: number;
  /** Empty for none. */
  readonly title: string;
  /** Its text as HTML: made from Markdown by the host, without scripts, styles, images and raw HTML. */
  readonly html: string;
  readonly selection: StopSelection;
  readonly position: Position;
  /** The step that is gone to, which may have to be trained first; null once it is there. */
  readonly goingTo: number | null;
}

/** Of the run's panel: what is recorded, and what is played. */
export interface PanelLecture {
  readonly recording: { readonly file: string; readonly stops: number } | null;
  readonly playing: {
    /** File name. */
    readonly file: string;
    /** Empty for none. */
    readonly title: string;
    readonly stop: ShownStop;
    /** Rises with every stop that is gone to, so that its selection is applied once. */
    readonly visit: number;
  } | null;
}

/** The picture of a chart or of the network at a stop. */
export interface StopPicture {
  /** What it shows, in words. */
  readonly description: string;
  /** A PNG in base64. */
  readonly png: string;
  /** In CSS pixels. */
  readonly width: number;
}

/** What the page asks of the host for a lecture. */
export type LectureAction =
  'next' | 'back' | 'first' | 'last' | 'close' | 'play' | 'record' | 'addStop' | 'finish' | 'openFile' | 'export';
