// What every control and view is given: the data, the editor's colours, and the ways to act. One object made at the
// start; nothing in the panel is global.
import type { Speed } from './speed';
import type { Answered, AnswerTo, FromPanel, ProbeId, Question, QuestionKind, SessionCommand, TensorKind } from '../src/protocol/panel';
import type { Crosshair } from './charts/crosshair';
import type { PanelData } from './store';
import type { Theme } from './theme';

/** What is kept when the panel is hidden or the window reloaded. */
export interface Settings {
  /** Id of the view that is open, or was chosen last. */
  readonly view: string;
  /** Whether several views can be open, and which then are. */
  readonly several: boolean;
  readonly open: readonly string[];
  readonly layer: number | null;
  /** The sample that views follow, by its number in the data; null for the first of the batch. */
  readonly sample: number | null;
  readonly logLoss: boolean;
  /** Gradients of parameters, or of layers' outputs. */
  readonly gradientsOf: 'parameters' | 'outputs';
  /** All layers in one chart, or the selected one by itself. */
  readonly activationsOf: 'all' | 'selected';
  readonly tensor: TensorKind;
  readonly parameter: string | null;
  readonly runTo: 'step' | 'epoch';
  readonly speed: Speed;
  readonly problemsOpen: boolean;
  /** What views keep of their own, by id; each reads it as the stranger's input that it may be. */
  readonly kept: Readonly<Record<string, unknown>>;
}

export interface Context {
  readonly data: PanelData;
  readonly theme: Theme;
  readonly settings: Settings;
  readonly crosshair: Crosshair;
  send(message: FromPanel): void;
  command(command: SessionCommand): void;
  /** Goes to a step, one at a time however fast it is asked. */
  seek(step: number): void;
  select(layer: number): void;
  set(change: Partial<Settings>): void;
  /** Changes what a view keeps of its own. */
  keep(view: string, value: unknown): void;
  /** The answer that the frame on the screen holds to a question of the view; null where there is none. */
  answer<Kind extends QuestionKind>(question: Question<Kind>): AnswerTo<Kind> | null;
  /** Asks once, apart from the frames. Rejects with a sentence where it cannot be answered. */
  ask<Kind extends QuestionKind>(question: Question<Kind>): Promise<Answered<Kind>>;
  /** A sentence of the panel's own among the notices. */
  notify(level: 'info' | 'warning' | 'error', text: string): void;
  dismiss(notice: number): void;
}

/** A control or a view in its place. `text` is false where only what moves is to be drawn: text waits to be readable. */
export interface Mounted {
  update(text: boolean): void;
  dispose(): void;
}

export interface View {
  readonly id: string;
  readonly title: string;
  readonly needs: readonly ProbeId[];
  /** What every frame is to answer while it is open. */
  readonly questions?: (data: PanelData, settings: Settings) => readonly Question[];
  mount(host: HTMLElement, context: Context): Mounted;
}
