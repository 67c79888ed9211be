// The context of every control and view: the data, the editor's colors, and the actions. One object, created at the
// start; nothing in the panel is global.
import type { Speed } from './state/speed';
import type {
  ElementRef,
  QueryResult,
  QueryValue,
  PanelRequests,
  ProbeId,
  Query,
  QueryType,
  SessionCommand,
  TensorKind,
} from '../src/protocol/panel';
import type { Crosshair } from './charts/crosshair';
import type { ViewId } from '../src/protocol/views';
import type { PanelData } from './state/store';
import type { Theme } from './canvas/theme';

/** Settings that are kept when the panel is hidden or the window is reloaded. */
export interface Settings {
  /** Id of the view that is open, or was opened last. */
  readonly view: string;
  /** Whether several views can be open, and which ones are. */
  readonly multiView: boolean;
  readonly open: readonly string[];
  readonly layer: number | null;
  /** Index in the data of the sample that views follow; null for the first of the batch. */
  readonly sample: number | null;
  /**
   * Whether the axis of the loss is logarithmic; null until the user chooses: then it is if the loss spans more than
   * three decades.
   */
  readonly logLoss: boolean | null;
  /** Gradients of parameters, or of layers' outputs. */
  readonly gradientsOf: 'parameters' | 'outputs';
  /** All layers in one chart, or only the selected one. */
  readonly activationsOf: 'all' | 'selected';
  readonly tensor: TensorKind;
  readonly parameter: string | null;
  readonly runTo: 'step' | 'epoch';
  readonly speed: Speed;
  readonly problemsOpen: boolean;
  /** Presentation mode: one view in large type, without controls. */
  readonly presenting: boolean;
  /** The term that was chosen to be highlighted, and the position at which it was. */
  readonly highlight: { readonly term: string; readonly at: string } | null;
  /** The visit of a lecture's stop whose selection was applied last. */
  readonly lectureVisit: number;
  /** Each view's own state, by id. A view must validate it, since it comes from outside. */
  readonly viewState: Readonly<Record<string, unknown>>;
}

export interface Context {
  readonly data: PanelData;
  readonly theme: Theme;
  readonly settings: Settings;
  readonly crosshair: Crosshair;
  /** Requests to the extension host. */
  readonly extension: PanelRequests;
  sendCommand(command: SessionCommand): void;
  /** Goes to a step; requests are throttled. */
  seek(step: number): void;
  selectLayer(layer: number): void;
  deselectLayer(): void;
  updateSettings(change: Partial<Settings>): void;
  /** Changes a view's own state. */
  setViewState(view: string, value: unknown): void;
  /** The result of a query in the frame that is shown; null if there is none. */
  latestResult<Kind extends QueryType>(question: Query<Kind>): QueryValue<Kind> | null;
  /** Asks once, outside of frames. Rejects with a sentence if there is no answer. */
  query<Kind extends QueryType>(question: Query<Kind>): Promise<QueryResult<Kind>>;
  /** Explains where a number comes from, beside the element that shows it. */
  explain(entry: ElementRef, anchor: Element): void;
  /** Adds a message to the notices. */
  notify(level: 'info' | 'warning' | 'error', text: string): void;
  dismissNotice(notice: number): void;
}

/** A mounted control or view. With `text` false only graphics are drawn: text changes at a readable rate. */
export interface Component {
  /** Whether there is nothing to show: until the next full redraw, it takes no turn from the others. */
  readonly isHidden?: () => boolean;
  update(text: boolean): void;
  dispose(): void;
}

export interface View {
  readonly id: ViewId;
  readonly title: string;
  readonly probes: readonly ProbeId[];
  /** Whether a network has what the view shows; without this, every network does. */
  readonly appliesTo?: (data: PanelData) => boolean;
  /** The queries that every frame must answer while the view is open. */
  readonly queries?: (data: PanelData, settings: Settings) => readonly Query[];
  mount(host: HTMLElement, context: Context): Component;
  /** What stands in its place in presentation mode. */
  readonly stage?: View;
}
