// What the host knows of one run: everything that a new page needs. The controller changes it, and every change goes to
// the page as an update.
import { l10n } from 'vscode';
import type { CheckReport } from '../../protocol/check-report';
import type { Frame } from '../../protocol/frame';
import type { ModelInfo } from '../../protocol/model-info';
import type { Problem } from '../../protocol/problem';
import { History, type HistoryData } from '../../history/history';
import type { CheckProgress, PanelProblem, PanelSnapshot, PanelState, PanelUpdate } from '../../protocol/panel';
import { positionsAt } from '../model-spec/text-positions';

export class RunViewModel {
  readonly history = new History();
  #state: PanelState = { kind: 'loading', text: l10n.t('Reading the spec …') };
  #problems: readonly PanelProblem[] = [];
  #model: ModelInfo | null = null;
  #frame: Frame | null = null;
  #checkReport: CheckReport | null = null;
  #checkProgress: CheckProgress | null = null;
  #undoLabel: string | null = null;

  /**
   * @param file name for titles
   * @param postToPanel receives every change except frames, as a message for the panel
   */
  constructor(
    public file: string,
    readonly postToPanel: (update: PanelUpdate) => void,
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

  get checkReport(): CheckReport | null {
    return this.#checkReport;
  }

  get checkProgress(): CheckProgress | null {
    return this.#checkProgress;
  }

  snapshot(): PanelSnapshot {
    return {
      file: this.file,
      state: this.#state,
      problems: this.#problems,
      model: this.#model,
      frame: this.#frame,
      history: this.history.data(),
      check: this.#checkReport,
      checking: this.#checkProgress,
      undo: this.#undoLabel,
    };
  }

  setState(state: PanelState): void {
    this.#state = state;
    this.postToPanel({ type: 'state', state });
  }

  setProblems(text: string, problems: readonly Problem[]): void {
    if (problems.length === 0 && this.#problems.length === 0) return;
    const positions = positionsAt(
      text,
      problems.map(({ start }) => start),
    );
    this.#problems = problems.map(({ severity, message, remedy }, i) => ({
      severity,
      message,
      remedy,
      ...positions[i]!,
    }));
    this.postToPanel({ type: 'problems', problems: this.#problems });
  }

  /**
   * A run has begun, or continues from a record; frames follow.
   * @param restored its recorded history, and the furthest step that it has reached.
   * @param codeUnchanged false if its custom layers were reloaded, so that its check report no longer holds.
   */
  begin(
    model: ModelInfo,
    restored: { readonly history: HistoryData; readonly frontier: number } | null,
    codeUnchanged = true,
  ): void {
    this.#model = model;
    this.#state = { kind: 'run' };
    this.#checkProgress = null;
    if (!restored) this.#frame = null;
    if (!restored || !codeUnchanged) this.#checkReport = null;
    this.history.clear();
    if (restored) {
      this.history.merge(restored.history);
      // The history may be newer than the record.
      this.history.truncate(restored.frontier);
    }
    this.postToPanel({ type: 'snapshot', snapshot: this.snapshot() });
  }

  /** Merges a frame. The controller sends it to the page. */
  applyFrame(frame: Frame): void {
    if (frame.truncatedTo !== null) this.history.truncate(frame.truncatedTo);
    this.history.merge(frame.history);
    this.#frame = frame;
  }

  setCheckProgress(progress: CheckProgress | null): void {
    this.#checkProgress = progress;
    this.postToPanel({ type: 'checking', progress });
  }

  /** Completes "Undo: …"; null if there is nothing to undo. */
  setUndoLabel(label: string | null): void {
    this.#undoLabel = label;
    this.postToPanel({ type: 'undo', what: label });
  }

  setCheckReport(report: CheckReport): void {
    this.#checkReport = report;
    this.postToPanel({ type: 'check', report });
  }

  notify(level: 'info' | 'warning' | 'error', text: string): void {
    this.postToPanel({ type: 'notice', level, text });
  }
}
