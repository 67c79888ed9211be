// One item in the status bar while a run is open: its step and loss, refreshed at a pace that can be read.
import * as vscode from 'vscode';
import { plain } from './plain';
import type { OpenRun, Runs } from './runs';

const REFRESH_MS = 100;

export class Status implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem('nablascope.status', vscode.StatusBarAlignment.Left, 0);
  readonly #runs: Runs;
  readonly #subscriptions: readonly vscode.Disposable[];
  #timer: NodeJS.Timeout | null = null;

  constructor(runs: Runs) {
    this.#runs = runs;
    this.#item.name = 'Nablascope';
    this.#item.command = 'nablascope.open';
    this.#subscriptions = [
      this.#item,
      runs.onChanged(() => this.#refreshSoon()),
      vscode.window.onDidChangeActiveTextEditor(() => this.#refreshSoon()),
    ];
  }

  dispose(): void {
    if (this.#timer) clearTimeout(this.#timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #refreshSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#refresh();
    }, REFRESH_MS);
  }

  #refresh(): void {
    const run = this.#runs.active;
    if (!run) {
      this.#item.hide();
      return;
    }
    const text = textOf(run);
    this.#item.text = `∇ ${text}`;
    this.#item.tooltip = `Nablascope, ${plain(run.controller.place.file)}: ${text}`;
    this.#item.show();
  }
}

function textOf({ controller }: OpenRun): string {
  const { state, frame } = controller.view;
  switch (state.kind) {
    case 'problems':
      return 'the spec has problems';
    case 'code':
      return 'layers of your own are not allowed';
    case 'loading':
      return 'loading';
    case 'stopped':
      return 'engine stopped';
    case 'run': {
      if (!frame) return 'ready';
      const { step: done, phase } = frame.position;
      const step = phase > 0 ? `in step ${done + 1}` : `step ${done}`;
      const loss = frame.loss === null ? '' : ` · loss ${frame.loss.toPrecision(4)}`;
      return `${step}${loss}${frame.status === 'diverged' ? ' · diverged' : ''}`;
    }
    default:
      return state satisfies never;
  }
}
