// What every control and view is given: the data, the editor's colours, and the ways to act. One object made at the
// start; nothing in the panel is global.
import type { Speed } from './speed';
import type { FromPanel, ProbeId, SessionCommand, TensorKind, TensorRequest } from '../src/protocol/panel';
import type { Crosshair } from './charts/crosshair';
import type { PanelData } from './store';
import type { Theme } from './theme';

export type ViewId = 'learn' | 'gradients' | 'activations' | 'check' | 'tensors';

/** What is kept when the panel is hidden or the window reloaded. */
export interface Settings {
  readonly view: ViewId;
  readonly layer: number | null;
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
  readonly id: ViewId;
  readonly title: string;
  readonly needs: readonly ProbeId[];
  /** The tensor it shows, where it shows one. */
  readonly tensor?: (data: PanelData, settings: Settings) => TensorRequest | null;
  mount(host: HTMLElement, context: Context): Mounted;
}
