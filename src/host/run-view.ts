// What is known of one run on the host's side: all that a panel needs to be made anew. It is changed by
// the controller and speaks to whoever listens; it starts nothing itself.
import { History, type HistoryData } from '../history/history';
import type { CheckProgress, PanelProblem, PanelSnapshot, PanelState, ToPanel } from '../protocol/panel';
import type { CheckReport } from '../gradcheck/report';
import type { Frame, ModelInfo } from '../session/frame';
import type { Problem } from '../spec';
import { placesOf } from './text-lines';

export class RunView {
  readonly history = new History();
  #state: PanelState = { kind: 'loading', text: 'Reading the spec …' };
  #problems: readonly PanelProblem[] = [];
  #model: ModelInfo | null = null;
  #frame: Frame | null = null;
  #check: CheckReport | null = null;
  #checking: CheckProgress | null = null;
  #undo: string | null = null;

  /**
   * @param file name for titles.
   * @param tell hears of every change but frames, as the message that a panel gets.
   */
  constructor(
    public file: string,
    readonly tell: (message: ToPanel) => void,
  ) {}

  get state(): PanelState {
    return this.#state;
  }

  get problems(): readonly PanelProblem[] {
    return this.#problems;
  }

  get model(): ModelInfo | null {
    return this.#model;
  }

  get frame(): Frame | null {
    return this.#frame;
  }

  get check(): CheckReport | null {
    return this.#check;
  }

  get checking(): CheckProgress | null {
    return this.#checking;
  }

  snapshot(): PanelSnapshot {
    return {
      file: this.file,
      state: this.#state,
      problems: this.#problems,
      model: this.#model,
      frame: this.#frame,
      history: this.history.data(),
      check: this.#check,
      checking: this.#checking,
      undo: this.#undo,
    };
  }

  setState(state: PanelState): void {
    this.#state = state;
    this.tell({ type: 'state', state });
  }

  setProblems(text: string, problems: readonly Problem[]): void {
    if (problems.length === 0 && this.#problems.length === 0) return;
    const places = placesOf(text, problems.map(({ start }) => start));
    this.#problems = problems.map(({ severity, message, remedy }, i) => ({ severity, message, remedy, ...places[i] }));
    this.tell({ type: 'problems', problems: this.#problems });
  }

  /**
   * A run has begun, or goes on from what was kept of it; frames follow.
   * @param kept what was recorded of it, and the furthest step that it has reached.
   * @param sameCode false where its layers have other code now: what was checked was that of before.
   */
  begin(model: ModelInfo, kept: { readonly history: HistoryData; readonly frontier: number } | null, sameCode = true): void {
    this.#model = model;
    this.#state = { kind: 'run' };
    this.#checking = null;
    if (!kept) this.#frame = null;
    if (!kept || !sameCode) this.#check = null;
    this.history.clear();
    if (kept) {
      this.history.merge(kept.history);
      // The history may have gone on after the run was kept.
      this.history.truncate(kept.frontier);
    }
    this.tell({ type: 'snapshot', snapshot: this.snapshot() });
  }

  /** Takes a frame in; showing it is the controller's business. */
  take(frame: Frame): void {
    if (frame.truncatedTo !== null) this.history.truncate(frame.truncatedTo);
    this.history.merge(frame.history);
    this.#frame = frame;
  }

  setChecking(progress: CheckProgress | null): void {
    this.#checking = progress;
    this.tell({ type: 'checking', progress });
  }

  /** What can be undone, in words that go on after "Undo:"; null where nothing can. */
  setUndo(what: string | null): void {
    this.#undo = what;
    this.tell({ type: 'undo', what });
  }

  setCheck(report: CheckReport): void {
    this.#check = report;
    this.tell({ type: 'check', report });
  }

  notice(level: 'info' | 'warning' | 'error', text: string): void {
    this.tell({ type: 'notice', level, text });
  }
}
